//! Port-forwarding as kubectl does it: SPDY inside a WebSocket, two streams for each connection.

use std::collections::HashMap;

use futures::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use super::Socket;
use super::forward::Target;
use super::spdy::{Frame, Reader, Writer, data, end, pong};

/// One piece of what a client writes; nothing at its end.
type Piece = Option<Vec<u8>>;

/// A connection's two streams, by the client's number for it.
#[derive(Default)]
struct Pair {
    error: Option<u32>,
    data: Option<(u32, mpsc::UnboundedReceiver<Piece>)>,
}

struct Tunnel {
    target: Target,
    answers: mpsc::Sender<Vec<u8>>,
    writer: Writer,
    pairs: HashMap<String, Pair>,
    inputs: HashMap<u32, mpsc::UnboundedSender<Piece>>,
    tasks: tokio::task::JoinSet<()>,
}

/// Forwards until the client goes.
pub(super) async fn run(mut socket: Socket, target: Target) {
    let (answers, mut ready) = mpsc::channel(64);
    let mut reader = Reader::new();
    let mut tunnel = Tunnel {
        target,
        answers,
        writer: Writer::new(),
        pairs: HashMap::new(),
        inputs: HashMap::new(),
        tasks: tokio::task::JoinSet::new(),
    };
    loop {
        tokio::select! {
            said = socket.next() => match said {
                Some(Ok(Message::Binary(bytes))) => reader.add(&bytes),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
            Some(answer) = ready.recv() => {
                if socket.send(Message::Binary(answer.into())).await.is_err() {
                    return;
                }
                continue;
            }
        }
        loop {
            match reader.next() {
                Ok(None) => break,
                Ok(Some(Frame::GoAway)) => return,
                Err(problem) => {
                    tracing::debug!(%problem, "forward a port");
                    return;
                }
                Ok(Some(frame)) => {
                    if let Some(answer) = tunnel.take(frame)
                        && socket.send(Message::Binary(answer.into())).await.is_err()
                    {
                        return;
                    }
                }
            }
        }
    }
}

impl Tunnel {
    /// Acts on a frame; the answer goes out at once.
    fn take(&mut self, frame: Frame) -> Option<Vec<u8>> {
        match frame {
            Frame::Open { stream, headers } => {
                self.open(stream, &headers);
                Some(self.writer.reply(stream))
            }
            Frame::Data { stream, data, last } => {
                if let Some(input) = self.inputs.get(&stream) {
                    let _ = input.send(Some(data));
                    if last {
                        let _ = input.send(None);
                        self.inputs.remove(&stream);
                    }
                }
                None
            }
            Frame::Reset { stream } => {
                self.inputs.remove(&stream);
                None
            }
            // Odd numbers are the client's questions, even ones would be answers to ours.
            Frame::Ping { id } => (id % 2 == 1).then(|| pong(id)),
            Frame::GoAway | Frame::Other => None,
        }
    }

    fn open(&mut self, stream: u32, headers: &[(String, String)]) {
        let header = |wanted: &str| {
            let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map_or("", |(_, value)| value.as_str())
        };
        let id = header("requestID").to_owned();
        let pair = self.pairs.entry(id.clone()).or_default();
        if header("streamType") == "error" {
            pair.error = Some(stream);
        } else {
            let (input, pieces) = mpsc::unbounded_channel();
            self.inputs.insert(stream, input);
            pair.data = Some((stream, pieces));
        }
        let complete = pair.error.is_some() && pair.data.is_some();
        if let Some(Pair { error: Some(error), data: Some((stream, pieces)) }) =
            complete.then(|| self.pairs.remove(&id)).flatten()
        {
            let port = header("port").parse().unwrap_or(0);
            let connection = Connection { stream, error, answers: self.answers.clone() };
            self.tasks.spawn(connection.run(self.target.clone(), port, pieces));
        }
    }
}

/// One forwarded connection.
struct Connection {
    stream: u32,
    error: u32,
    answers: mpsc::Sender<Vec<u8>>,
}

impl Connection {
    async fn run(self, target: Target, port: u16, pieces: mpsc::UnboundedReceiver<Piece>) {
        match target.connect(port).await {
            Ok(stream) => self.copy(stream, pieces).await,
            Err(text) => {
                let _ = self.answers.send(data(self.error, text.as_bytes())).await;
            }
        }
        for stream in [self.error, self.stream] {
            let _ = self.answers.send(end(stream)).await;
        }
    }

    async fn copy(&self, stream: tokio::net::TcpStream, mut pieces: mpsc::UnboundedReceiver<Piece>) {
        let (mut from, mut to) = stream.into_split();
        let write = async {
            while let Some(Some(piece)) = pieces.recv().await {
                if to.write_all(&piece).await.is_err() {
                    break;
                }
            }
            let _ = to.shutdown().await;
        };
        let read = async {
            let mut buffer = vec![0; 32 * 1024];
            while let Ok(length @ 1..) = from.read(&mut buffer).await {
                if self.answers.send(data(self.stream, &buffer[..length])).await.is_err() {
                    return;
                }
            }
        };
        tokio::pin!(read);
        tokio::select! {
            () = &mut read => return,
            () = write => {}
        }
        read.await;
    }
}
