//! The smallest GET: enough to read a status.

use std::io;
use std::net::{IpAddr, SocketAddr};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::dns::{DialError, connect_from, errno_text};

const LONGEST_HEAD: usize = 64 << 10;

/// Asks for a path and returns the status, or what went wrong in Go's words.
pub(super) async fn get(
    from: IpAddr,
    actual: SocketAddr,
    known: SocketAddr,
    path: &str,
    action: &Value,
) -> Result<u16, String> {
    let mut stream = connect_from(from, actual)
        .await
        .map_err(|error| DialError::Connect { address: known, kind: error.kind() }.to_string())?;
    let route =
        stream.local_addr().map_or_else(|_| format!("->{known}"), |local| format!("{local}->{known}"));
    let broken = |error: &io::Error| format!("read tcp {route}: read: {}", errno_text(error.kind()));
    let request = request(known, path, action);
    stream.write_all(request.as_bytes()).await.map_err(|error| broken(&error))?;
    let head = read_head(&mut stream).await.map_err(|error| broken(&error))?;
    match head.first() {
        None => Err("EOF".to_owned()),
        Some(_) => status(&head).ok_or_else(|| {
            let shown = String::from_utf8_lossy(&head[..head.len().min(20)]).into_owned();
            format!("net/http: HTTP/1.x transport connection broken: malformed HTTP response {shown:?}")
        }),
    }
}

fn request(known: SocketAddr, path: &str, action: &Value) -> String {
    let headers = || action["httpHeaders"].as_array().into_iter().flatten();
    let named =
        |name: &str| headers().any(|h| h["name"].as_str().is_some_and(|n| n.eq_ignore_ascii_case(name)));
    let mut text = format!("GET {path} HTTP/1.1\r\n");
    for (name, value) in
        [("Host", known.to_string()), ("User-Agent", "kube-probe/1.34".into()), ("Accept", "*/*".into())]
    {
        if !named(name) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    for header in headers() {
        text.push_str(&format!(
            "{}: {}\r\n",
            header["name"].as_str().unwrap_or(""),
            header["value"].as_str().unwrap_or("")
        ));
    }
    text.push_str("Connection: close\r\n\r\n");
    text
}

async fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(2).any(|pair| pair == b"\r\n") && head.len() < LONGEST_HEAD {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            break;
        }
        head.extend_from_slice(&buffer[..length]);
    }
    Ok(head)
}

fn status(head: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(head.split(|byte| *byte == b'\r').next()?).ok()?;
    line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::status;

    #[test]
    fn a_status_line_is_read_and_nonsense_is_not() {
        assert_eq!(status(b"HTTP/1.1 404 Not Found\r\nx: y\r\n"), Some(404));
        assert_eq!(status(b"SSH-2.0-x\r\n"), None);
    }
}
