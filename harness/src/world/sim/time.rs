//! The site's clock: whoever writes a number of milliseconds and a word as a line gets a line with that word when they are
//! over in field time.

use std::net::SocketAddr;
use std::time::Duration;

use field_clock::Clock;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The clock, while it is there.
pub(super) struct TimeServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for TimeServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TimeServer {
    pub(super) async fn start(clock: &Clock, listen: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let (address, clock) = (listener.local_addr()?, clock.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let clock = clock.clone();
                tokio::spawn(async move {
                    if let Err(error) = serve(stream, &clock).await {
                        tracing::debug!(%error, "tell somebody the time");
                    }
                });
            }
        });
        Ok(Self { address, task })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Each line takes the place of the one before.
async fn serve(stream: TcpStream, clock: &Clock) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut due = None;
    let mut word = String::new();
    loop {
        tokio::select! {
            line = lines.next_line() => {
                let Some(line) = line? else { return Ok(()) };
                let (millis, of) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
                let Ok(millis) = millis.parse() else { return Ok(()) };
                due = Some(clock.now() + Duration::from_millis(millis));
                word = format!("{of}\n");
            }
            () = clock.sleep_until(due.unwrap_or_default()), if due.is_some() => {
                due = None;
                write.write_all(word.as_bytes()).await?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use field_clock::{FieldRuntime, Options};
    use tokio::io::AsyncReadExt;

    #[test]
    fn an_hour_is_told_when_it_is_over_and_the_last_line_counts() {
        let runtime = FieldRuntime::start(Options::default()).unwrap();
        let clock = runtime.clock().clone();
        runtime.block_on(async {
            let server = TimeServer::start(&clock, ([127, 0, 0, 1], 0).into()).await.unwrap();
            let mut stream = TcpStream::connect(server.address()).await.unwrap();
            let start = clock.now();
            stream.write_all(b"60000 a\n3600000 b\n").await.unwrap();
            let mut answer = [0; 2];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"b\n");
            assert!(clock.now().duration_since(start).as_secs() >= 3600);
        });
    }
}
