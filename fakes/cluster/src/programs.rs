//! A runtime for tests: images whose programs are async closures of the test itself.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cluster_node::{Container, ContainerSpec, Exit, PreloadedImage, Runtime, StartError};
use futures::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Exit code of a program that SIGTERM ended.
const TERMINATED: i32 = 143;
/// Exit code of a program that SIGKILL ended.
const KILLED: i32 = 137;
/// Exit code of a program that panicked: it aborts.
const ABORTED: i32 = 134;

type Main = Arc<dyn Fn(Process) -> BoxFuture<'static, i32> + Send + Sync>;

/// Images and what runs in their containers, known to the node without any registry.
///
/// ```
/// use fake_cluster::Programs;
///
/// let programs = Programs::new()
///     .image("web:1", |process| async move {
///         process.log.line("listening");
///         process.terminated().await;
///         0
///     })
///     .image("migrate:1", |_| async { 0 });
/// ```
#[derive(Clone, Default)]
pub struct Programs {
    mains: BTreeMap<String, Main>,
}

impl std::fmt::Debug for Programs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.mains.keys()).finish()
    }
}

impl Programs {
    /// No image at all; pods of any other image are pulled, and that fails where there is no registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Containers of this image run this program, whatever their command; the number it returns is their exit code.
    #[must_use]
    pub fn image<F, Fut>(mut self, name: &str, main: F) -> Self
    where
        F: Fn(Process) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = i32> + Send + 'static,
    {
        self.mains.insert(name.to_owned(), Arc::new(move |process| Box::pin(main(process))));
        self
    }

    /// An image that does nothing until it is asked to end.
    #[must_use]
    pub fn pause(self, name: &str) -> Self {
        self.image(name, |process| async move {
            process.terminated().await;
            0
        })
    }

    /// The images, as a node has them from the beginning.
    pub fn images(&self) -> Vec<PreloadedImage> {
        let image = |name: &String| PreloadedImage { name: name.clone(), entrypoint: vec![entrypoint(name)] };
        self.mains.keys().map(image).collect()
    }
}

/// Where an image has its program; no other image has one there.
fn entrypoint(image: &str) -> String {
    format!("/programs/{image}/main")
}

/// A program that runs in a container: all that the pod says about it, its log, its network.
#[derive(Clone, Debug)]
pub struct Process {
    spec: ContainerSpec,
    asked: CancellationToken,
    handles: Arc<AtomicBool>,
}

impl Process {
    /// Waits for SIGTERM. A program that never does this is ended by it.
    pub async fn terminated(&self) {
        self.handles.store(true, Ordering::Relaxed);
        self.asked.cancelled().await;
    }

    /// A variable of the environment.
    pub fn env(&self, name: &str) -> Option<&str> {
        self.spec.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Deref for Process {
    type Target = ContainerSpec;

    fn deref(&self) -> &ContainerSpec {
        &self.spec
    }
}

#[async_trait]
impl Runtime for Programs {
    async fn start(&self, spec: ContainerSpec) -> Result<Box<dyn Container>, StartError> {
        let place = spec.image_config.entrypoint.first().cloned().unwrap_or_default();
        let main = self.mains.iter().find(|(name, _)| entrypoint(name) == place);
        let Some((_, main)) = main else { return Err(StartError::not_found(&place)) };
        let clock = spec.clock.clone();
        let process = Process { spec, asked: CancellationToken::new(), handles: Arc::default() };
        let (asked, handles) = (process.asked.clone(), Arc::clone(&process.handles));
        let task = tokio::spawn(main(process));
        Ok(Box::new(Running { task, asked, handles, clock, ended: None }))
    }
}

struct Running {
    task: JoinHandle<i32>,
    asked: CancellationToken,
    handles: Arc<AtomicBool>,
    clock: field_clock::Clock,
    ended: Option<Exit>,
}

impl Running {
    fn kill(&mut self, code: i32) {
        self.task.abort();
        self.ended.get_or_insert(Exit::code(code));
    }
}

#[async_trait]
impl Container for Running {
    async fn wait(&mut self) -> Exit {
        if let Some(exit) = self.ended {
            return exit;
        }
        let code = (&mut self.task).await.unwrap_or(ABORTED);
        *self.ended.insert(Exit::code(code))
    }

    async fn stop(&mut self, grace: Duration) {
        if self.task.is_finished() {
            return;
        }
        if !self.handles.load(Ordering::Relaxed) {
            return self.kill(TERMINATED);
        }
        self.asked.cancel();
        let clock = self.clock.clone();
        if clock.timeout(grace, self.wait()).await.is_err() {
            self.kill(KILLED);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
