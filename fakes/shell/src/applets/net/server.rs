//! `httpd`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};

use super::super::Done;
use super::super::options::Options;
use crate::descriptor::{Descriptor, strerror};
use crate::process::Process;

/// How long a request's head may be.
const LONGEST_HEAD: usize = 16 << 10;

/// Runs `httpd`.
pub(in super::super) async fn httpd(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "httpd", "fivp:u:r:c:h:e:m:d:", args).await?;
    let home = options.value('h').unwrap_or(".").to_owned();
    match process.files().find(&process.cwd, &home, crate::files::Follow::Yes) {
        Ok(place) if place.host.is_dir() => {}
        Ok(_) => {
            process
                .complain(&format!("httpd: can't change directory to '{home}': No such file or directory"))
                .await;
            return Ok(1);
        }
        Err(error) => {
            process
                .complain(&format!("httpd: can't change directory to '{home}': {}", strerror(&error)))
                .await;
            return Ok(1);
        }
    }
    let port = options.value('p').map_or("80", |port| port.rsplit(':').next().unwrap_or(port));
    let Ok(port) = port.parse::<u16>() else {
        process.complain(&format!("httpd: invalid number '{port}'")).await;
        return Ok(1);
    };
    let listener = match TcpListener::bind((process.world.ip, port)).await {
        Ok(listener) => listener,
        Err(error) => {
            process.complain(&format!("httpd: bind: {}", strerror(&error))).await;
            return Ok(1);
        }
    };
    let (verbose, foreground) = (options.count('v'), options.has('f'));
    let serve = |process: Process| async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { return 1 };
            let (child, home) = (process.fork(), home.clone());
            child.start("httpd".into(), |child| {
                Box::pin(async move {
                    answer(&child, &home, stream, verbose).await;
                    0
                })
            });
        }
    };
    let server = process.fork();
    if foreground {
        return Ok(serve(server).await);
    }
    server.start("httpd".into(), |server| Box::pin(serve(server)));
    Ok(0)
}

async fn answer(process: &Process, home: &str, stream: TcpStream, verbose: usize) {
    let peer = stream.peer_addr().map(shown).unwrap_or_default();
    let socket = Descriptor::Socket(Arc::new(stream));
    let mut head = Vec::new();
    let mut buffer = vec![0; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") && head.len() < LONGEST_HEAD {
        match socket.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(length) => head.extend_from_slice(&buffer[..length]),
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.lines().next().unwrap_or("").split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    if method.is_empty() {
        return;
    }
    let path = target.split('?').next().unwrap_or("");
    let (code, kind, body) = match method {
        "GET" | "HEAD" => page(process, home, path),
        _ => (501, "text/html", error_page(501)),
    };
    if verbose > 0 {
        let known = if verbose > 1 { format!("url:{target}") } else { String::new() };
        if !known.is_empty() {
            process.complain(&format!("{peer}: {known}")).await;
        }
        process.complain(&format!("{peer}: response:{code}")).await;
    }
    let date = process
        .clock()
        .now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    let mut reply = format!(
        "HTTP/1.1 {code} {}\r\nDate: {date}\r\nConnection: close\r\nContent-type: {kind}\r\n",
        reason(code)
    );
    if code == 200 {
        reply.push_str(&format!("Accept-Ranges: bytes\r\nContent-length: {}\r\n", body.len()));
    }
    reply.push_str("\r\n");
    let mut reply = reply.into_bytes();
    if method != "HEAD" {
        reply.extend_from_slice(&body);
    }
    // The other side may be gone; that is its affair.
    let _ = socket.write(&reply).await;
}

/// It listens on an IPv6 socket, to which an IPv4 peer is a mapped one.
fn shown(peer: SocketAddr) -> String {
    match peer.ip() {
        IpAddr::V4(ip) => format!("[::ffff:{ip}]:{}", peer.port()),
        IpAddr::V6(_) => peer.to_string(),
    }
}

fn page(process: &Process, home: &str, path: &str) -> (u16, &'static str, Vec<u8>) {
    let path = decoded(path);
    if !path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return (400, "text/html", error_page(400));
    }
    let wanted =
        if path.ends_with('/') { format!("{home}{path}index.html") } else { format!("{home}{path}") };
    match process.files().metadata(&process.cwd, &wanted) {
        Ok(found) if found.is_file() => match process.files().read(&process.cwd, &wanted) {
            Ok(body) => (200, media_type(&wanted), body),
            Err(_) => (404, "text/html", error_page(404)),
        },
        Ok(found) if found.is_dir() => (302, "text/html", error_page(302)),
        _ => (404, "text/html", error_page(404)),
    }
}

fn decoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%').then(|| path.get(at + 1..at + 3)).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or("") {
        "html" | "htm" => "text/html",
        "txt" | "c" | "h" => "text/plain",
        "css" => "text/css",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        _ => "application/octet-stream",
    }
}

fn reason(code: u16) -> &'static str {
    match code {
        200 => "OK",
        302 => "Found",
        400 => "Bad Request",
        404 => "Not Found",
        _ => "Not Implemented",
    }
}

fn error_page(code: u16) -> Vec<u8> {
    let text = match code {
        404 => "The requested URL was not found",
        400 => "Unsupported method",
        501 => "The requested method is not recognized",
        _ => "",
    };
    let name = reason(code);
    format!("<HTML><HEAD><TITLE>{code} {name}</TITLE></HEAD>\n<BODY><H1>{code} {name}</H1>\n{text}\n</BODY></HTML>\n")
        .into_bytes()
}
