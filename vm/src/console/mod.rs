//! A machine's serial console: recorded, searched, followed, and written to.
//!
//! QEMU itself writes every byte to `console.log` in the machine's directory; here are its lines, without what only moves a
//! cursor or changes a colour.

mod lines;
mod panic;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use field_clock::Clock;
use jiff::Timestamp;
use regex::Regex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

use lines::Splitter;
pub(crate) use panic::panic_in;

/// How many lines an error tells.
pub(crate) const LAST: usize = 8;

/// A place in a console, to which somebody has read; by default its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    line: usize,
    column: usize,
}

/// A machine's serial console; also after its machine has ended. Clones are the same.
#[derive(Debug, Clone)]
pub struct Console {
    heard: Arc<Heard>,
    writer: Arc<tokio::sync::Mutex<OwnedWriteHalf>>,
    recording: PathBuf,
}

#[derive(Debug)]
struct Heard {
    text: Mutex<Splitter>,
    /// When something was heard last.
    news: watch::Sender<Timestamp>,
}

impl Console {
    /// Reads from a console that has called, to its end, on the current tokio runtime.
    pub(crate) fn over(stream: UnixStream, recording: PathBuf, clock: Clock) -> Self {
        let (reader, writer) = stream.into_split();
        let heard = Arc::new(Heard { text: Mutex::default(), news: watch::Sender::new(clock.now()) });
        tokio::spawn(listen(reader, Arc::clone(&heard), clock));
        Self { heard, writer: Arc::new(tokio::sync::Mutex::new(writer)), recording }
    }

    /// Where every byte is written down, as the guest sent it. It goes with the machine's directory.
    #[must_use]
    pub fn recording(&self) -> &Path {
        &self.recording
    }

    /// Where the console is now.
    #[must_use]
    pub fn position(&self) -> Position {
        self.lock().position()
    }

    /// The lines since a position, one that has not ended yet included.
    #[must_use]
    pub fn lines_since(&self, position: Position) -> Vec<String> {
        let text = self.lock();
        text.ended_from(position).chain(text.begun_from(position)).map(str::to_owned).collect()
    }

    /// The lines since a position that have ended, and the position after them.
    #[must_use]
    pub fn ended_since(&self, position: Position) -> (Vec<String>, Position) {
        let text = self.lock();
        let lines = text.ended_from(position).map(str::to_owned).collect();
        (lines, position.max(text.begun_at()))
    }

    /// The line that has begun: what comes next may still belong to it.
    pub(crate) fn begun_since(&self, position: Position) -> Option<String> {
        self.lock().begun_from(position).map(str::to_owned)
    }

    /// The last lines that hold something, at most so many.
    #[must_use]
    pub fn last(&self, count: usize) -> Vec<String> {
        let mut lines = self.lines_since(Position::default());
        lines.retain(|line| !line.trim().is_empty());
        lines.split_off(lines.len().saturating_sub(count))
    }

    /// The first line since a position in which a pattern is found.
    #[must_use]
    pub fn find(&self, pattern: &Regex, since: Position) -> Option<String> {
        self.lines_since(since).into_iter().find(|line| pattern.is_match(line))
    }

    /// Types at it.
    ///
    /// # Errors
    /// The machine has ended.
    pub async fn write(&self, text: &str) -> io::Result<()> {
        self.writer.lock().await.write_all(text.as_bytes()).await
    }

    /// When something was heard last; the machine's start where nothing was.
    pub(crate) fn last_heard(&self) -> Timestamp {
        *self.heard.news.borrow()
    }

    /// A sign at everything new, with its moment; it ends with the console.
    #[must_use]
    pub fn follow(&self) -> watch::Receiver<Timestamp> {
        self.heard.news.subscribe()
    }

    /// Returns when nothing comes any more.
    pub(crate) async fn end(&self) {
        let mut news = self.follow();
        while !self.lock().has_ended() {
            if news.changed().await.is_err() {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Splitter> {
        self.heard.text.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn listen(mut reader: OwnedReadHalf, heard: Arc<Heard>, clock: Clock) {
    let mut buffer = [0; 4096];
    loop {
        let read = reader.read(&mut buffer).await;
        let mut text = heard.text.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(count @ 1..) => text.take(&buffer[..count]),
            Ok(0) | Err(_) => text.end(),
        }
        let ended = text.has_ended();
        drop(text);
        heard.news.send_replace(clock.now());
        if ended {
            return;
        }
    }
}
