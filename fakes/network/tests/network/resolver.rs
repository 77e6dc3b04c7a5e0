//! The DNS server asked by a resolver library.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use fake_network::{DnsControl, DnsEffect, DnsFault, DnsServer, Transport, Zone};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};

use crate::setup::{dns, ip};

fn resolver(server: SocketAddr) -> TokioResolver {
    let mut name_server = NameServerConfig::udp_and_tcp(server.ip());
    for connection in &mut name_server.connections {
        connection.port = server.port();
    }
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![name_server]);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options = builder.options_mut();
    options.timeout = Duration::from_millis(300);
    options.attempts = 1;
    options.cache_size = 0;
    builder.build().unwrap()
}

async fn world() -> (DnsServer, DnsControl, TokioResolver) {
    // More than an EDNS packet holds.
    let many = (0..120).map(|host| ip(&format!("127.9.1.{host}")));
    let zone = Zone::new().with("ghcr.io", [ip("127.9.0.1"), ip("fd00::1")]).with("many.example", many);
    let server = dns("127.0.0.1:0", zone).await;
    let (control, resolver) = (server.control(), resolver(server.address()));
    (server, control, resolver)
}

async fn addresses(resolver: &TokioResolver, name: &str) -> Result<Vec<IpAddr>, NetError> {
    let mut found: Vec<IpAddr> = resolver.lookup_ip(name).await?.iter().collect();
    found.sort();
    Ok(found)
}

/// The code of an answer that is none.
fn code(error: &NetError) -> Option<ResponseCode> {
    match error {
        NetError::Dns(DnsError::ResponseCode(code)) => Some(*code),
        NetError::Dns(DnsError::NoRecordsFound(none)) => Some(none.response_code),
        _ => None,
    }
}

#[tokio::test]
async fn a_resolver_finds_addresses_of_both_kinds() {
    let (_server, _, resolver) = world().await;
    assert_eq!(addresses(&resolver, "ghcr.io.").await.unwrap(), [ip("127.9.0.1"), ip("fd00::1")]);
    let six = resolver.lookup("ghcr.io.", RecordType::AAAA).await.unwrap();
    assert_eq!(six.answers().len(), 1);
    assert!(six.answers()[0].to_string().ends_with("fd00::1"), "{}", six.answers()[0]);
}

#[tokio::test]
async fn a_resolver_tells_apart_what_can_be_wrong() {
    let (_server, control, resolver) = world().await;
    let absent = addresses(&resolver, "nobody.example.").await.unwrap_err();
    assert_eq!(code(&absent), Some(ResponseCode::NXDomain), "{absent}");
    let no_data = resolver.lookup("many.example.", RecordType::AAAA).await.unwrap_err();
    assert_eq!(code(&no_data), Some(ResponseCode::NoError), "{no_data}");
    for (effect, expected) in
        [(DnsEffect::Refused, ResponseCode::Refused), (DnsEffect::ServFail, ResponseCode::ServFail)]
    {
        let fault = control.inject(DnsFault::names("ghcr.io", effect)).await;
        let refused = addresses(&resolver, "ghcr.io.").await.unwrap_err();
        assert_eq!(code(&refused), Some(expected), "{refused}");
        control.heal(fault).await.unwrap();
        assert_eq!(addresses(&resolver, "ghcr.io.").await.unwrap(), [ip("127.9.0.1"), ip("fd00::1")]);
    }
}

#[tokio::test]
async fn a_resolver_goes_on_over_tcp_when_an_answer_was_cut_short() {
    let (_server, control, resolver) = world().await;
    assert_eq!(addresses(&resolver, "many.example.").await.unwrap().len(), 120);
    let transports: Vec<Transport> = control
        .receipts()
        .iter()
        .filter(|receipt| receipt.record_type.as_deref() == Some("A"))
        .map(|receipt| receipt.transport)
        .collect();
    assert_eq!(transports, [Transport::Udp, Transport::Tcp]);
}

#[tokio::test]
async fn a_resolver_that_hears_nothing_gives_up() {
    let (_server, control, resolver) = world().await;
    control.inject(DnsFault::names("ghcr.io", DnsEffect::Timeout)).await;
    let silence = addresses(&resolver, "ghcr.io.").await.unwrap_err();
    assert!(matches!(silence, NetError::Timeout), "{silence:?}");
    assert!(!control.receipts().is_empty());
}

#[tokio::test]
async fn a_resolver_is_refused_by_a_closed_port() {
    let (_server, control, resolver) = world().await;
    control.inject(DnsFault::ClosedPort).await;
    let closed = addresses(&resolver, "ghcr.io.").await.unwrap_err();
    assert!(matches!(closed, NetError::Io(_) | NetError::NoConnections | NetError::Timeout), "{closed:?}");
    assert!(control.receipts().is_empty());
}
