//! From a question to an answer, without any socket.

use std::net::IpAddr;

use hickory_proto::op::{Edns, Message, MessageType, Metadata, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, RData, Record, RecordType};

use super::fault::{DnsEffect, DnsFault};
use super::receipt::DnsOutcome;
use super::zone::{Lookup, Zone, canonical};
use crate::fault::{FaultBook, FaultId};
use crate::probe::Transport;

/// The size of a DNS header; anything shorter is no message.
pub(crate) const HEADER: usize = 12;
/// How much a client takes by UDP if it says nothing.
const PLAIN_PAYLOAD: u16 = 512;
/// How much the server says that it takes itself.
const OWN_PAYLOAD: u16 = 1232;

/// What to send, if anything, and what it says.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) name: Option<String>,
    pub(crate) record_type: Option<String>,
    pub(crate) outcome: DnsOutcome,
    pub(crate) fault: Option<FaultId>,
    pub(crate) bytes: Option<Vec<u8>>,
}

/// Answers one message of at least [`HEADER`] bytes.
pub(crate) fn answer(
    message: &[u8],
    transport: Transport,
    zone: &Zone,
    faults: &mut FaultBook<DnsFault>,
) -> Reply {
    let Ok(request) = Message::from_vec(message) else {
        return unread(message);
    };
    if request.metadata.message_type == MessageType::Response {
        return Reply {
            name: None,
            record_type: None,
            outcome: DnsOutcome::Unanswered,
            fault: None,
            bytes: None,
        };
    }
    let [query] = request.queries.as_slice() else {
        return unread(message);
    };
    let name = canonical(&query.name().to_ascii());
    let (outcome, fault) = match faults.strike(|fault| fault.effect_on(&name, zone)) {
        _ if request.metadata.op_code != OpCode::Query => (DnsOutcome::NotImplemented, None),
        Some((id, effect)) => (spoiled(effect, query), Some(id)),
        None => (from_zone(zone, &name, query), None),
    };
    let bytes = encode(&request, query, &outcome, zone.seconds(), transport);
    Reply { name: Some(name), record_type: Some(query.query_type().to_string()), outcome, fault, bytes }
}

fn unread(message: &[u8]) -> Reply {
    let id = u16::from_be_bytes([message[0], message[1]]);
    let bytes = Message::error_msg(id, OpCode::Query, ResponseCode::FormErr).to_vec().ok();
    Reply { name: None, record_type: None, outcome: DnsOutcome::FormErr, fault: None, bytes }
}

fn spoiled(effect: DnsEffect, query: &Query) -> DnsOutcome {
    match effect {
        DnsEffect::Refused => DnsOutcome::Refused,
        DnsEffect::ServFail => DnsOutcome::ServFail,
        DnsEffect::NxDomain => DnsOutcome::NxDomain,
        DnsEffect::Timeout => DnsOutcome::Unanswered,
        DnsEffect::WrongAnswer(addresses) => of_type(&addresses, query),
    }
}

fn from_zone(zone: &Zone, name: &str, query: &Query) -> DnsOutcome {
    match zone.lookup(name) {
        Lookup::Addresses(addresses) => of_type(addresses, query),
        Lookup::Empty => DnsOutcome::NoData,
        Lookup::Absent => DnsOutcome::NxDomain,
    }
}

fn of_type(addresses: &[IpAddr], query: &Query) -> DnsOutcome {
    let wanted = |address: &&IpAddr| match query.query_type() {
        RecordType::A => address.is_ipv4(),
        RecordType::AAAA => address.is_ipv6(),
        RecordType::ANY => true,
        _ => false,
    };
    let found: Vec<IpAddr> = addresses.iter().filter(wanted).copied().collect();
    if found.is_empty() || query.query_class() != DNSClass::IN {
        return DnsOutcome::NoData;
    }
    DnsOutcome::Addresses(found)
}

fn encode(
    request: &Message,
    query: &Query,
    outcome: &DnsOutcome,
    ttl: u32,
    transport: Transport,
) -> Option<Vec<u8>> {
    let code = match outcome {
        DnsOutcome::Addresses(_) | DnsOutcome::NoData => ResponseCode::NoError,
        DnsOutcome::NxDomain => ResponseCode::NXDomain,
        DnsOutcome::Refused => ResponseCode::Refused,
        DnsOutcome::ServFail => ResponseCode::ServFail,
        DnsOutcome::FormErr => ResponseCode::FormErr,
        DnsOutcome::NotImplemented => ResponseCode::NotImp,
        DnsOutcome::Unanswered => return None,
    };
    let mut response = Message::response(request.metadata.id, request.metadata.op_code);
    response.metadata = Metadata::response_from_request(&request.metadata);
    response.metadata.recursion_available = true;
    response.metadata.response_code = code;
    response.add_query(query.clone());
    if let DnsOutcome::Addresses(addresses) = outcome {
        response.add_answers(addresses.iter().map(|address| record(query, ttl, *address)));
    }
    if request.edns.is_some() {
        let mut edns = Edns::new();
        edns.set_max_payload(OWN_PAYLOAD);
        response.set_edns(edns);
    }
    let bytes = response.to_vec().ok()?;
    if transport == Transport::Udp && bytes.len() > usize::from(payload_limit(request)) {
        return response.truncate().to_vec().ok();
    }
    Some(bytes)
}

fn record(query: &Query, ttl: u32, address: IpAddr) -> Record {
    let data = match address {
        IpAddr::V4(address) => RData::A(address.into()),
        IpAddr::V6(address) => RData::AAAA(address.into()),
    };
    Record::from_rdata(query.name().clone(), ttl, data)
}

fn payload_limit(request: &Message) -> u16 {
    request.edns.as_ref().map_or(PLAIN_PAYLOAD, |edns| edns.max_payload().max(PLAIN_PAYLOAD))
}
