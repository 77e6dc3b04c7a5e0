//! A port that is closed by a fault, by hand, or for good.

use std::io::ErrorKind;
use std::net::SocketAddr;

use fake_network::{DnsFault, Effect, Finding, RegistryFault, Zone};
use hickory_proto::rr::RecordType;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::setup::{World, addresses, ask, dns, ip, over_tcp, over_udp, question};

async fn refusals(server: SocketAddr) -> [ErrorKind; 2] {
    let question = question(1, "ghcr.io.", RecordType::A);
    let udp = over_udp(server, &question).await.unwrap_err();
    let tcp = over_tcp(server, &question).await.unwrap_err();
    [udp.kind(), tcp.kind()]
}

#[tokio::test]
async fn a_closed_dns_port_and_a_stopped_dns_server_are_the_same_to_clients() {
    let server = dns("127.77.2.1:0", Zone::new().with("ghcr.io", [ip("127.9.0.1")])).await;
    let (control, address) = (server.control(), server.address());
    let mut open_stream = TcpStream::connect(address).await.unwrap();
    ask(address, "ghcr.io.").await;

    let fault = control.inject(DnsFault::ClosedPort).await;
    assert_eq!(refusals(address).await, [ErrorKind::ConnectionRefused; 2]);
    assert_eq!(open_stream.read(&mut [0]).await.unwrap_or(0), 0, "an open stream ends with the port");
    control.heal(fault).await.unwrap();
    assert_eq!(addresses(&ask(address, "ghcr.io.").await), [ip("127.9.0.1")]);

    control.stop().await;
    assert!(!control.is_open());
    assert_eq!(refusals(address).await, [ErrorKind::ConnectionRefused; 2]);
    control.start().await.unwrap();
    assert_eq!(addresses(&ask(address, "ghcr.io.").await), [ip("127.9.0.1")]);

    assert_eq!(control.receipts().len(), 3, "nobody saw the questions that were refused");
    let findings: Vec<Finding> = control.probes().into_iter().map(|probe| probe.finding).collect();
    assert_eq!(findings, vec![Finding::Refused; 8], "each closing is proven at its beginning and its end");
}

#[tokio::test]
async fn a_port_that_is_closed_for_two_reasons_opens_when_both_are_gone() {
    let server = dns("127.0.0.1:0", Zone::new()).await;
    let control = server.control();
    let fault = control.inject(DnsFault::ClosedPort).await;
    control.stop().await;
    control.start().await.unwrap();
    assert!(!control.is_open());
    assert_eq!(control.probe().await[0].finding, Finding::Refused);
    control.heal(fault).await.unwrap();
    assert!(control.is_open());
    assert_eq!(control.probe().await[0].finding, Finding::Open);
}

#[tokio::test]
async fn a_server_that_is_dropped_or_stopped_for_good_gives_its_port_back() {
    // An address of its own: a free port of 127.0.0.1 may be anybody's next one.
    let server = dns("127.77.3.1:0", Zone::new()).await;
    let (address, control) = (server.address(), server.control());
    server.stop().await;
    assert_eq!(control.start().await.unwrap_err().kind(), ErrorKind::NotConnected);
    let again = dns(&address.to_string(), Zone::new()).await;
    drop(again);
    tokio::task::yield_now().await;
    assert_eq!(refusals(address).await, [ErrorKind::ConnectionRefused; 2]);
    dns(&address.to_string(), Zone::new()).await;
}

#[tokio::test]
async fn an_unreachable_registry_and_a_stopped_one_are_the_same_to_clients() {
    let world = World::start().await;
    let (control, address) = (&world.control, world.registry.address());
    assert_eq!(world.get("ghcr.io/v2/").await.status(), 200);

    let fault = control.inject(RegistryFault::all(Effect::Unreachable)).await;
    let unreachable = world.request(reqwest::Method::GET, "ghcr.io/v2/").send().await.unwrap_err();
    let refused = TcpStream::connect(address).await.unwrap_err();
    control.heal(fault).await.unwrap();
    assert_eq!(world.get("ghcr.io/v2/").await.status(), 200);

    control.stop().await;
    let stopped = world.request(reqwest::Method::GET, "ghcr.io/v2/").send().await.unwrap_err();
    assert!(unreachable.is_connect() && stopped.is_connect());
    assert_eq!(format!("{unreachable:?}"), format!("{stopped:?}"));
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    control.start().await.unwrap();
    assert_eq!(world.get("ghcr.io/v2/").await.status(), 200);
    assert_eq!(control.receipts().len(), 3);
    assert!(control.probes().iter().all(|probe| probe.finding == Finding::Refused));

    world.registry.stop().await;
    assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}
