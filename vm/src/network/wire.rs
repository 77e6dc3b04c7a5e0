//! The wire between a guest's card and QEMU's own network: every frame comes by here.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use field_clock::Clock;
use smoltcp::wire::Icmpv4DstUnreachable;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::relay::Relay;
use super::route::{Routes, Way};
use super::{GATEWAY, UserNetwork, frame};

/// How many frames may be on their way to one end.
const QUEUE: usize = 1024;
/// A frame that says it is longer is none.
const MOST: usize = 1 << 16;

/// Both ends, once QEMU has called.
pub(crate) struct WireEnds {
    /// To the guest's card.
    pub(crate) guest: UnixStream,
    /// To QEMU's own network.
    pub(crate) outside: UnixStream,
}

/// A wire in use; it is cut when this is dropped.
#[derive(Debug)]
pub(crate) struct Wire {
    _tasks: JoinSet<io::Result<()>>,
}

impl Wire {
    /// Lets frames pass, on the current tokio runtime.
    pub(crate) fn open(ends: WireEnds, network: UserNetwork, clock: Clock) -> Self {
        let (from_guest, guest) = ends.guest.into_split();
        let (from_outside, outside) = ends.outside.into_split();
        let (to_guest, for_guest) = mpsc::channel(QUEUE);
        let (to_outside, for_outside) = mpsc::channel(QUEUE);
        let routes = Arc::new(Mutex::new(Routes::new(network)));
        let relay = Relay::new(clock, to_guest.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(send(guest, for_guest));
        tasks.spawn(send(outside, for_outside));
        tasks.spawn(inwards(from_outside, to_guest.clone(), Arc::clone(&routes)));
        tasks.spawn(outwards(from_guest, Exits { guest: to_guest, outside: to_outside, routes, relay }));
        Self { _tasks: tasks }
    }
}

/// Where frames of the guest's can go.
struct Exits {
    guest: mpsc::Sender<Vec<u8>>,
    outside: mpsc::Sender<Vec<u8>>,
    routes: Arc<Mutex<Routes>>,
    relay: Relay,
}

async fn outwards(from: OwnedReadHalf, mut exits: Exits) -> io::Result<()> {
    let mut from = BufReader::new(from);
    loop {
        let mut bytes = receive(&mut from).await?;
        let way = lock(&exits.routes).of_guest(&mut bytes);
        // An end that is gone takes its machine along; who is left reads its own end of file.
        match way {
            Way::On => drop(exits.outside.send(bytes).await),
            Way::Nowhere => {}
            Way::Prohibited => {
                let word = frame::unreachable(&bytes, GATEWAY, Icmpv4DstUnreachable::CommProhibited);
                if let Some(word) = word {
                    drop(exits.guest.send(word).await);
                }
            }
            Way::Datagram(datagram) => exits.relay.send(datagram, bytes).await,
        }
    }
}

async fn inwards(
    from: OwnedReadHalf,
    guest: mpsc::Sender<Vec<u8>>,
    routes: Arc<Mutex<Routes>>,
) -> io::Result<()> {
    let mut from = BufReader::new(from);
    loop {
        let mut bytes = receive(&mut from).await?;
        lock(&routes).to_guest(&mut bytes);
        drop(guest.send(bytes).await);
    }
}

/// The next frame, which comes with its length before it.
async fn receive(from: &mut BufReader<OwnedReadHalf>) -> io::Result<Vec<u8>> {
    let length = from.read_u32().await? as usize;
    if length > MOST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame of impossible length"));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn send(mut to: OwnedWriteHalf, mut frames: mpsc::Receiver<Vec<u8>>) -> io::Result<()> {
    while let Some(bytes) = frames.recv().await {
        let Ok(length) = u32::try_from(bytes.len()) else { continue };
        let mut whole = length.to_be_bytes().to_vec();
        whole.extend(bytes);
        to.write_all(&whole).await?;
    }
    Ok(())
}

fn lock(routes: &Mutex<Routes>) -> std::sync::MutexGuard<'_, Routes> {
    routes.lock().unwrap_or_else(PoisonError::into_inner)
}
