//! `wget`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::super::options::{Options, usage};
use super::super::{Done, Fault};
use super::resolve;
use crate::descriptor::{Descriptor, strerror};
use crate::files::Open;
use crate::process::Process;

/// How often a redirection is followed.
const MOST_REDIRECTS: usize = 10;

struct Url {
    host: String,
    port: u16,
    path: String,
}

fn parse(text: &str) -> Result<Url, String> {
    let rest = match text.split_once("://") {
        Some(("http", rest)) => rest,
        Some(("https", _)) => return Err("note: TLS certificate validation not implemented".into()),
        Some((_, _)) => return Err(format!("not an http or ftp url: {text}")),
        None => text,
    };
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| format!("bad port '{port}'"))?),
        None => (authority, 80),
    };
    Ok(Url { host: host.to_owned(), port, path: path.to_owned() })
}

/// Long options that have a letter.
fn shortened(args: &[String]) -> Vec<String> {
    let mut short = Vec::new();
    for arg in args {
        let (name, value) = arg.split_once('=').map_or((arg.as_str(), None), |(n, v)| (n, Some(v)));
        let letter = match name {
            "--quiet" => "-q",
            "--spider" => "-z",
            "--output-document" => "-O",
            "--timeout" => "-T",
            "--header" => "-H",
            "--post-data" => "-d",
            "--no-check-certificate" => continue,
            "--server-response" => "-S",
            _ => {
                short.push(arg.clone());
                continue;
            }
        };
        short.push(letter.to_owned());
        short.extend(value.map(str::to_owned));
    }
    short
}

/// Runs `wget`.
pub(in super::super) async fn wget(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "wget", "qcSzO:o:P:T:t:U:Y:H:d:", &shortened(args)).await?;
    let Some(target) = options.rest.first() else { return Err(usage(process, "wget").await) };
    let mut target = target.clone();
    let within = options
        .value('T')
        .and_then(|text| text.parse().ok())
        .map_or(Duration::from_secs(900), Duration::from_secs);
    for _ in 0..=MOST_REDIRECTS {
        let url = match parse(&target) {
            Ok(url) => url,
            Err(text) => return failed(process, &text).await,
        };
        let fetched = process.clock().timeout(within, fetch(process, &options, &url)).await;
        match fetched.unwrap_or(Err("download timed out".into())) {
            Err(text) => return failed(process, &text).await,
            Ok(Fetched::Redirect(to)) => {
                target =
                    if to.starts_with('/') { format!("http://{}:{}{to}", url.host, url.port) } else { to };
            }
            Ok(Fetched::Body(body)) => return store(process, &options, &url, body).await,
        }
    }
    failed(process, "too many redirections").await
}

async fn failed(process: &Process, text: &str) -> Done {
    process.complain(&format!("wget: {text}")).await;
    Ok(1)
}

enum Fetched {
    Body(Vec<u8>),
    Redirect(String),
}

async fn fetch(process: &Process, options: &Options, url: &Url) -> Result<Fetched, String> {
    let Some(ip) = resolve(process, &url.host).await else {
        return Err(format!("bad address '{}'", url.host));
    };
    let address = SocketAddr::new(ip, url.port);
    if !options.has('q') {
        process.complain(&format!("Connecting to {}:{} ({address})", url.host, url.port)).await;
    }
    let stream = process
        .world
        .network
        .connect_to(address)
        .await
        .map_err(|error| format!("can't connect to remote host ({ip}): {}", strerror(&error)))?;
    let socket = Descriptor::Socket(Arc::new(stream));
    let host = if url.port == 80 { url.host.clone() } else { format!("{}:{}", url.host, url.port) };
    let method = if options.has('d') { "POST" } else { "GET" };
    let mut request = format!(
        "{method} {} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Wget\r\nConnection: close\r\n",
        url.path
    );
    for header in options.values('H') {
        request.push_str(&format!("{header}\r\n"));
    }
    if let Some(data) = options.value('d') {
        request.push_str(&format!(
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{data}",
            data.len()
        ));
    } else {
        request.push_str("\r\n");
    }
    socket
        .write(request.as_bytes())
        .await
        .map_err(|error| format!("error getting response: {}", strerror(&error)))?;
    let mut all = Vec::new();
    let mut buffer = vec![0; 8192];
    loop {
        match socket.read(&mut buffer).await {
            Ok(0) => break,
            Ok(length) => all.extend_from_slice(&buffer[..length]),
            Err(error) if all.is_empty() => {
                return Err(format!("error getting response: {}", strerror(&error)));
            }
            Err(_) => break,
        }
        if let Some((head, body)) = parts(&all)
            && header(&head, "content-length")
                .and_then(|n| n.parse::<usize>().ok())
                .is_some_and(|n| body.len() >= n)
        {
            break;
        }
    }
    let Some((head, body)) = parts(&all) else { return Err("error getting response".into()) };
    let first = head.lines().next().unwrap_or("").trim_end();
    if options.has('S') {
        process.complain(&head.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")).await;
    }
    let code = first.split(' ').nth(1).unwrap_or("");
    match code {
        "300" | "301" | "302" | "303" => match header(&head, "location") {
            Some(to) => Ok(Fetched::Redirect(to)),
            None => Err(format!("server returned error: {first}")),
        },
        code if code.starts_with('2') => {
            let chunked = header(&head, "transfer-encoding").is_some_and(|e| e.contains("chunked"));
            Ok(Fetched::Body(if chunked { unchunked(body) } else { body.to_vec() }))
        }
        _ if first.is_empty() => Err("error getting response".into()),
        _ => Err(format!("server returned error: {first}")),
    }
}

fn parts(all: &[u8]) -> Option<(String, &[u8])> {
    let end = all.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((String::from_utf8_lossy(&all[..end]).into_owned(), &all[end + 4..]))
}

fn header(head: &str, name: &str) -> Option<String> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let length = String::from_utf8_lossy(&body[..end]);
        let length = usize::from_str_radix(length.split(';').next().unwrap_or("").trim(), 16).unwrap_or(0);
        let chunk = &body[end + 2..];
        if length == 0 || chunk.len() < length {
            out.extend_from_slice(&chunk[..length.min(chunk.len())]);
            break;
        }
        out.extend_from_slice(&chunk[..length]);
        body = chunk.get(length + 2..).unwrap_or_default();
    }
    out
}

async fn store(process: &Process, options: &Options, url: &Url, body: Vec<u8>) -> Result<i32, Fault> {
    if options.has('z') {
        if !options.has('q') {
            process.complain("remote file exists").await;
        }
        return Ok(0);
    }
    let name = url.path.split('?').next().unwrap_or("").rsplit('/').next().filter(|name| !name.is_empty());
    let path = options.value('O').unwrap_or(name.unwrap_or("index.html"));
    if path == "-" {
        process.out(&body).await?;
        return Ok(0);
    }
    match crate::shell_descriptor(process, path, Open::Write) {
        Ok(file) => file.write(&body).await?,
        Err(error) => return failed(process, &format!("can't open '{path}': {}", strerror(&error))).await,
    }
    if !options.has('q') {
        process.complain(&format!("saving to '{path}'\n'{path}' saved")).await;
    }
    Ok(0)
}
