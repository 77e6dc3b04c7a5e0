//! What a program finds where it is a process of its own: a resolver, standard output, memory that is really taken.

use std::io::{self, Write as _};

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

use crate::context::{Connector, LogLine, Memory};

/// How much memory is written to at a time.
const PAGE: usize = 4096;

/// The network of the machine, with names resolved as `/etc/resolv.conf` says.
///
/// A static program has no resolver of the C library's that it could rely on.
#[derive(Default)]
pub struct Resolved(OnceCell<TokioResolver>);

impl std::fmt::Debug for Resolved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Resolved")
    }
}

impl Resolved {
    async fn resolver(&self) -> io::Result<&TokioResolver> {
        let make =
            async || TokioResolver::builder_tokio().and_then(|it| it.build()).map_err(io::Error::other);
        self.0.get_or_try_init(make).await
    }
}

#[async_trait]
impl Connector for Resolved {
    async fn connect(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        if let Ok(address) = host.parse::<std::net::IpAddr>() {
            return TcpStream::connect((address, port)).await;
        }
        let found = self.resolver().await?.lookup_ip(host).await;
        let found = found.map_err(|error| io::Error::other(format!("lookup {host}: {error}")))?;
        let mut last = io::Error::other(format!("lookup {host}: no such host"));
        for address in found.iter() {
            match TcpStream::connect((address, port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Prints to standard output.
#[derive(Debug, Clone, Copy)]
pub struct Printed;

impl LogLine for Printed {
    fn line(&self, text: &str) {
        // Nobody can be told that nobody can be told anything.
        let _ = writeln!(io::stdout().lock(), "{text}");
    }
}

/// Memory that a program says it takes, really taken: whoever limits it sees it.
#[derive(Debug)]
pub struct Taken;

impl Taken {
    /// Takes what `memory` says, as it says it.
    pub async fn follow(memory: Memory) {
        let mut held: Vec<Vec<u8>> = Vec::new();
        let mut taken = memory.taken();
        loop {
            let wanted = usize::try_from(*taken.borrow_and_update()).unwrap_or(usize::MAX);
            let have: usize = held.iter().map(Vec::len).sum();
            if wanted > have {
                held.push(written(wanted - have));
            }
            if taken.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Memory counts when it is written to.
fn written(bytes: usize) -> Vec<u8> {
    let mut piece = vec![0; bytes];
    for page in piece.chunks_mut(PAGE) {
        page[0] = 1;
    }
    std::hint::black_box(piece)
}
