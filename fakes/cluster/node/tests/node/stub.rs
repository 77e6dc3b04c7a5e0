//! Programs small enough to know by heart.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use cluster_node::{Container, ContainerSpec, Exit, Runtime, StartError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Runs the programs below, and what [`cluster_node::programs`] knows.
#[derive(Default)]
pub(crate) struct Stub {
    pub(crate) started: Mutex<Vec<ContainerSpec>>,
    pub(crate) system: Mutex<Option<cluster_node::programs::SystemPrograms>>,
}

#[async_trait]
impl Runtime for Stub {
    async fn start(&self, spec: ContainerSpec) -> Result<Box<dyn Container>, StartError> {
        self.started.lock().unwrap().push(spec.clone());
        let program = spec.argv.first().cloned().unwrap_or_default();
        let stop = CancellationToken::new();
        let system = self.system.lock().unwrap().clone();
        if let Some(system) = system.filter(|_| cluster_node::programs::SystemPrograms::knows(&program)) {
            let task = tokio::spawn({
                let stop = stop.clone();
                async move { system.run(spec, stop).await.unwrap_or(1) }
            });
            return Ok(Box::new(Task { task, stop, code: None }));
        }
        let run = match program.as_str() {
            "/serve" | "/sleep" | "/fail" | "/done" | "/oom" => run(program, spec, stop.clone()),
            _ => return Err(StartError::not_found(&program)),
        };
        Ok(Box::new(Task { task: tokio::spawn(run), stop, code: None }))
    }
}

async fn run(program: String, spec: ContainerSpec, stop: CancellationToken) -> i32 {
    match program.as_str() {
        "/fail" => {
            spec.log.line("Error: it does not work");
            1
        }
        "/done" => 0,
        "/oom" => 137,
        "/serve" => serve(spec, stop).await,
        _ => {
            stop.cancelled().await;
            143
        }
    }
}

/// Answers every request with 200, or with what `STATUS` says.
async fn serve(spec: ContainerSpec, stop: CancellationToken) -> i32 {
    let listener = TcpListener::bind((spec.ip, spec.ports[0])).await.unwrap();
    let status =
        spec.env.iter().find(|(name, _)| name == "STATUS").map_or("200", |(_, value)| value).to_owned();
    spec.log.line("listening");
    loop {
        let mut stream = tokio::select! {
            () = stop.cancelled() => return 0,
            accepted = listener.accept() => accepted.unwrap().0,
        };
        let mut buffer = [0; 1024];
        if stream.read(&mut buffer).await.is_ok_and(|length| length > 0) {
            let answer =
                format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    }
}

struct Task {
    task: tokio::task::JoinHandle<i32>,
    stop: CancellationToken,
    code: Option<i32>,
}

#[async_trait]
impl Container for Task {
    async fn wait(&mut self) -> Exit {
        let code = match self.code {
            Some(code) => code,
            None => (&mut self.task).await.unwrap_or(137),
        };
        self.code = Some(code);
        if code == 137 { Exit::out_of_memory() } else { Exit::code(code) }
    }

    async fn stop(&mut self, _: Duration) {
        self.stop.cancel();
    }
}
