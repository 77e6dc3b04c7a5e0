//! What a process reads from and writes to.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use cluster_node::LogSink;
use field_clock::Clock;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::memory::{MemoryUse, Quota};
use crate::pipe::{ReadEnd, WriteEnd};

/// An open file. Clones are the same open file.
#[derive(Clone)]
pub(crate) enum Descriptor {
    Null,
    /// `/dev/zero`: never ends.
    Zero,
    /// `/dev/full`
    Full,
    Random,
    Log(Arc<LogStream>),
    PipeRead(Arc<ReadEnd>),
    PipeWrite(Arc<WriteEnd>),
    File(Arc<OpenFile>),
    /// A text that the system makes up.
    Text(Arc<Mutex<io::Cursor<Vec<u8>>>>),
    Input(Arc<tokio::sync::Mutex<Box<dyn AsyncRead + Send + Unpin>>>),
    Output(Arc<tokio::sync::Mutex<Box<dyn AsyncWrite + Send + Unpin>>>),
    Socket(Arc<TcpStream>),
}

impl std::fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Descriptor")
    }
}

/// One of a container's two outputs: whole lines go to its log, the rest when it ends.
pub(crate) struct LogStream {
    sink: LogSink,
    rest: Mutex<Vec<u8>>,
}

/// A line that gets longer than this is written in parts, as container runtimes do.
const LONGEST_LINE: usize = 16 << 10;

impl LogStream {
    pub(crate) fn new(sink: LogSink) -> Self {
        Self { sink, rest: Mutex::default() }
    }

    fn write(&self, bytes: &[u8]) {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        rest.extend_from_slice(bytes);
        let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole > 0 {
            let lines: Vec<u8> = rest.drain(..whole).collect();
            self.sink.write(&lines);
        }
        if rest.len() > LONGEST_LINE {
            self.flush(&mut rest);
        }
    }

    fn flush(&self, rest: &mut Vec<u8>) {
        if !rest.is_empty() {
            rest.push(b'\n');
            self.sink.write(&std::mem::take(rest));
        }
    }
}

impl Drop for LogStream {
    fn drop(&mut self) {
        let mut rest = std::mem::take(&mut *self.rest.lock().unwrap_or_else(PoisonError::into_inner));
        self.flush(&mut rest);
    }
}

/// A file of the host, open inside a container.
pub(crate) struct OpenFile {
    pub(crate) file: Mutex<File>,
    pub(crate) clock: Clock,
    /// What the container may still write to its disks.
    pub(crate) quota: Arc<Quota>,
    /// A file in memory counts as the container's.
    pub(crate) memory: Option<MemoryUse>,
}

impl OpenFile {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).read(buffer)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.quota.take(bytes.len() as u64)?;
        if let Some(memory) = &self.memory {
            memory.keep(bytes.len() as u64);
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(bytes)?;
        // A file system without times of its own does no harm.
        let _ = file.set_modified(self.clock.now().into());
        Ok(())
    }
}

impl Descriptor {
    pub(crate) fn text(text: impl Into<Vec<u8>>) -> Self {
        Self::Text(Arc::new(Mutex::new(io::Cursor::new(text.into()))))
    }

    /// Reads some bytes; none at the end.
    pub(crate) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Null => Ok(0),
            Self::Zero | Self::Full => {
                buffer.fill(0);
                Ok(buffer.len())
            }
            Self::Random => {
                buffer.fill_with(rand::random);
                Ok(buffer.len())
            }
            Self::PipeRead(end) => Ok(end.read(buffer).await),
            Self::File(file) => file.read(buffer),
            Self::Text(text) => {
                io::Read::read(&mut *text.lock().unwrap_or_else(PoisonError::into_inner), buffer)
            }
            Self::Input(input) => input.lock().await.read(buffer).await,
            Self::Socket(socket) => loop {
                socket.readable().await?;
                match socket.try_read(buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    done => return done,
                }
            },
            Self::Log(_) | Self::PipeWrite(_) | Self::Output(_) => Err(io::Error::from_raw_os_error(EBADF)),
        }
    }

    /// Writes all the bytes.
    pub(crate) async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Null | Self::Zero | Self::Random => Ok(()),
            Self::Full => Err(io::Error::from_raw_os_error(ENOSPC)),
            Self::Log(log) => {
                log.write(bytes);
                Ok(())
            }
            Self::PipeWrite(end) => end.write(bytes).await,
            Self::File(file) => file.write(bytes),
            Self::Output(output) => {
                let mut output = output.lock().await;
                output.write_all(bytes).await?;
                output.flush().await
            }
            Self::Socket(socket) => {
                while !bytes.is_empty() {
                    socket.writable().await?;
                    match socket.try_write(bytes) {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Ok(length) => bytes = &bytes[length..],
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            }
            Self::PipeRead(_) | Self::Input(_) | Self::Text(_) => Err(io::Error::from_raw_os_error(EBADF)),
        }
    }
}

pub(crate) const ENOENT: i32 = 2;
pub(crate) const EBADF: i32 = 9;
pub(crate) const EACCES: i32 = 13;
pub(crate) const EBUSY: i32 = 16;
pub(crate) const EEXIST: i32 = 17;
pub(crate) const ENOTDIR: i32 = 20;
pub(crate) const EISDIR: i32 = 21;
pub(crate) const EINVAL: i32 = 22;
pub(crate) const ENOSPC: i32 = 28;
pub(crate) const EROFS: i32 = 30;
pub(crate) const ELOOP: i32 = 40;

/// The system's words for an error.
pub(crate) fn strerror(error: &io::Error) -> String {
    let text = match error.raw_os_error() {
        Some(_) => error.to_string(),
        None => match error.kind() {
            io::ErrorKind::ConnectionRefused => "Connection refused".into(),
            io::ErrorKind::ConnectionReset => "Connection reset by peer".into(),
            io::ErrorKind::BrokenPipe => "Broken pipe".into(),
            io::ErrorKind::TimedOut => "Connection timed out".into(),
            io::ErrorKind::HostUnreachable => "No route to host".into(),
            io::ErrorKind::NetworkUnreachable => "Network is unreachable".into(),
            io::ErrorKind::AddrInUse => "Address already in use".into(),
            io::ErrorKind::NotFound => "No such file or directory".into(),
            _ => error.to_string(),
        },
    };
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}
