//! A machine's ports at an address of its own, and who came to its API.
//!
//! What is said there is encrypted. What can be seen from outside is the outline of the records, and that tells the three ends of a
//! visit from each other: nothing came back, one side broke off with an alert, or the two talked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use field_clock::Clock;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::world::WorldError;
use crate::world::host::{Became, Visit};

/// A record's first byte, and its head: type, version, length.
const ALERT: u8 = 21;
const DATA: u8 = 23;
const HEAD: usize = 5;
/// An alert of TLS 1.3 looks like data of exactly this length: two bytes, their type, and the seal.
const SEALED_ALERT: usize = 2 + 1 + 16;

/// Who came to a machine's API so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Visits(Arc<Mutex<Vec<Visit>>>);

impl Visits {
    pub(super) fn all(&self) -> Vec<Visit> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, clock: &Clock, became: Became) {
        let what = match became {
            Became::Unanswered => "a connection was taken and not answered",
            Became::Distrusted => "a caller and the machine did not trust each other",
            Became::Heard => "a caller and the machine talked",
        };
        let visit = Visit { at: clock.now(), became, what: what.to_owned() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(visit);
    }
}

/// Leads to a machine's ports, until it is dropped.
#[derive(Debug)]
pub(super) struct Relay {
    _listeners: JoinSet<()>,
}

/// A port of the machine's, where it is to be, and where it is.
pub(super) struct Way {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    /// Where visits are noted, for a port at which TLS is spoken.
    pub(super) visits: Option<Visits>,
}

impl Relay {
    pub(super) async fn open(ways: Vec<Way>, clock: &Clock) -> Result<Self, WorldError> {
        let mut listeners = JoinSet::new();
        for way in ways {
            let listener = TcpListener::bind(way.from).await?;
            listeners.spawn(accept(listener, way, clock.clone()));
        }
        Ok(Self { _listeners: listeners })
    }
}

async fn accept(listener: TcpListener, way: Way, clock: Clock) {
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = clients.join_next() => {}
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                clients.spawn(lead(client, way.to, way.visits.clone(), clock.clone()));
            }
        }
    }
}

async fn lead(client: TcpStream, to: SocketAddr, visits: Option<Visits>, clock: Clock) {
    let Ok(machine) = TcpStream::connect(to).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_machine, to_machine) = machine.into_split();
    let (mut asked, mut answered) = (Outline::default(), Outline::default());
    // When one side has gone, what the other still says is heard by nobody.
    tokio::select! {
        () = copy(from_client, to_machine, &mut asked) => {}
        () = copy(from_machine, to_client, &mut answered) => {}
    }
    if let Some(visits) = visits
        && let Some(became) = became(&asked, &answered)
    {
        visits.note(&clock, became);
    }
}

async fn copy(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, outline: &mut Outline) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        outline.take(&buffer[..count]);
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

/// The outline of what one side of a TLS connection has said: its records, by their heads.
#[derive(Debug, Default)]
struct Outline {
    head: Vec<u8>,
    /// What is still to come of the present record.
    left: usize,
    records: usize,
    /// Whether the last record is an alert, sealed or plain.
    alert: bool,
}

impl Outline {
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let skipped = self.left.min(bytes.len());
            self.left -= skipped;
            bytes = &bytes[skipped..];
            let wanted = (HEAD - self.head.len()).min(bytes.len());
            self.head.extend_from_slice(&bytes[..wanted]);
            bytes = &bytes[wanted..];
            if let [kind, _, _, high, low] = self.head[..] {
                self.left = usize::from(u16::from_be_bytes([high, low]));
                self.records += 1;
                self.alert = kind == ALERT || (kind == DATA && self.left == SEALED_ALERT);
                self.head.clear();
            }
        }
    }
}

/// What became of a visit; nothing for one who said nothing.
///
/// Whoever does not trust the other ends with an alert instead of what it has to say. One who talked may end with an alert as well,
/// that it closes: then the machine has said more than its certificate.
fn became(asked: &Outline, answered: &Outline) -> Option<Became> {
    if asked.records == 0 {
        return None;
    }
    if answered.records == 0 {
        return Some(Became::Unanswered);
    }
    let refused = |outline: &Outline| outline.alert && outline.records <= MOST_BEFORE_REFUSAL;
    Some(if refused(asked) || refused(answered) { Became::Distrusted } else { Became::Heard })
}

/// Hello, change of cipher, certificate and proof in up to four records, the alert; a machine that refuses a caller's certificate may have
/// sent a ticket and its settings before.
const MOST_BEFORE_REFUSAL: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, length: u16) -> Vec<u8> {
        let mut bytes = vec![kind, 3, 3];
        bytes.extend(length.to_be_bytes());
        bytes.extend(vec![0; usize::from(length)]);
        bytes
    }

    fn outline(records: &[(u8, u16)]) -> Outline {
        let bytes: Vec<u8> = records.iter().flat_map(|(kind, length)| record(*kind, *length)).collect();
        let mut outline = Outline::default();
        // In pieces that respect nothing.
        for piece in bytes.chunks(7) {
            outline.take(piece);
        }
        outline
    }

    #[test]
    fn three_ends_of_a_visit_are_told_from_each_other() {
        let hello = outline(&[(22, 200)]);
        assert_eq!(became(&hello, &outline(&[])), Some(Became::Unanswered));
        let certificate = outline(&[(22, 120), (20, 1), (23, 900)]);
        let broke_off = outline(&[(22, 200), (20, 1), (23, 19)]);
        assert_eq!(became(&broke_off, &certificate), Some(Became::Distrusted));
        let refused = outline(&[(22, 120), (20, 1), (23, 900), (23, 70), (23, 19)]);
        let presented = outline(&[(22, 200), (20, 1), (23, 700), (23, 90)]);
        assert_eq!(became(&presented, &refused), Some(Became::Distrusted));
        let talked = outline(&[(22, 120), (20, 1), (23, 900), (23, 70), (23, 300), (23, 100)]);
        assert_eq!(became(&presented, &talked), Some(Became::Heard));
        assert_eq!(became(&outline(&[]), &outline(&[])), None);
    }

    #[test]
    fn whoever_has_talked_and_closes_in_good_order_is_not_taken_for_a_refusal() {
        let many: Vec<(u8, u16)> = [(22, 200)].into_iter().chain([(23, 50); 12]).chain([(23, 19)]).collect();
        let answers: Vec<(u8, u16)> = [(22, 120)].into_iter().chain([(23, 400); 12]).collect();
        assert_eq!(became(&outline(&many), &outline(&answers)), Some(Became::Heard));
    }
}
