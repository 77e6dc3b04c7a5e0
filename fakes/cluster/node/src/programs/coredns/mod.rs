//! The cluster's DNS: a real server on its pod's address.

mod corefile;
mod forward;
mod health;
mod records;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

use super::SystemPrograms;
use crate::runtime::ContainerSpec;
use records::{Answer, Zone};

const LARGEST_QUESTION: usize = 4096;

/// What every question is answered with.
struct Server {
    zone: Zone,
    programs: SystemPrograms,
    spec: ContainerSpec,
    socket: UdpSocket,
    /// Whether the last question that was passed on got no answer: its servers are taken for dead then.
    dead: AtomicBool,
}

/// Serves until it is stopped.
pub(super) async fn run(programs: &SystemPrograms, spec: &ContainerSpec, stop: CancellationToken) -> i32 {
    let known = SocketAddr::new(spec.ip, 53);
    let socket = match UdpSocket::bind(programs.wire.place(known)).await {
        Ok(socket) => socket,
        Err(error) => {
            spec.log.line(&format!("Listen: listen udp {known}: bind: {error}"));
            return 1;
        }
    };
    if let Ok(actual) = socket.local_addr() {
        programs.wire.placed(known, actual);
    }
    for line in [".:53", "CoreDNS-1.12.1", "linux/amd64, go1.24.1, 707c7c1"] {
        spec.log.line(line);
    }
    let health = health::serve(&programs.wire, spec);
    let server = Arc::new(Server {
        zone: Zone::new(&programs.store),
        programs: programs.clone(),
        spec: spec.clone(),
        socket,
        dead: AtomicBool::new(false),
    });
    let mut buffer = vec![0; LARGEST_QUESTION];
    loop {
        let received = tokio::select! {
            () = stop.cancelled() => break,
            received = server.socket.recv_from(&mut buffer) => received,
        };
        let Ok((length, client)) = received else { continue };
        let (server, packet) = (Arc::clone(&server), buffer[..length].to_vec());
        tokio::spawn(async move { server.answer(&packet, client).await });
    }
    drop(health);
    spec.log.line("[INFO] SIGTERM: Shutting down servers then terminating");
    0
}

impl Server {
    async fn answer(&self, packet: &[u8], client: SocketAddr) {
        let Ok(question) = Message::from_vec(packet) else { return };
        let Some(query) = question.queries.first() else { return };
        let name = query.name.to_utf8().to_lowercase();
        let reply = match self.zone.find(&name) {
            Answer::Foreign => self.forward(packet, &question, &name).await,
            Answer::Unknown => self.reply(&question, ResponseCode::NXDomain),
            Answer::Addresses(addresses) => {
                let mut reply = self.start(&question, ResponseCode::NoError);
                if query.query_type == RecordType::A {
                    records::add(&mut reply, &query.name, &addresses);
                }
                reply.to_vec().ok()
            }
            Answer::Alias(target) => {
                let mut reply = self.start(&question, ResponseCode::NoError);
                records::add_alias(&mut reply, &query.name, &target);
                if let Answer::Addresses(addresses) = self.zone.find(&target)
                    && let Ok(name) = target.parse()
                {
                    records::add(&mut reply, &name, &addresses);
                }
                reply.to_vec().ok()
            }
        };
        if let Some(reply) = reply {
            // Whoever asked may be gone.
            let _ = self.socket.send_to(&reply, client).await;
        }
    }

    fn start(&self, question: &Message, code: ResponseCode) -> Message {
        let mut reply = Message::response(question.metadata.id, question.metadata.op_code);
        reply.metadata.response_code = code;
        reply.metadata.authoritative = code != ResponseCode::ServFail;
        reply.metadata.recursion_desired = question.metadata.recursion_desired;
        reply.metadata.recursion_available = true;
        reply.queries.clone_from(&question.queries);
        reply
    }

    fn reply(&self, question: &Message, code: ResponseCode) -> Option<Vec<u8>> {
        self.start(question, code).to_vec().ok()
    }

    /// Asks the servers that the Corefile names; those of the node by default.
    async fn forward(&self, packet: &[u8], question: &Message, name: &str) -> Option<Vec<u8>> {
        let upstreams = corefile::upstreams(&self.spec).unwrap_or_else(|| self.programs.resolvers.get());
        let rounds = if self.dead.load(Ordering::Relaxed) { 1 } else { forward::ROUNDS };
        let outcome = forward::forward(&self.spec, &self.programs.wire, &upstreams, packet, rounds).await;
        self.dead.store(outcome.is_err(), Ordering::Relaxed);
        match outcome {
            Ok(reply) => Some(reply),
            Err(why) => {
                let kind = question.queries.first().map_or(RecordType::A, |query| query.query_type);
                self.spec.log.line(&format!("[ERROR] plugin/errors: 2 {name} {kind}: {why}"));
                self.reply(question, ResponseCode::ServFail)
            }
        }
    }
}
