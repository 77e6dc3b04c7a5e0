//! The listening side of a server: open, or closed for one or more reasons.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use field_clock::Clock;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fault::FaultId;
use crate::ledger::Ledger;
use crate::probe::{Finding, PortProbe, Transport, probe};

/// Opens the sockets and serves them until the token is cancelled. It owns the reserved ports.
pub(crate) type Opener = Box<dyn Fn(CancellationToken) -> io::Result<JoinHandle<()>> + Send>;

/// Why a door is shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shut {
    /// The operator stopped the server.
    Stopped,
    /// A fault is in force.
    Fault(FaultId),
}

pub(crate) struct Door {
    clock: Clock,
    address: SocketAddr,
    transports: &'static [Transport],
    life: CancellationToken,
    /// Held over a whole change, so that two of them never cross.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    probes: Ledger<PortProbe>,
}

struct State {
    /// Absent once the server has ended.
    opener: Option<Opener>,
    serving: Option<Serving>,
    reasons: BTreeSet<Shut>,
}

struct Serving {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Serving {
    /// Returns when the sockets are closed, those of clients included.
    async fn end(self) {
        self.stop.cancel();
        // A server task that panicked has closed its sockets too.
        if let Err(error) = self.task.await {
            tracing::error!(%error, "a server's task broke");
        }
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door")
            .field("address", &self.address)
            .field("reasons", &self.state().reasons)
            .finish()
    }
}

impl Door {
    /// An open door.
    pub(crate) fn open(
        clock: Clock,
        address: SocketAddr,
        transports: &'static [Transport],
        opener: Opener,
    ) -> io::Result<Self> {
        let state = State { opener: Some(opener), serving: None, reasons: BTreeSet::new() };
        let door = Self {
            clock,
            address,
            transports,
            life: CancellationToken::new(),
            turn: tokio::sync::Mutex::new(()),
            state: Mutex::new(state),
            probes: Ledger::default(),
        };
        door.serve()?;
        Ok(door)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state().serving.is_some() && !self.life.is_cancelled()
    }

    /// Closes the sockets, if they are open; afterwards the kernel refuses clients.
    pub(crate) async fn shut(&self, why: Shut) {
        let _turn = self.turn.lock().await;
        let serving = {
            let mut state = self.state();
            state.reasons.insert(why);
            state.serving.take()
        };
        if let Some(serving) = serving {
            serving.end().await;
        }
        self.probe_closed().await;
    }

    /// Takes one reason away, and opens the sockets when it was the last.
    pub(crate) async fn lift(&self, why: Shut) -> io::Result<()> {
        let _turn = self.turn.lock().await;
        let opens = {
            let mut state = self.state();
            state.reasons.remove(&why);
            state.reasons.is_empty() && state.serving.is_none()
        };
        if !opens {
            return Ok(());
        }
        self.probe_closed().await;
        self.serve()
    }

    /// Knocks now, and says what it met at each transport; also kept among [`Door::probes`].
    pub(crate) async fn probe(&self) -> Vec<PortProbe> {
        let _turn = self.turn.lock().await;
        self.probe_closed().await
    }

    pub(crate) fn probes(&self) -> Vec<PortProbe> {
        self.probes.copy_from(0, Clone::clone)
    }

    /// Ends for good: closes the sockets, and gives the ports back.
    pub(crate) async fn end(&self) {
        let _turn = self.turn.lock().await;
        let serving = self.finish();
        if let Some(serving) = serving {
            serving.end().await;
        }
    }

    /// As [`Door::end`] for those who cannot wait: the tasks end when they are next polled.
    pub(crate) fn abandon(&self) {
        if let Some(serving) = self.finish() {
            serving.stop.cancel();
        }
    }

    fn finish(&self) -> Option<Serving> {
        self.life.cancel();
        let mut state = self.state();
        state.opener = None;
        state.serving.take()
    }

    fn serve(&self) -> io::Result<()> {
        let mut state = self.state();
        let Some(opener) = &state.opener else {
            return Err(io::Error::new(io::ErrorKind::NotConnected, "the server has ended"));
        };
        let stop = self.life.child_token();
        let task = opener(stop.clone())?;
        state.serving = Some(Serving { stop, task });
        Ok(())
    }

    /// An open port is not knocked at: it would be one more client.
    async fn probe_closed(&self) -> Vec<PortProbe> {
        let mut found = Vec::new();
        for transport in self.transports {
            let seen = if self.is_open() {
                PortProbe {
                    at: self.clock.now(),
                    transport: *transport,
                    address: self.address,
                    finding: Finding::Open,
                }
            } else {
                probe(&self.clock, *transport, self.address).await
            };
            self.probes.append(seen.clone());
            found.push(seen);
        }
        found
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
