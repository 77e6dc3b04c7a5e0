//! The doors that probes knock at: `health` on 8080, `ready` on 8181.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::runtime::ContainerSpec;
use crate::wire::Wire;

/// How long a door rests that cannot accept.
const REST: Duration = Duration::from_secs(1);

/// Opens the doors until the guard is dropped.
pub(super) fn serve(wire: &Wire, spec: &ContainerSpec) -> DropGuard {
    let stop = CancellationToken::new();
    for port in [8080, 8181] {
        let (stop, place) = (stop.clone(), wire.place(SocketAddr::new(spec.ip, port)));
        let (log, clock) = (spec.log.clone(), spec.clock.clone());
        tokio::spawn(async move {
            let listener = match TcpListener::bind(place).await {
                Ok(listener) => listener,
                Err(error) => {
                    return log.line(&format!("[ERROR] plugin/health: listen tcp {place}: bind: {error}"));
                }
            };
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => drop(tokio::spawn(answer(stream))),
                        // For want of descriptors, say.
                        Err(_) => clock.sleep(REST).await,
                    },
                }
            }
        });
    }
    stop.drop_guard()
}

async fn answer(mut stream: TcpStream) {
    let mut buffer = [0; 1024];
    if stream.read(&mut buffer).await.is_ok_and(|length| length > 0) {
        // Whoever asked may be gone.
        let _ =
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK").await;
    }
}
