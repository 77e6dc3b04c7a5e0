//! The fakes told what to do over a socket, as a world does whose fakes run in a container.

use std::collections::BTreeMap;

use bytes::Bytes;
use fake_network::{
    DnsEffect, DnsFault, DnsOutcome, Effect, ImageSpec, Layer, Package, Registry, RegistryConfig,
    RegistryFault, Remote, RemoteError, Served, Which, Zone, serve,
};
use field_clock::Clock;
use hickory_proto::op::ResponseCode;
use tokio::net::TcpListener;

use crate::setup::{addresses, ask, dns, ip};

const WORD: &str = "only the two know";

struct Elsewhere {
    site: fake_network::DnsServer,
    _public: fake_network::DnsServer,
    registry: Registry,
    desk: std::net::SocketAddr,
}

async fn elsewhere() -> Elsewhere {
    let zone = || Zone::new().with("ghcr.io", [ip("127.9.0.1")]);
    let (site, public) = (dns("127.0.0.1:0", zone()).await, dns("127.0.0.1:0", zone()).await);
    let listen = ([127, 0, 0, 1], 0).into();
    let registry = Registry::start(RegistryConfig { clock: Clock::wall(), listen, tls: None }).await.unwrap();
    let served = Served {
        site: site.control(),
        public: public.control(),
        registry: registry.control(),
        word: WORD.to_owned(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let desk = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, served));
    Elsewhere { site, _public: public, registry, desk }
}

fn image() -> Package {
    let files = BTreeMap::from([("bin/app".to_owned(), Bytes::from_static(b"program"))]);
    let links = BTreeMap::from([("bin/other".to_owned(), "app".to_owned())]);
    let spec =
        ImageSpec { layers: vec![Layer::new(files).with_links(links)], ..ImageSpec::program(["/bin/other"]) };
    Package::image("ghcr.io/org/app", &spec).unwrap()
}

#[tokio::test]
async fn a_resolver_elsewhere_is_broken_and_mended_and_its_questions_are_read() {
    let there = elsewhere().await;
    let remote = Remote::at(there.desk, WORD);
    let id = remote.inject_dns(Which::Site, DnsFault::all(DnsEffect::ServFail)).await.unwrap();
    assert_eq!(ask(there.site.address(), "ghcr.io").await.metadata.response_code, ResponseCode::ServFail);
    let receipts = remote.dns_receipts(Which::Site).await.unwrap();
    assert_eq!((receipts[0].outcome.clone(), receipts[0].fault), (DnsOutcome::ServFail, Some(id)));
    remote.heal_dns(Which::Site, id).await.unwrap();
    remote.set(Which::Site, "ghcr.io", vec![ip("127.9.0.2")]).await.unwrap();
    assert_eq!(addresses(&ask(there.site.address(), "ghcr.io").await), [ip("127.9.0.2")]);
    let id = remote.inject_dns(Which::Site, DnsFault::ClosedPort).await.unwrap();
    assert!(!remote.probe_dns(Which::Site).await.unwrap().is_empty());
    assert_eq!(remote.dns_faults(Which::Site).await.unwrap(), [(id, DnsFault::ClosedPort)]);
    remote.begin_anew().await.unwrap();
    assert!(remote.dns_faults(Which::Site).await.unwrap().is_empty());
    assert!(remote.dns_receipts(Which::Site).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_image_is_pushed_elsewhere_and_is_gone_when_all_begins_anew() {
    let there = elsewhere().await;
    let (remote, here) = (Remote::at(there.desk, WORD), there.registry.control());
    let digest = remote.push("ghcr.io/org/app", "1", &image()).await.unwrap();
    assert_eq!(here.tag_digest("ghcr.io/org/app", "1"), Some(digest.clone()));
    assert_eq!(remote.push("ghcr.io/org/twin", "1", &image()).await.unwrap(), digest);
    let fault = RegistryFault::on("ghcr.io/org/app:1", Effect::MissingTag);
    let id = remote.inject_registry(fault.clone()).await.unwrap();
    assert_eq!(remote.tag_digest("ghcr.io/org/app", "1").await.unwrap(), None);
    assert_eq!(remote.registry_faults().await.unwrap(), [(id, fault)]);
    remote.begin_anew().await.unwrap();
    assert!(here.tags().is_empty() && here.faults().is_empty());
}

#[tokio::test]
async fn whoever_does_not_know_the_word_is_not_answered() {
    let there = elsewhere().await;
    let refused = Remote::at(there.desk, "a guess").registry_receipts().await.unwrap_err();
    assert!(matches!(refused, RemoteError::Unreachable { .. }), "{refused}");
    let failed = Remote::at(there.desk, WORD).push("no repository", "1", &image()).await.unwrap_err();
    assert!(matches!(failed, RemoteError::Failed { .. }), "{failed}");
}
