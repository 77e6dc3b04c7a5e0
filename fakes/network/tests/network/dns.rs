//! Questions and answers.

use fake_network::{DnsOutcome, Otherwise, Transport, Zone};
use hickory_proto::op::{Edns, Message, ResponseCode};
use hickory_proto::rr::RecordType;
use tokio::net::UdpSocket;

use crate::setup::{addresses, ask, dns, ip, over_tcp, over_udp, question};

#[tokio::test]
async fn names_are_answered_over_udp_and_tcp_and_every_question_leaves_a_receipt() {
    let server = dns("127.0.0.1:0", Zone::new().with("ghcr.io", [ip("127.9.0.1"), ip("fd00::1")])).await;
    let question = question(4711, "GHCR.io.", RecordType::A);
    for answer in [
        over_udp(server.address(), &question).await.unwrap(),
        over_tcp(server.address(), &question).await.unwrap(),
    ] {
        assert_eq!(answer.metadata.id, 4711);
        assert!(answer.metadata.recursion_desired && answer.metadata.recursion_available);
        assert_eq!(answer.queries[0].name().to_ascii(), "GHCR.io.");
        assert_eq!(addresses(&answer), [ip("127.9.0.1")]);
    }
    let receipts = server.control().receipts();
    let transports: Vec<Transport> = receipts.iter().map(|receipt| receipt.transport).collect();
    assert_eq!(transports, [Transport::Udp, Transport::Tcp]);
    assert_eq!(receipts[0].name.as_deref(), Some("ghcr.io"));
    assert_eq!(receipts[0].record_type.as_deref(), Some("A"));
    assert_eq!(receipts[0].outcome, DnsOutcome::Addresses(vec![ip("127.9.0.1")]));
    assert_eq!(receipts[0].fault, None);
}

#[tokio::test]
async fn a_packet_made_by_hand_gets_an_answer_that_is_right_to_the_byte() {
    let server = dns("127.0.0.1:0", Zone::new().with("a.io", [ip("127.9.0.1")]).ttl(30)).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let asked = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x02io\x00\x00\x01\x00\x01";
    socket.send_to(asked, server.address()).await.unwrap();
    let mut buffer = [0; 512];
    let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
    assert_eq!(from, server.address());
    let mut expected =
        b"\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x01a\x02io\x00\x00\x01\x00\x01".to_vec();
    expected.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x1e\x00\x04\x7f\x09\x00\x01");
    assert_eq!(&buffer[..length], expected);
}

#[tokio::test]
async fn an_absent_name_and_an_absent_type_are_different_answers() {
    let server = dns("127.0.0.1:0", Zone::new().with("ghcr.io", [ip("127.9.0.1")])).await;
    assert_eq!(ask(server.address(), "nobody.example.").await.metadata.response_code, ResponseCode::NXDomain);
    let six = over_udp(server.address(), &question(1, "ghcr.io.", RecordType::AAAA)).await.unwrap();
    assert_eq!((six.metadata.response_code, six.answers.len()), (ResponseCode::NoError, 0));
    let outcomes: Vec<DnsOutcome> =
        server.control().receipts().into_iter().map(|receipt| receipt.outcome).collect();
    assert_eq!(outcomes, [DnsOutcome::NxDomain, DnsOutcome::NoData]);
}

#[tokio::test]
async fn the_zone_can_be_changed_while_it_is_served() {
    let server = dns("127.0.0.1:0", Zone::new()).await;
    let control = server.control();
    control.set("new.example", [ip("127.9.0.2")]);
    assert_eq!(addresses(&ask(server.address(), "new.example.").await), [ip("127.9.0.2")]);
    control.remove("new.example");
    assert_eq!(ask(server.address(), "new.example.").await.metadata.response_code, ResponseCode::NXDomain);
}

#[tokio::test]
async fn an_answer_that_is_too_long_for_udp_is_cut_short_and_comes_whole_over_tcp() {
    let many: Vec<_> = (0..60).map(|host| ip(&format!("127.9.0.{host}"))).collect();
    let zone = Zone::new().otherwise(Otherwise::Addresses(many.clone()));
    let server = dns("127.0.0.1:0", zone).await;
    let plain = question(1, "many.example.", RecordType::A);
    let short = over_udp(server.address(), &plain).await.unwrap();
    assert!(short.metadata.truncation && short.answers.is_empty());
    assert_eq!(addresses(&over_tcp(server.address(), &plain).await.unwrap()), many);
    let mut roomy = Message::from_vec(&plain).unwrap();
    let mut edns = Edns::new();
    edns.set_max_payload(4096);
    roomy.set_edns(edns);
    let whole = over_udp(server.address(), &roomy.to_vec().unwrap()).await.unwrap();
    assert!(!whole.metadata.truncation && whole.edns.is_some());
    assert_eq!(addresses(&whole), many);
}

#[tokio::test]
async fn garbage_is_a_format_error_and_less_than_a_header_is_no_question() {
    let server = dns("127.0.0.1:0", Zone::new()).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(server.address()).await.unwrap();
    socket.send(b"short").await.unwrap();
    socket.send(b"\xab\xcd\x01\x00\x00\x09\x00\x00\x00\x00\x00\x00 and no names").await.unwrap();
    let mut buffer = [0; 512];
    let length = socket.recv(&mut buffer).await.unwrap();
    let answer = Message::from_vec(&buffer[..length]).unwrap();
    assert_eq!((answer.metadata.id, answer.metadata.response_code), (0xabcd, ResponseCode::FormErr));
    let receipts = server.control().receipts();
    assert_eq!(receipts.len(), 1);
    assert_eq!((&receipts[0].name, &receipts[0].outcome), (&None, &DnsOutcome::FormErr));
}
