//! Each DNS fault as a client sees it.

use fake_network::{DnsEffect, DnsFault, DnsOutcome, Pattern, Times, Zone};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;
use tokio::net::UdpSocket;

use crate::setup::{addresses, ask, dns, ip, over_tcp, question};

fn zone() -> Zone {
    Zone::new().with("ghcr.io", [ip("127.9.0.1")]).with("quay.io", [ip("127.9.0.2")])
}

#[tokio::test]
async fn a_faulty_name_is_answered_with_the_faults_code_until_it_is_healed() {
    let server = dns("127.0.0.1:0", zone()).await;
    let control = server.control();
    for (effect, code, outcome) in [
        (DnsEffect::Refused, ResponseCode::Refused, DnsOutcome::Refused),
        (DnsEffect::ServFail, ResponseCode::ServFail, DnsOutcome::ServFail),
        (DnsEffect::NxDomain, ResponseCode::NXDomain, DnsOutcome::NxDomain),
    ] {
        let fault = control.inject(DnsFault::names("ghcr.*", effect)).await;
        let before = control.receipts().len();
        assert_eq!(ask(server.address(), "ghcr.io.").await.metadata.response_code, code);
        let stream = over_tcp(server.address(), &question(1, "ghcr.io.", RecordType::AAAA)).await.unwrap();
        assert_eq!(stream.metadata.response_code, code);
        assert_eq!(addresses(&ask(server.address(), "quay.io.").await), [ip("127.9.0.2")]);
        let receipts = control.receipts_from(before);
        let struck: Vec<bool> = receipts.iter().map(|receipt| receipt.fault == Some(fault)).collect();
        assert_eq!(struck, [true, true, false]);
        assert_eq!(receipts[0].outcome, outcome);
        control.heal(fault).await.unwrap();
        assert_eq!(addresses(&ask(server.address(), "ghcr.io.").await), [ip("127.9.0.1")]);
    }
    assert!(control.faults().is_empty());
}

#[tokio::test]
async fn a_wrong_answer_names_other_addresses() {
    let server = dns("127.0.0.1:0", zone()).await;
    server.control().inject(DnsFault::all(DnsEffect::WrongAnswer(vec![ip("127.66.6.6")]))).await;
    assert_eq!(addresses(&ask(server.address(), "ghcr.io.").await), [ip("127.66.6.6")]);
    assert_eq!(addresses(&ask(server.address(), "nobody.example.").await), [ip("127.66.6.6")]);
}

#[tokio::test]
async fn a_question_that_times_out_is_seen_and_never_answered() {
    let server = dns("127.0.0.1:0", zone()).await;
    server.control().inject(DnsFault::names("ghcr.io", DnsEffect::Timeout)).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(server.address()).await.unwrap();
    socket.send(&question(1, "ghcr.io.", RecordType::A)).await.unwrap();
    socket.send(&question(2, "quay.io.", RecordType::A)).await.unwrap();
    let mut buffer = [0; 512];
    let length = socket.recv(&mut buffer).await.unwrap();
    assert_eq!(Message::from_vec(&buffer[..length]).unwrap().metadata.id, 2);
    assert_eq!(socket.try_recv(&mut buffer).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(server.control().receipts()[0].outcome, DnsOutcome::Unanswered);
}

#[tokio::test]
async fn a_fault_for_the_first_question_strikes_once() {
    let server = dns("127.0.0.1:0", zone()).await;
    let fault =
        DnsFault::Names { names: Pattern::any(), effect: DnsEffect::ServFail, times: Times::First(1) };
    server.control().inject(fault).await;
    assert_eq!(ask(server.address(), "ghcr.io.").await.metadata.response_code, ResponseCode::ServFail);
    assert_eq!(addresses(&ask(server.address(), "ghcr.io.").await), [ip("127.9.0.1")]);
}

#[test]
fn faults_are_data() {
    let text = r#"{"names":{"names":"ghcr.io","effect":{"wrong-answer":["127.0.0.9"]}}}"#;
    let fault: DnsFault = serde_json::from_str(text).unwrap();
    assert_eq!(fault, DnsFault::names("ghcr.io", DnsEffect::WrongAnswer(vec![ip("127.0.0.9")])));
    assert_eq!(serde_json::from_str::<DnsFault>("\"closed-port\"").unwrap(), DnsFault::ClosedPort);
}

#[tokio::test]
async fn a_server_whose_upstream_is_dead_still_knows_its_own_names() {
    let server = dns("127.0.0.1:0", zone().with_own("gateway.home.arpa", [ip("127.9.0.1")])).await;
    let fault = server.control().inject(DnsFault::UpstreamDead).await;
    assert_eq!(addresses(&ask(server.address(), "Gateway.home.arpa.").await), [ip("127.9.0.1")]);
    for name in ["ghcr.io.", "nobody.example."] {
        assert_eq!(
            ask(server.address(), name).await.metadata.response_code,
            ResponseCode::ServFail,
            "{name}"
        );
    }
    server.control().heal(fault).await.unwrap();
    assert_eq!(addresses(&ask(server.address(), "ghcr.io.").await), [ip("127.9.0.1")]);
}
