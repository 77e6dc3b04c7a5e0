//! Status services that lie, to show that the harness catches them: a stand-in for `smoke run --status-command`.
//!
//! ```text
//! lying_status healthy        says that everything is healthy, from its first breath on
//! lying_status silent         accepts connections and never answers
//! lying_status late SECONDS   says the same as `healthy`, each answer this much later
//! ```
//! Its place and its token come from `STATUS_LISTEN` and `STATUS_TOKEN`, as a status service's do.

use std::env;
use std::io::{self, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// A head that is longer is nobody's who means well.
const MOST_LINES: usize = 100;

/// How it lies.
#[derive(Clone, Copy)]
enum Lie {
    Healthy,
    Silent,
    Late(Duration),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let served = match lie(&arguments) {
        Some(lie) => serve(lie),
        None => Err(io::Error::other("usage: lying_status healthy | silent | late SECONDS")),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A closed standard error is nobody's problem.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn lie(arguments: &[String]) -> Option<Lie> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["healthy"] => Some(Lie::Healthy),
        ["silent"] => Some(Lie::Silent),
        ["late", seconds] => {
            seconds.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok()).map(Lie::Late)
        }
        _ => None,
    }
}

fn serve(lie: Lie) -> io::Result<()> {
    let listen = env::var("STATUS_LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let token = env::var("STATUS_TOKEN").unwrap_or_default();
    let listener = TcpListener::bind(&listen)?;
    let mut silenced = Vec::new();
    for stream in listener.incoming() {
        let stream = stream?;
        let token = token.clone();
        let delay = match lie {
            Lie::Healthy => None,
            Lie::Late(delay) => Some(delay),
            Lie::Silent => {
                // An open connection without an answer; a closed one would be an answer.
                silenced.push(stream);
                continue;
            }
        };
        // A client that hangs up has no answer to miss.
        thread::spawn(move || drop(converse(&stream, &token, delay)));
    }
    Ok(())
}

/// Answers one request after the other.
fn converse(stream: &TcpStream, token: &str, delay: Option<Duration>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_head(&mut reader)? {
        if let Some(delay) = delay {
            wait(delay);
        }
        let (status, kind, body) = answer(&request, token);
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
        let mut out = stream;
        out.write_all(head.as_bytes())?;
        if !request.head_only {
            out.write_all(body.as_bytes())?;
        }
    }
    Ok(())
}

/// What matters of a request.
struct Request {
    head_only: bool,
    target: String,
    authorization: String,
}

fn read_head(reader: &mut impl io::BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let head_only = words.next() == Some("HEAD");
    let target = words.next().unwrap_or("/").to_owned();
    let mut authorization = String::new();
    for _ in 0..MOST_LINES {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            return Ok(Some(Request { head_only, target, authorization }));
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("authorization")
        {
            value.trim().clone_into(&mut authorization);
        }
    }
    Ok(None)
}

fn answer(request: &Request, token: &str) -> (&'static str, &'static str, String) {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let known = request.authorization == format!("Bearer {token}") || query == format!("token={token}");
    match path {
        "/healthz" => ("200 OK", "text/plain", "ok\n".to_owned()),
        "/" => ("200 OK", "text/html", page()),
        "/api/status" if known => ("200 OK", "application/json", document()),
        "/api/status" => ("401 Unauthorized", "application/json", "{\"error\":\"unauthorized\"}".to_owned()),
        _ => ("404 Not Found", "application/json", "{\"error\":\"not found\"}".to_owned()),
    }
}

fn page() -> String {
    "<!doctype html><title>Appliance status</title><h1>All selected services are healthy.</h1>\n".to_owned()
}

/// A whole status document in which nothing is wrong.
fn document() -> String {
    DOCUMENT.replace("HOST", &env::var("HOST_IP").unwrap_or_else(|_| "127.0.0.1".to_owned()))
}

/// Waits without anything that a clock of the harness would have to know of: nobody sends, and the wait ends.
fn wait(delay: Duration) {
    let (_nobody, never) = mpsc::channel::<()>();
    assert_eq!(never.recv_timeout(delay), Err(RecvTimeoutError::Timeout), "nobody sends");
}

const DOCUMENT: &str = r#"{
  "service": "appliance-status", "status": "fully_healthy", "siteId": "appliance", "timestamp": "2026-01-01T00:00:00Z",
  "release": {
    "selectedReleaseVersion": "1.0-rc5", "appVersion": "1.0-rc5", "channel": "candidate", "selectedChannel": "candidate",
    "sourceRevision": null, "manifestDigest": null, "registryHost": null, "repository": null
  },
  "urls": { "statusUrl": "http://HOST:8080", "loginUrl": "http://HOST:3000" }, "loginUrl": "http://HOST:3000",
  "rollup": { "state": "fully_healthy", "message": "All selected services are healthy.", "nextAction": "" },
  "currentPhase": "fully_healthy", "nextAction": "",
  "tiers": {
    "platform": { "ready": true, "status": "healthy" }, "core": { "ready": true, "status": "healthy" },
    "bootstrap": { "ready": true, "status": "healthy" }, "login": { "ready": true, "status": "healthy" },
    "background": { "ready": true, "status": "healthy" }, "fullHealth": { "ready": true, "status": "healthy" }
  },
  "topBlockers": [], "activeOperations": [],
  "components": [
    { "name": "alga-core", "tier": "login", "ready": true, "status": "healthy", "message": "Ready", "namespace": "msp" },
    { "name": "db", "tier": "core", "ready": true, "status": "healthy", "message": "Ready", "namespace": "msp" },
    { "name": "redis", "tier": "core", "ready": true, "status": "healthy", "message": "Ready", "namespace": "msp" },
    { "name": "pgbouncer", "tier": "core", "ready": true, "status": "healthy", "message": "Ready", "namespace": "msp" },
    { "name": "temporal", "tier": "background", "ready": true, "status": "healthy", "message": "Ready", "namespace": "msp" },
    { "name": "temporal-ui", "tier": "background", "ready": true, "status": "healthy", "message": "Ready", "namespace": "msp" },
    { "name": "workflow-worker", "tier": "background", "ready": true, "status": "healthy", "message": "Ready", "namespace": "msp" },
    { "name": "email-service", "tier": "background", "ready": true, "status": "healthy", "message": "Ready", "namespace": "msp" },
    { "name": "temporal-worker", "tier": "background", "ready": true, "status": "healthy", "message": "Ready", "namespace": "msp" }
  ],
  "bootstrap": {
    "job": { "state": "complete", "completed": true, "failed": false, "name": "alga-core-sebastian-bootstrap" },
    "logs": { "available": false, "pod": null, "container": null, "tail": [], "detectedErrors": [] },
    "seed": { "usersCount": 1 }
  },
  "recentEvents": [],
  "loginProbe": { "checked": true, "reachable": true, "statusCode": 307, "location": "/msp/dashboard" }
}
"#;
