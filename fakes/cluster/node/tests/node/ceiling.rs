//! Every test ends: one that does not is given up, and says what was last seen of its world.

use std::fmt;
use std::panic::resume_unwind;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cluster_api::kinds::{EVENTS, PODS};
use cluster_api::{Store, object};
use fake_network::{DnsControl, RegistryControl};
use field_clock::Clock;
use tokio_util::sync::CancellationToken;

/// How long the looking may take; a world that stands still may hold what is looked at.
const LOOK_WITHIN: Duration = Duration::from_secs(5);
/// How many requests and events are told.
const LAST: usize = 8;

/// What can be seen of a world from outside.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) registry: RegistryControl,
    pub(crate) dns: DnsControl,
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "field time {}", self.clock.now())?;
        for pod in self.store.list(&PODS, None) {
            writeln!(
                f,
                "pod {}: {} {}",
                object::name(&pod),
                pod["status"]["phase"],
                pod["status"]["containerStatuses"]
            )?;
        }
        let events = self.store.list(&EVENTS, None);
        for event in &events[events.len().saturating_sub(LAST)..] {
            writeln!(
                f,
                "event about {}: {} ×{}: {}",
                event["involvedObject"]["name"], event["reason"], event["count"], event["message"]
            )?;
        }
        let requests = self.registry.receipts();
        writeln!(f, "{} requests to the registry", requests.len())?;
        for request in &requests[requests.len().saturating_sub(LAST)..] {
            writeln!(f, "{request:?}")?;
        }
        let questions = self.dns.receipts();
        writeln!(f, "{} questions to the name server, the last: {:?}", questions.len(), questions.last())
    }
}

/// What the world and its guard share.
#[derive(Clone, Default)]
pub(crate) struct Guard {
    view: Arc<OnceLock<View>>,
    over: CancellationToken,
}

impl Guard {
    /// From now on there is something to see.
    pub(crate) fn shows(&self, view: View) {
        assert!(self.view.set(view).is_ok(), "a guard has one world");
    }

    /// Returns when the guard has given the world up.
    pub(crate) async fn given_up(&self) {
        self.over.cancelled().await;
    }

    fn look(&self) -> String {
        let Some(view) = self.view.get().cloned() else { return "no world yet".to_owned() };
        let (say, said) = mpsc::channel();
        std::thread::spawn(move || say.send(view.to_string()));
        said.recv_timeout(LOOK_WITHIN).unwrap_or_else(|_| "nothing: somebody holds the store".to_owned())
    }
}

/// Lets `life` run on a thread of its own for so long of the machine's time at most.
pub(crate) fn guarded(most: Duration, life: impl FnOnce(&Guard) + Send + 'static) {
    let guard = Guard::default();
    let (alive, ended) = mpsc::channel::<()>();
    let name = std::thread::current().name().unwrap_or("world").to_owned();
    let thread = std::thread::Builder::new().name(name).spawn({
        let guard = guard.clone();
        move || {
            let _alive = alive;
            life(&guard);
        }
    });
    let thread = thread.unwrap();
    if ended.recv_timeout(most) == Err(RecvTimeoutError::Timeout) {
        let seen = guard.look();
        guard.over.cancel();
        panic!("no end after {most:?} of the machine's time; last seen:\n{seen}");
    }
    if let Err(panic) = thread.join() {
        resume_unwind(panic);
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::panic::catch_unwind;
    use std::time::Duration;

    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use crate::world::{CEILING, World, in_world_for};

    /// Enough for a world to begin on a busy machine.
    const SHORT: Duration = Duration::from_secs(2);

    fn complaint<F: Future<Output = ()>>(
        most: Duration,
        test: impl FnOnce(World) -> F + Send + std::panic::UnwindSafe + 'static,
    ) -> String {
        let panic = catch_unwind(|| in_world_for(most, test)).unwrap_err();
        *panic.downcast::<String>().unwrap()
    }

    #[test]
    fn a_world_that_waits_for_nothing_is_given_up() {
        let text = complaint(SHORT, |w| async move {
            w.pod("idle", "test/sleep:1", json!({}));
            pending().await
        });
        assert!(
            text.contains("no end after 2s of the machine's time") && text.contains("pod idle: \"Running\""),
            "{text}"
        );
    }

    #[test]
    fn a_world_that_runs_in_circles_is_given_up() {
        let text = complaint(SHORT, |w| async move {
            w.pod("circle", "test/sleep:1", json!({}));
            let listener = TcpListener::bind((w.ip, 0)).await.unwrap();
            let mut one = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (mut other, _) = listener.accept().await.unwrap();
            loop {
                one.write_all(b"x").await.unwrap();
                other.read_u8().await.unwrap();
            }
        });
        assert!(text.contains("pod circle"), "{text}");
    }

    #[test]
    fn a_test_that_fails_fails_with_its_own_words() {
        let text = complaint(CEILING, |w| async move { panic!("not at {}", w.address(1)) });
        assert!(text.starts_with("not at 127."), "{text}");
    }
}
