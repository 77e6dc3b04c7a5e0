//! The time that passes while the API tells none: the machine's, or that of a clock somewhere else.
//!
//! A clock somewhere else is a socket: whoever wants to wait writes how many milliseconds and a word, as a line, and gets a line
//! with that word back when they are over; a further line takes the place of the one before. Tests and replays have such a
//! clock, and everybody whose machine does not know how time passes for the cluster.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Who tells how time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Clock {
    /// This machine.
    #[default]
    Machine,
    /// A clock that is asked at this address.
    At(SocketAddr),
}

/// The words are neither `machine` nor an address.
#[derive(Debug, thiserror::Error)]
#[error("a clock is `machine` or an address such as 127.0.0.1:1123")]
pub struct NoClock(#[from] std::net::AddrParseError);

impl FromStr for Clock {
    type Err = NoClock;

    fn from_str(text: &str) -> Result<Self, NoClock> {
        if text == "machine" { Ok(Self::Machine) } else { Ok(Self::At(text.parse()?)) }
    }
}

impl Clock {
    /// Returns when that much time has passed.
    pub async fn sleep(self, time: Duration) {
        let mut alarm = Alarm::of(self);
        alarm.set(time).await;
        alarm.rings().await;
    }
}

/// An alarm that is set again and again.
#[derive(Debug)]
pub(crate) struct Alarm {
    clock: Clock,
    connection: Option<TcpStream>,
    /// When it rings by the machine's clock, which is also asked where no other answers.
    due: Option<Instant>,
    /// For how long it was set.
    time: Duration,
    /// How often it was set: the word by which the clock's answer is known.
    setting: u64,
    /// What has come of the clock's answer.
    heard: Vec<u8>,
}

impl Alarm {
    pub(crate) fn of(clock: Clock) -> Self {
        Self { clock, connection: None, due: None, time: Duration::ZERO, setting: 0, heard: Vec::new() }
    }

    /// Rings when that much time has passed from now, and not before.
    pub(crate) async fn set(&mut self, time: Duration) {
        self.due = None;
        self.time = time;
        self.setting += 1;
        if let Clock::At(address) = self.clock
            && self.tell(address, time).await.is_ok()
        {
            return;
        }
        self.connection = None;
        self.due = Some(Instant::now() + time);
    }

    async fn tell(&mut self, address: SocketAddr, time: Duration) -> std::io::Result<()> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                let connection = TcpStream::connect(address).await?;
                connection.set_nodelay(true)?;
                self.heard.clear();
                none.insert(connection)
            }
        };
        // Rather a part of a millisecond too late than too early.
        let line = format!("{} {}\n", time.as_nanos().div_ceil(1_000_000), self.setting);
        connection.write_all(line.as_bytes()).await
    }

    /// Returns when it rings; once for each setting.
    ///
    /// # Cancel safety
    /// A ring that nobody waited for any more is told to whoever asks again.
    #[expect(
        clippy::disallowed_methods,
        reason = "the machine's clock is the one that was chosen, or the only one left"
    )]
    pub(crate) async fn rings(&mut self) {
        loop {
            match (&mut self.connection, self.due) {
                (_, Some(due)) => {
                    tokio::time::sleep_until(due).await;
                    self.due = None;
                    return;
                }
                (Some(connection), None) => match connection.read_buf(&mut self.heard).await {
                    Ok(1..) if self.is_told() => return,
                    Ok(1..) => {}
                    // A clock that goes away tells no time any more: rather too late than too early.
                    _ => {
                        self.connection = None;
                        self.due = Some(Instant::now() + self.time);
                    }
                },
                (None, None) => match never().await {},
            }
        }
    }

    /// Takes whole lines out of what was heard; says whether one is the answer to the newest setting.
    fn is_told(&mut self) -> bool {
        let Some(end) = self.heard.iter().rposition(|byte| *byte == b'\n') else { return false };
        let lines: Vec<u8> = self.heard.drain(..=end).collect();
        let newest = self.setting.to_string();
        lines.split(|byte| *byte == b'\n').any(|line| line == newest.as_bytes())
    }
}

async fn never() -> Infallible {
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::{Alarm, Clock};
    use std::time::Duration;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    #[test]
    fn a_clock_is_the_machine_or_an_address() {
        assert_eq!("machine".parse::<Clock>().unwrap(), Clock::Machine);
        assert_eq!("127.0.0.1:9".parse::<Clock>().unwrap(), Clock::At(([127, 0, 0, 1], 9).into()));
        assert!("noon".parse::<Clock>().is_err());
    }

    #[expect(clippy::disallowed_methods, reason = "bounds what must not happen")]
    #[tokio::test]
    async fn an_alarm_rings_when_the_clock_says_so_and_a_later_setting_takes_its_place() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut alarm = Alarm::of(Clock::At(listener.local_addr().unwrap()));
        alarm.set(Duration::from_secs(3600)).await;
        alarm.set(Duration::from_millis(20)).await;
        let (stream, _) = listener.accept().await.unwrap();
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("3600000 1"));
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("20 2"));
        // The answer to what was replaced meanwhile is none.
        write.write_all(b"1\n").await.unwrap();
        let early = tokio::time::timeout(Duration::from_millis(20), alarm.rings()).await;
        assert!(early.is_err());
        write.write_all(b"2\n").await.unwrap();
        alarm.rings().await;
    }
}
