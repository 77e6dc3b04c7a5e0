//! What the API asks of a node.

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::ApiError;

/// Which part of which log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// The container; `None` when the pod has just one.
    pub container: Option<String>,
    /// Whether to stay for lines to come.
    pub follow: bool,
    /// Whether to show the container's previous run.
    pub previous: bool,
    /// Only the last lines.
    pub tail_lines: Option<u64>,
    /// Only lines of the last seconds.
    pub since_seconds: Option<u64>,
    /// Only lines from a time on.
    pub since_time: Option<Timestamp>,
    /// Whether lines start with their time.
    pub timestamps: bool,
    /// At most so many bytes.
    pub limit_bytes: Option<u64>,
}

/// A log, in pieces as they come.
pub type LogStream = BoxStream<'static, Bytes>;

/// A command for a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecRequest {
    /// The container; `None` for the pod's first.
    pub container: Option<String>,
    /// Program and arguments.
    pub command: Vec<String>,
}

/// The streams of a command, or of a container somebody attaches to.
pub struct Streams {
    /// What is read by it.
    pub stdin: Box<dyn AsyncRead + Send + Unpin>,
    /// What it writes.
    pub stdout: Box<dyn AsyncWrite + Send + Unpin>,
    /// What it writes about errors.
    pub stderr: Box<dyn AsyncWrite + Send + Unpin>,
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Streams")
    }
}

/// How a command ended: its exit code, or why there is none.
pub type Ended = Result<i32, ApiError>;

/// Something that runs once it has its streams; dropping what it returns ends it.
pub type Session = Box<dyn FnOnce(Streams) -> BoxFuture<'static, Ended> + Send>;

/// The API's way to the nodes.
#[async_trait]
pub trait NodeAccess: Send + Sync + 'static {
    /// The log of a container.
    async fn logs(&self, namespace: &str, pod: &str, options: LogOptions) -> Result<LogStream, ApiError>;

    /// A command inside a container, ready to run.
    async fn exec(&self, namespace: &str, pod: &str, request: ExecRequest) -> Result<Session, ApiError> {
        let _ = (namespace, pod, request);
        Err(ApiError::not_implemented("exec"))
    }

    /// What a container writes from now on.
    async fn attach(
        &self,
        namespace: &str,
        pod: &str,
        container: Option<String>,
    ) -> Result<Session, ApiError> {
        let _ = (namespace, pod, container);
        Err(ApiError::not_implemented("attach"))
    }

    /// A connection to a port of a pod; the error is a text for whoever forwards.
    async fn connect(&self, namespace: &str, pod: &str, port: u16) -> Result<TcpStream, String> {
        let _ = (namespace, pod);
        Err(format!("port {port} is out of reach"))
    }
}

/// A cluster without nodes: every log is out of reach.
#[derive(Clone, Copy, Debug)]
pub struct NoNode;

#[async_trait]
impl NodeAccess for NoNode {
    async fn logs(&self, _: &str, pod: &str, _: LogOptions) -> Result<LogStream, ApiError> {
        Err(ApiError::bad_request(format!("pod {pod} does not have a host assigned")))
    }
}
