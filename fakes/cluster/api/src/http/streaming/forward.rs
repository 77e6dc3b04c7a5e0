//! Port-forwarding in channels: for each port one for its data and one for what went wrong.

use std::collections::HashMap;
use std::sync::Arc;

use futures::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use super::Socket;
use super::channels::message;
use crate::node::NodeAccess;

/// Whose ports are forwarded.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) node: Arc<dyn NodeAccess>,
    pub(super) namespace: String,
    pub(super) pod: String,
}

impl Target {
    /// A connection to a port.
    pub(super) async fn connect(&self, port: u16) -> Result<TcpStream, String> {
        self.node.connect(&self.namespace, &self.pod, port).await
    }
}

/// Forwards until the client goes.
pub(super) async fn run(mut socket: Socket, target: Target, ports: Vec<u16>) {
    let (answers, mut ready) = mpsc::channel::<Message>(64);
    let mut writers = HashMap::new();
    let mut tasks = tokio::task::JoinSet::new();
    for (at, port) in (0_u8..).step_by(2).zip(ports) {
        for channel in [at, at + 1] {
            let _ = socket.send(message(channel, &port.to_le_bytes())).await;
        }
        let (writer, data) = mpsc::unbounded_channel::<Vec<u8>>();
        writers.insert(at, writer);
        let (target, answers) = (target.clone(), answers.clone());
        tasks.spawn(async move {
            match target.connect(port).await {
                Ok(stream) => copy(stream, data, answers, at).await,
                Err(text) => drop(answers.send(message(at + 1, text.as_bytes())).await),
            }
        });
    }
    loop {
        tokio::select! {
            said = socket.next() => match said {
                Some(Ok(Message::Binary(data))) if !data.is_empty() => {
                    if let Some(writer) = writers.get(&data[0]) {
                        let _ = writer.send(data[1..].to_vec());
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            Some(answer) = ready.recv() => if socket.send(answer).await.is_err() { return },
        }
    }
}

async fn copy(
    stream: TcpStream,
    mut data: mpsc::UnboundedReceiver<Vec<u8>>,
    answers: mpsc::Sender<Message>,
    channel: u8,
) {
    let (mut from, mut to) = stream.into_split();
    let write = async {
        while let Some(piece) = data.recv().await {
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
    };
    let read = async {
        let mut buffer = vec![0; 32 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            if answers.send(message(channel, &buffer[..length])).await.is_err() {
                return;
            }
        }
    };
    tokio::select! { () = write => {} () = read => {} }
}
