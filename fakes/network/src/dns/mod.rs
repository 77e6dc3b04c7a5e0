//! A DNS server that answers from a zone, or wrongly, as it is told.

mod answer;
mod control;
mod fault;
mod listen;
mod receipt;
mod zone;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use field_clock::Clock;

pub use control::DnsControl;
pub use fault::{DnsEffect, DnsFault};
pub use receipt::{DnsOutcome, DnsReceipt};
pub use zone::{Otherwise, Zone};

use crate::door::{Door, Opener};
use crate::fault::FaultBook;
use crate::ledger::Ledger;
use crate::probe::Transport;
use crate::reserve::reserve_both;

/// What a DNS server is started with.
#[derive(Debug, Clone)]
pub struct DnsConfig {
    /// The time of receipts.
    pub clock: Clock,
    /// Where it listens, over UDP and TCP; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What it knows.
    pub zone: Zone,
}

/// What the sockets and the handles share.
#[derive(Debug)]
pub(crate) struct Shared {
    clock: Clock,
    said: Mutex<Said>,
    receipts: Ledger<DnsReceipt>,
}

/// What the server was told.
#[derive(Debug)]
struct Said {
    zone: Zone,
    faults: FaultBook<DnsFault>,
}

/// A running DNS server; it ends when this is dropped.
#[derive(Debug)]
pub struct DnsServer {
    control: DnsControl,
}

impl DnsServer {
    /// Reserves the port and serves it on the current tokio runtime.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn start(config: DnsConfig) -> io::Result<Self> {
        let DnsConfig { clock, listen, zone } = config;
        let (udp, tcp) = reserve_both(listen)?;
        let address = tcp.address();
        let said = Mutex::new(Said { zone, faults: FaultBook::default() });
        let shared = Arc::new(Shared { clock: clock.clone(), said, receipts: Ledger::default() });
        let serving = Arc::clone(&shared);
        let opener: Opener = Box::new(move |stop| {
            let (udp, tcp) = (udp.open()?, tcp.listen()?);
            Ok(tokio::spawn(listen::serve(Arc::clone(&serving), udp, tcp, stop)))
        });
        let door = Door::open(clock, address, &[Transport::Udp, Transport::Tcp], opener)?;
        Ok(Self { control: DnsControl::new(shared, Arc::new(door)) })
    }

    /// A handle to change it and to read its receipts.
    #[must_use]
    pub fn control(&self) -> DnsControl {
        self.control.clone()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.control.address()
    }

    /// Ends it; the port is free again when this returns.
    pub async fn stop(self) {
        self.control.end().await;
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.control.abandon();
    }
}
