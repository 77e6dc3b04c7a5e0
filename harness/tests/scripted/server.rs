//! Just enough HTTP to say what a script says.

use std::sync::{Arc, Mutex};

use field_clock::Clock;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Moment, State};

/// An answer.
pub(crate) enum Say {
    /// 200 with a document.
    Document(Value),
    /// 200 with a page.
    Page,
    /// 307 to there.
    Redirect(&'static str),
    /// This status.
    Code(u16),
    /// Nothing, and the connection ends.
    Refuse,
    /// Nothing, for ever.
    Hang,
    /// The task that serves it panics.
    Panic,
}

/// Serves on a free port; returns its URL.
pub(crate) async fn serve(
    clock: Clock,
    state: Arc<Mutex<State>>,
    say: impl Fn(&Moment, &str) -> Say + Clone + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (clock, state, say) = (clock.clone(), Arc::clone(&state), say.clone());
            tokio::spawn(async move { answer(stream, &clock, &state, say).await });
        }
    });
    url
}

async fn answer(
    mut stream: TcpStream,
    clock: &Clock,
    state: &Mutex<State>,
    say: impl Fn(&Moment, &str) -> Say,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    if path == "/api/status" && !head.to_ascii_lowercase().contains("\r\nauthorization:") {
        let refusal = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        // Who asked may have gone.
        let _ = stream.write_all(refusal.as_bytes()).await;
        return;
    }
    let moment = state.lock().unwrap().moment(clock.now());
    let (status, extra, body) = match say(&moment, &path) {
        Say::Document(document) => ("200 OK", String::new(), document.to_string()),
        Say::Page => ("200 OK", String::new(), "<h1>status</h1>".to_owned()),
        Say::Redirect(to) => ("307 Temporary Redirect", format!("Location: {to}\r\n"), String::new()),
        Say::Code(503) => ("503 Service Unavailable", String::new(), String::new()),
        Say::Code(code) => panic!("no text for {code}"),
        Say::Refuse => return,
        Say::Hang => std::future::pending().await,
        Say::Panic => panic!("the scripted service fell over"),
    };
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status}\r\n{extra}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    // Who asked may have gone.
    let _ = stream.write_all(answer.as_bytes()).await;
}
