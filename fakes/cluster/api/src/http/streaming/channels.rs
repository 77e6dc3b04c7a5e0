//! `v4.channel.k8s.io` and `v5.channel.k8s.io`: the first byte of each message says which stream it is of.

use bytes::{BufMut as _, Bytes, BytesMut};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::Mutex;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::Socket;
use crate::node::{Ended, Session, Streams};

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
const CLOSE: u8 = 255;
/// What a stream holds before its writer waits.
const ROOM: usize = 64 * 1024;

type Sender = Mutex<SplitSink<Socket, Message>>;

/// Runs a session over a socket; when the client goes, the session is dropped.
pub(super) async fn run(socket: Socket, _: &'static str, session: Session, stdin: bool) {
    let (sender, mut receiver) = socket.split();
    let sender = Mutex::new(sender);
    let ((input, their_input), (out, their_out), (err, their_err)) =
        (duplex(ROOM), duplex(ROOM), duplex(ROOM));
    let input = stdin.then_some(input);
    let streams =
        Streams { stdin: Box::new(their_input), stdout: Box::new(their_out), stderr: Box::new(their_err) };
    let work = async {
        let (ended, (), ()) =
            tokio::join!(session(streams), pump(STDOUT, out, &sender), pump(STDERR, err, &sender));
        send(&sender, ERROR, status(&ended).to_string().as_bytes()).await;
        let farewell = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        let _ = sender.lock().await.send(Message::Close(Some(farewell))).await;
    };
    tokio::select! {
        () = work => {}
        () = feed(&mut receiver, input) => return,
    }
    // The client answers the farewell; what else it says is of no interest.
    while let Some(Ok(_)) = receiver.next().await {}
}

/// One message of a channel.
pub(super) fn message(channel: u8, data: &[u8]) -> Message {
    let mut framed = BytesMut::with_capacity(data.len() + 1);
    framed.put_u8(channel);
    framed.extend_from_slice(data);
    Message::Binary(framed.freeze())
}

async fn send(sender: &Sender, channel: u8, data: &[u8]) {
    let _ = sender.lock().await.send(message(channel, data)).await;
}

async fn pump(channel: u8, mut from: DuplexStream, sender: &Sender) {
    let mut buffer = vec![0; 32 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        send(sender, channel, &buffer[..length]).await;
    }
}

/// Hands on what the client writes, until it is gone.
async fn feed(receiver: &mut SplitStream<Socket>, mut input: Option<DuplexStream>) {
    while let Some(Ok(message)) = receiver.next().await {
        let data: Bytes = match message {
            Message::Binary(data) => data,
            Message::Close(_) => return,
            _ => continue,
        };
        match data.first() {
            Some(&STDIN) => {
                if let Some(stdin) = &mut input
                    && stdin.write_all(&data[1..]).await.is_err()
                {
                    input = None;
                }
            }
            Some(&CLOSE) if data.get(1) == Some(&STDIN) => input = None,
            _ => {}
        }
    }
}

/// What the client is told about the end.
fn status(ended: &Ended) -> Value {
    match ended {
        Ok(0) => json!({"metadata": {}, "status": "Success"}),
        Ok(code) => json!({
            "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
            "message": format!("command terminated with non-zero exit code: exit status {code}"),
            "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
        }),
        Err(error) => error.status(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_is_told_as_a_cause() {
        assert_eq!(status(&Ok(0))["status"], "Success");
        let failed = status(&Ok(3));
        assert_eq!(failed["details"]["causes"][0], json!({"reason": "ExitCode", "message": "3"}));
        assert_eq!(status(&Err(crate::ApiError::internal("no")))["code"], 500);
    }
}
