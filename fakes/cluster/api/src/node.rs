//! What the API asks of a node.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use jiff::Timestamp;

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

/// The API's way to the nodes.
#[async_trait]
pub trait NodeAccess: Send + Sync + 'static {
    /// The log of a container.
    async fn logs(&self, namespace: &str, pod: &str, options: LogOptions) -> Result<LogStream, ApiError>;
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
