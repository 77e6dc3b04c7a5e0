//! HTTP/1.1 between a client and the real service, one connection there for each one here.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::documents::Memory;
use crate::mutants::{Door, Mutant};

/// A head that is longer is nobody's who means well.
const LONGEST_HEAD: u64 = 64 * 1024;

/// The mutant's front.
pub(crate) struct Proxy {
    listener: TcpListener,
    behind: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    mutant: &'static Mutant,
    token: String,
    memory: Mutex<Memory>,
}

/// A request's or a response's first lines.
struct Head {
    lines: Vec<String>,
}

impl Proxy {
    pub(crate) async fn bind(
        known: SocketAddr,
        behind: SocketAddr,
        mutant: &'static Mutant,
        token: String,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(known).await?;
        let shared = Arc::new(Shared { mutant, token, memory: Mutex::default() });
        Ok(Self { listener, behind, shared })
    }

    /// Takes connections for ever.
    pub(crate) async fn serve(self) -> io::Result<()> {
        loop {
            let (client, _) = self.listener.accept().await?;
            let (behind, shared) = (self.behind, Arc::clone(&self.shared));
            // A client that hangs up has no answer to miss; a service that is not there yet answers nobody.
            tokio::spawn(async move { drop(shared.converse(client, behind).await) });
        }
    }
}

impl Shared {
    async fn converse(&self, client: TcpStream, behind: SocketAddr) -> io::Result<()> {
        let service = TcpStream::connect(behind).await?;
        client.set_nodelay(true)?;
        service.set_nodelay(true)?;
        let (mut client, mut service) = (BufReader::new(client), BufReader::new(service));
        while let Some(mut request) = Head::read(&mut client).await? {
            let body = request.body(&mut client).await?;
            if !self.opens(&mut service).await? {
                return Ok(());
            }
            if self.mutant.door == Door::Open && request.path() == "/api/status" {
                request.set("authorization", &format!("Bearer {}", self.token));
            }
            if self.mutant.door == Door::Closed && request.path().starts_with("/api/") {
                request.set("authorization", "Bearer wrong");
            }
            service.write_all(&request.bytes(&body)).await?;
            let Some(mut response) = Head::read(&mut service).await? else { return Ok(()) };
            let Some(body) = response.answer(&request, &mut service).await? else {
                // A stream: whatever comes goes through.
                client.write_all(&response.bytes(&[])).await?;
                client.write_all(service.buffer()).await?;
                copy_bidirectional(client.get_mut(), service.get_mut()).await?;
                return Ok(());
            };
            let body = self.change(&request, &mut response, body);
            client.write_all(&response.bytes(&body)).await?;
        }
        Ok(())
    }

    /// Whether anybody is let in by now.
    async fn opens(&self, service: &mut BufReader<TcpStream>) -> io::Result<bool> {
        let Door::Late { seconds } = self.mutant.door else { return Ok(true) };
        let request = Head::of(&[
            "GET /api/status HTTP/1.1",
            "host: mutant",
            &format!("authorization: Bearer {}", self.token),
        ]);
        service.write_all(&request.bytes(&[])).await?;
        let Some(response) = Head::read(service).await? else { return Ok(false) };
        let body = response.answer(&request, service).await?.unwrap_or_default();
        let document = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.keep(&document);
        Ok(memory.age() >= seconds)
    }

    fn change(&self, request: &Head, response: &mut Head, body: Vec<u8>) -> Vec<u8> {
        if self.mutant.door == Door::NoPage && request.path() == "/" {
            response.lines[0] = "HTTP/1.1 404 Not Found".to_owned();
        }
        if request.path() != "/api/status" || response.code() != Some(200) {
            return body;
        }
        let Ok(document) = serde_json::from_slice::<Value>(&body) else { return body };
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.keep(&document);
        let Some(say) = self.mutant.say else { return body };
        let body = say(&mut memory, document).to_string().into_bytes();
        response.set("content-length", &body.len().to_string());
        body
    }
}

impl Head {
    fn of(lines: &[&str]) -> Self {
        Self { lines: lines.iter().map(|line| (*line).to_owned()).collect() }
    }

    /// Nothing where the other side has hung up.
    async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let mut lines = Vec::new();
        let mut stream = stream.take(LONGEST_HEAD);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(None);
            }
            let line = line.trim_end_matches(['\r', '\n']);
            if line.is_empty() {
                return Ok((!lines.is_empty()).then_some(Self { lines }));
            }
            lines.push(line.to_owned());
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let fields = self.lines.iter().skip(1).filter_map(|line| line.split_once(':'));
        fields.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }

    fn set(&mut self, name: &str, value: &str) {
        self.lines
            .retain(|line| line.split_once(':').is_none_or(|(known, _)| !known.eq_ignore_ascii_case(name)));
        self.lines.push(format!("{name}: {value}"));
    }

    fn word(&self, index: usize) -> &str {
        self.lines[0].split(' ').nth(index).unwrap_or_default()
    }

    /// Of a request, without its query.
    fn path(&self) -> &str {
        self.word(1).split('?').next().unwrap_or_default()
    }

    fn code(&self) -> Option<u16> {
        self.word(1).parse().ok()
    }

    fn length(&self) -> Option<usize> {
        self.header("content-length").and_then(|length| length.parse().ok())
    }

    async fn body(&self, stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
        let mut body = vec![0; self.length().unwrap_or(0)];
        stream.read_exact(&mut body).await?;
        Ok(body)
    }

    /// A response's body; nothing where it has no length.
    async fn answer(&self, request: &Self, stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
        let empty = request.word(0) == "HEAD" || matches!(self.code(), Some(100..=199 | 204 | 304));
        if empty {
            return Ok(Some(Vec::new()));
        }
        if self.length().is_none() {
            return Ok(None);
        }
        self.body(stream).await.map(Some)
    }

    fn bytes(&self, body: &[u8]) -> Vec<u8> {
        let mut bytes = self.lines.join("\r\n").into_bytes();
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(body);
        bytes
    }
}
