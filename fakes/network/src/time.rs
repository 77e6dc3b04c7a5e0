//! A time server, as machines ask one: SNTP (RFC 4330), one answer for each question.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use field_clock::Clock;
use jiff::{SignedDuration, Timestamp};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// Seconds from the first of January 1900 to that of 1970.
const EPOCH: i64 = 2_208_988_800;
/// The length of a question and of an answer, without extensions.
const LENGTH: usize = 48;
/// No leap second announced, version 4, "server".
const SERVER: u8 = 0b00_100_100;
/// Fourth word of an answer: what the time is from; `LOCL` is a clock of the server's own.
const REFERENCE: &[u8; 4] = b"LOCL";
/// What a primary server is, and how exact, in powers of two seconds.
const STRATUM: u8 = 1;
const PRECISION: u8 = 0xec;
/// The field that comes back as it was sent: when the client asked.
const ASKED_AT: std::ops::Range<usize> = 40..48;

/// A time server that runs, until it is dropped.
#[derive(Debug)]
pub struct TimeServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    serving: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    ahead: Duration,
    receipts: Vec<TimeReceipt>,
}

/// Somebody was told the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeReceipt {
    /// When.
    pub at: Timestamp,
    /// Who asked.
    pub client: SocketAddr,
    /// What was said.
    pub told: Timestamp,
}

impl TimeServer {
    /// Serves at this address; port 0 takes a free one.
    ///
    /// # Errors
    /// The address is not to be had.
    pub async fn start(clock: Clock, listen: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(listen).await?;
        let address = socket.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let serving = tokio::spawn(serve(socket, clock, Arc::clone(&state)));
        Ok(Self { address, state, serving })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells a time that much later than the true one from now on.
    pub fn be_ahead(&self, by: Duration) {
        self.lock().ahead = by;
    }

    /// Every answer so far.
    pub fn receipts(&self) -> Vec<TimeReceipt> {
        self.lock().receipts.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TimeServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(socket: UdpSocket, clock: Clock, state: Arc<Mutex<State>>) {
    let mut question = [0; 512];
    loop {
        // An earlier answer may have met a client that was gone already.
        let Ok((length, client)) = socket.recv_from(&mut question).await else { continue };
        if length < LENGTH {
            continue;
        }
        let answer = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let at = clock.now();
            let ahead = SignedDuration::try_from(state.ahead).unwrap_or(SignedDuration::MAX);
            let told = at.checked_add(ahead).unwrap_or(Timestamp::MAX);
            state.receipts.push(TimeReceipt { at, client, told });
            answer(&question[..LENGTH], told)
        };
        let _ = socket.send_to(&answer, client).await;
    }
}

fn answer(question: &[u8], now: Timestamp) -> [u8; LENGTH] {
    let mut answer = [0; LENGTH];
    answer[0] = SERVER;
    answer[1] = STRATUM;
    answer[2] = question[2];
    answer[3] = PRECISION;
    answer[12..16].copy_from_slice(REFERENCE);
    let time = wire_time(now);
    // When the clock was set, when the question came, when the answer goes.
    for field in [16, 32, 40] {
        answer[field..field + 8].copy_from_slice(&time);
    }
    answer[24..32].copy_from_slice(&question[ASKED_AT]);
    answer
}

/// Seconds since 1900, modulo 2³², and fractions of 2⁻³² seconds.
fn wire_time(at: Timestamp) -> [u8; 8] {
    let since = at.as_nanosecond() + i128::from(EPOCH) * 1_000_000_000;
    let whole = since.div_euclid(1_000_000_000);
    let fraction = (since.rem_euclid(1_000_000_000) << 32) / 1_000_000_000;
    let both = ((whole & 0xffff_ffff) << 32) | fraction;
    u64::try_from(both).unwrap_or_default().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[test]
    fn a_time_is_written_as_the_standard_says() {
        // RFC 5905, figure 4: 1970-01-01 is second 2,208,988,800 of the first era.
        let half = Timestamp::from_millisecond(500).unwrap();
        assert_eq!(wire_time(half), [0x83, 0xaa, 0x7e, 0x80, 0x80, 0, 0, 0]);
    }

    #[tokio::test]
    async fn whoever_asks_is_told_the_time_and_one_that_is_ahead_where_that_is_wanted() {
        let clock = Clock::wall();
        let server = TimeServer::start(clock.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut question = [0; LENGTH];
        question[0] = 0x23;
        question[ASKED_AT].copy_from_slice(b"whoasked");
        let mut answer = [0; 64];
        for ahead in [0, 86_400] {
            server.be_ahead(Duration::from_secs(ahead));
            let before = clock.now().as_second();
            client.send_to(b"too short", server.address()).await.unwrap();
            client.send_to(&question, server.address()).await.unwrap();
            let (length, _) = clock.timeout(LIMIT, client.recv_from(&mut answer)).await.unwrap().unwrap();
            assert_eq!((length, answer[0] & 7, &answer[24..32]), (LENGTH, 4, &b"whoasked"[..]));
            let told = i64::from(u32::from_be_bytes(answer[40..44].try_into().unwrap())) - EPOCH;
            let expected = before + i64::try_from(ahead).unwrap();
            assert!((expected..expected + 60).contains(&told), "{told} and not {expected}");
        }
        assert_eq!(server.receipts().len(), 2, "what is no question leaves no receipt");
    }
}
