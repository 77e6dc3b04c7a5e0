//! QEMU's monitor: commands, their answers, and what happens meanwhile.
//!
//! Commands of many tasks may be under way at once; events are followed beside them. A job (a snapshot, for one) answers its
//! command at once and fails later: [`Qmp::job`] waits for its end and reads the reason.

mod error;
mod job;
mod message;
mod reader;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use field_clock::Clock;
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::{broadcast, oneshot};

pub use error::QmpError;
pub use message::Event;

use message::{Answer, Greeting};
use reader::{line, read};

/// A monitor answers within milliseconds; one that does not has a host that stands still.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// So many events may pass before who follows them has read the first.
const EVENTS: usize = 512;

/// A line to QEMU's monitor. Clones are the same line.
#[derive(Debug, Clone)]
pub struct Qmp {
    line: Arc<Line>,
    clock: Clock,
}

#[derive(Debug)]
struct Line {
    writer: tokio::sync::Mutex<OwnedWriteHalf>,
    waiting: Arc<Waiting>,
    events: broadcast::Sender<Event>,
    next: AtomicU64,
    reader: tokio::task::JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Commands whose answers are not there yet; nothing once the line has ended.
#[derive(Debug, Default)]
struct Waiting(Mutex<Option<HashMap<u64, oneshot::Sender<Answer>>>>);

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Option<HashMap<u64, oneshot::Sender<Answer>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Qmp {
    /// Greets a monitor that has called, and makes it take commands.
    ///
    /// # Errors
    /// It says something else than a monitor does, or nothing.
    pub async fn over(stream: UnixStream, clock: Clock) -> Result<Self, QmpError> {
        let (read_half, write_half) = stream.into_split();
        let mut lines = BufReader::new(read_half);
        let greeting = clock
            .timeout(PATIENCE, line(&mut lines))
            .await
            .map_err(|_| QmpError::Silent { command: "greeting".into(), limit: PATIENCE })??;
        let greeting: Greeting =
            serde_json::from_str(&greeting).map_err(|source| QmpError::Foreign { line: greeting, source })?;
        tracing::debug!(version = %greeting.version(), "a monitor greets");
        let waiting = Arc::new(Waiting(Mutex::new(Some(HashMap::new()))));
        let (events, _) = broadcast::channel(EVENTS);
        let reader = tokio::spawn(read(lines, Arc::clone(&waiting), events.clone()));
        let line = Line {
            writer: tokio::sync::Mutex::new(write_half),
            waiting,
            events,
            next: AtomicU64::new(1),
            reader,
        };
        let qmp = Self { line: Arc::new(line), clock };
        qmp.execute("qmp_capabilities", json!({})).await?;
        Ok(qmp)
    }

    /// Carries out a command.
    ///
    /// # Errors
    /// The monitor refuses it, is gone, or does not answer within 30 s.
    pub async fn execute(&self, command: &str, arguments: Value) -> Result<Value, QmpError> {
        let id = self.line.next.fetch_add(1, Ordering::Relaxed);
        let gone = || QmpError::Gone { command: command.to_owned() };
        let (sender, answer) = oneshot::channel();
        self.line.waiting.lock().as_mut().ok_or_else(gone)?.insert(id, sender);
        let mut text = json!({ "execute": command, "arguments": arguments, "id": id }).to_string();
        text.push('\n');
        self.line.writer.lock().await.write_all(text.as_bytes()).await.map_err(|_| gone())?;
        match self.clock.timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer.of(command),
            Ok(Err(_)) => Err(gone()),
            Err(_) => {
                if let Some(waiting) = self.line.waiting.lock().as_mut() {
                    waiting.remove(&id);
                }
                Err(QmpError::Silent { command: command.to_owned(), limit: PATIENCE })
            }
        }
    }

    /// Carries out a command of the monitor for people, which answers in words; what it does not like it says in words, too.
    ///
    /// # Errors
    /// As [`Qmp::execute`].
    pub async fn ask(&self, words: &str) -> Result<String, QmpError> {
        let answer = self.execute("human-monitor-command", json!({ "command-line": words })).await?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    /// What happens from now on. A follower that is 512 events behind misses some, and is told so.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.line.events.subscribe()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }
}

#[cfg(test)]
mod tests;
