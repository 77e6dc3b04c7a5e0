//! Listeners that pass on what they get.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use field_clock::Clock;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::wire::Wire;

/// Where to pass on to; may change while the listener stands.
#[derive(Debug, Default)]
pub(super) struct Targets {
    list: Mutex<(Vec<SocketAddr>, usize)>,
}

impl Targets {
    pub(super) fn set(&self, targets: Vec<SocketAddr>) {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).0 = targets;
    }

    /// The targets take turns.
    fn next(&self) -> Option<SocketAddr> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.1 = list.1.wrapping_add(1);
        let turn = list.1.checked_rem(list.0.len())?;
        list.0.get(turn).copied()
    }
}

/// A listener; it is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Forward {
    pub(super) targets: Arc<Targets>,
    _end: DropGuard,
}

const LARGEST_PACKET: usize = 4096;
/// How long an answer to a packet is waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// How long a listener rests that cannot accept, for want of descriptors say.
const REST: Duration = Duration::from_secs(1);

/// Listens for connections at `known` and passes them on.
pub(super) fn tcp(
    wire: &Wire,
    clock: &Clock,
    known: SocketAddr,
    targets: Vec<SocketAddr>,
) -> std::io::Result<Forward> {
    let listener = std::net::TcpListener::bind(wire.place(known))?;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    wire.placed(known, listener.local_addr()?);
    let (forward, stop) = forward(targets);
    let (targets, wire, clock) = (Arc::clone(&forward.targets), wire.clone(), clock.clone());
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((client, _)) = accepted else {
                clock.sleep(REST).await;
                continue;
            };
            match targets.next() {
                Some(target) => {
                    tokio::spawn(pass_on(client, wire.actual(target)));
                }
                None => refuse(&client),
            }
        }
    });
    Ok(forward)
}

async fn pass_on(mut client: TcpStream, target: SocketAddr) {
    let Ok(mut server) = TcpStream::connect(target).await else {
        refuse(&client);
        return;
    };
    // Small answers would wait for acknowledgements otherwise; a socket that refuses this still works.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    // A connection that breaks is broken for both.
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

/// The peer sees a reset, not an orderly end.
fn refuse(client: &TcpStream) {
    if let Err(error) = client.set_zero_linger() {
        tracing::trace!(%error, "cannot reset a connection");
    }
}

/// Listens for packets at `known` and passes them on.
pub(super) fn udp(
    wire: &Wire,
    clock: &Clock,
    known: SocketAddr,
    targets: Vec<SocketAddr>,
) -> std::io::Result<Forward> {
    let socket = std::net::UdpSocket::bind(wire.place(known))?;
    socket.set_nonblocking(true)?;
    let socket = Arc::new(UdpSocket::from_std(socket)?);
    wire.placed(known, socket.local_addr()?);
    let (forward, stop) = forward(targets);
    let (targets, wire, clock) = (Arc::clone(&forward.targets), wire.clone(), clock.clone());
    tokio::spawn(async move {
        let mut ways: HashMap<SocketAddr, Way> = HashMap::new();
        let mut buffer = vec![0; LARGEST_PACKET];
        loop {
            let received = tokio::select! {
                () = stop.cancelled() => return,
                received = socket.recv_from(&mut buffer) => received,
            };
            let Ok((length, client)) = received else { continue };
            let Some(target) = targets.next().map(|target| wire.actual(target)) else { continue };
            ways.retain(|_, way| !way.answers.is_finished());
            if !ways.contains_key(&client)
                && let Ok(way) = Way::open(&socket, client, target, &clock).await
            {
                ways.insert(client, way);
            }
            if let Some(way) = ways.get(&client) {
                // A packet that is lost is lost.
                let _ = way.server.send(&buffer[..length]).await;
            }
        }
    });
    Ok(forward)
}

/// The way back to one client.
struct Way {
    server: Arc<UdpSocket>,
    answers: tokio::task::JoinHandle<()>,
}

impl Way {
    async fn open(
        socket: &Arc<UdpSocket>,
        client: SocketAddr,
        target: SocketAddr,
        clock: &Clock,
    ) -> std::io::Result<Self> {
        let server = Arc::new(UdpSocket::bind((target.ip(), 0)).await?);
        server.connect(target).await?;
        let (back, from, clock) = (Arc::clone(socket), Arc::clone(&server), clock.clone());
        let answers = tokio::spawn(async move {
            let mut buffer = vec![0; LARGEST_PACKET];
            while let Ok(Ok(length)) = clock.timeout(ANSWER_WITHIN, from.recv(&mut buffer)).await {
                if back.send_to(&buffer[..length], client).await.is_err() {
                    return;
                }
            }
        });
        Ok(Self { server, answers })
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.answers.abort();
    }
}

fn forward(list: Vec<SocketAddr>) -> (Forward, CancellationToken) {
    let stop = CancellationToken::new();
    let targets = Arc::new(Targets { list: Mutex::new((list, 0)) });
    (Forward { targets, _end: stop.clone().drop_guard() }, stop)
}
