//! Commands inside running containers, and the streams that they are given.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};

use crate::runtime::StartError;

/// What is kept of a captured output, as a kubelet keeps it.
const CAPTURED_BYTES: usize = 10 << 10;

/// A container in which a command is to run.
#[derive(Clone, Debug)]
pub struct ExecTarget {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// UID of the pod.
    pub pod_uid: String,
    /// Name of the container.
    pub container: String,
    /// The pod's address.
    pub ip: IpAddr,
}

/// The streams of a command inside a container.
pub struct ExecIo {
    /// What the command reads.
    pub stdin: Box<dyn AsyncRead + Send + Unpin>,
    /// What it writes.
    pub stdout: Box<dyn AsyncWrite + Send + Unpin>,
    /// What it writes about errors.
    pub stderr: Box<dyn AsyncWrite + Send + Unpin>,
}

impl fmt::Debug for ExecIo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExecIo")
    }
}

impl ExecIo {
    /// Nothing to read; both outputs go, in their order, to what is returned along.
    pub fn captured() -> (Self, Captured) {
        let kept = Captured::default();
        let io = Self {
            stdin: Box::new(tokio::io::empty()),
            stdout: Box::new(kept.clone()),
            stderr: Box::new(kept.clone()),
        };
        (io, kept)
    }
}

/// Output that is kept in memory, up to a bound. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Captured {
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Captured {
    /// What was written so far.
    pub fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl AsyncWrite for Captured {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, given: &[u8]) -> Poll<io::Result<usize>> {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let room = CAPTURED_BYTES.saturating_sub(bytes.len());
        bytes.extend_from_slice(&given[..given.len().min(room)]);
        Poll::Ready(Ok(given.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What came of a command inside a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecOutcome {
    /// It ran.
    Ran {
        /// Exit code.
        code: i32,
    },
    /// There is no such command, or it cannot be run.
    NotStarted(StartError),
    /// This runtime runs no commands; a probe takes that as a container that lives.
    Unsupported,
}

#[cfg(test)]
mod tests {
    use super::ExecIo;
    use tokio::io::AsyncWriteExt;

    #[tokio::test]
    async fn both_outputs_are_captured_in_their_order() {
        let (mut io, kept) = ExecIo::captured();
        io.stderr.write_all(b"one ").await.expect("memory takes it");
        io.stdout.write_all(b"two").await.expect("memory takes it");
        assert_eq!(kept.text(), "one two");
    }
}
