//! One question to one server.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use field_clock::Clock;
use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::net::UdpSocket;

use super::error::{DnsFailure, errno_text};
use crate::wire::Wire;

/// How long Go waits for an answer.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const LARGEST_ANSWER: usize = 4096;

/// Asks `server` for the addresses of `name`.
pub(super) async fn addresses(
    clock: &Clock,
    wire: &Wire,
    from: IpAddr,
    server: SocketAddr,
    name: &str,
) -> Result<Vec<IpAddr>, DnsFailure> {
    let Ok(fqdn) = Name::from_str(name) else { return Err(DnsFailure::NoSuchHost) };
    let id = rand::random::<u16>();
    let mut question = Message::new(id, MessageType::Query, OpCode::Query);
    question.metadata.recursion_desired = true;
    question.add_query(Query::query(fqdn, RecordType::A));
    let packet = question.to_vec().map_err(|_| DnsFailure::NoSuchHost)?;
    let answer = ask(clock, wire, from, server, &packet, id).await?;
    match answer.metadata.response_code {
        ResponseCode::NoError => {}
        ResponseCode::NXDomain => return Err(DnsFailure::NoSuchHost),
        _ => return Err(DnsFailure::Misbehaving),
    }
    let found: Vec<IpAddr> = answer
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::A(address) => Some(IpAddr::V4(Ipv4Addr::from(*address))),
            _ => None,
        })
        .collect();
    if found.is_empty() { Err(DnsFailure::NoSuchHost) } else { Ok(found) }
}

/// Sends a packet and waits for the answer with its number.
async fn ask(
    clock: &Clock,
    wire: &Wire,
    from: IpAddr,
    server: SocketAddr,
    packet: &[u8],
    id: u16,
) -> Result<Message, DnsFailure> {
    let socket = UdpSocket::bind(SocketAddr::new(from, 0)).await.map_err(|error| dial(server, &error))?;
    if wire.leads_nowhere(server) {
        clock.sleep(ANSWER_WITHIN).await;
        let local = socket.local_addr().map_err(|error| dial(server, &error))?;
        return Err(DnsFailure::Timeout(format!("read udp {local}->{server}: i/o timeout")));
    }
    socket.connect(wire.actual(server)).await.map_err(|error| dial(server, &error))?;
    let route = match socket.local_addr() {
        Ok(local) => format!("udp {local}->{server}"),
        Err(error) => return Err(dial(server, &error)),
    };
    if let Err(error) = socket.send(packet).await {
        return Err(DnsFailure::Unreachable(format!("write {route}: write: {}", errno_text(error.kind()))));
    }
    match clock.timeout(ANSWER_WITHIN, receive(&socket, id)).await {
        Ok(Ok(message)) => Ok(message),
        Ok(Err(error)) => {
            Err(DnsFailure::Unreachable(format!("read {route}: read: {}", errno_text(error.kind()))))
        }
        Err(_) => Err(DnsFailure::Timeout(format!("read {route}: i/o timeout"))),
    }
}

async fn receive(socket: &UdpSocket, id: u16) -> io::Result<Message> {
    let mut buffer = vec![0; LARGEST_ANSWER];
    loop {
        let length = socket.recv(&mut buffer).await?;
        match Message::from_vec(&buffer[..length]) {
            Ok(message) if message.metadata.id == id => return Ok(message),
            _ => {}
        }
    }
}

fn dial(server: SocketAddr, error: &io::Error) -> DnsFailure {
    DnsFailure::Unreachable(format!("dial udp {server}: connect: {}", errno_text(error.kind())))
}
