//! The task that reads what a monitor says, and hands it to whom it is for.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::broadcast;

use super::message::{Answer, Event, Message};
use super::{QmpError, Waiting};

/// The next line.
pub(super) async fn line(lines: &mut BufReader<OwnedReadHalf>) -> Result<String, QmpError> {
    let mut text = String::new();
    if lines.read_line(&mut text).await? == 0 {
        return Err(QmpError::Io(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(text)
}

/// Reads to the end of the line; commands that wait then learn that the monitor is gone.
pub(super) async fn read(
    mut lines: BufReader<OwnedReadHalf>,
    waiting: Arc<Waiting>,
    events: broadcast::Sender<Event>,
) {
    while let Ok(text) = line(&mut lines).await {
        match serde_json::from_str(&text) {
            Ok(Message::Done { id, value }) => answer(&waiting, id, Answer(Ok(value))),
            Ok(Message::Refused { id, error }) => answer(&waiting, id, Answer(Err(error))),
            // Nobody may be following.
            Ok(Message::Event(event)) => drop(events.send(event)),
            Err(error) => tracing::warn!(%error, text, "a monitor says what no monitor says"),
        }
    }
    waiting.lock().take();
}

fn answer(waiting: &Waiting, id: Option<u64>, answer: Answer) {
    let sender = id.and_then(|id| waiting.lock().as_mut()?.remove(&id));
    if let Some(sender) = sender {
        // Who asked may have stopped waiting.
        let _ = sender.send(answer);
    }
}
