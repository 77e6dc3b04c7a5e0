//! The fakes in field time.

use std::num::NonZeroU64;

use fake_network::{DnsConfig, DnsFault, DnsServer, Effect, Finding, Progress, RegistryFault, Zone};
use field_clock::{FieldRuntime, Options};
use jiff::SignedDuration;

use crate::setup::World;

#[test]
fn a_slow_pull_of_a_quarter_of_an_hour_takes_that_long_in_field_time_only() {
    let runtime = FieldRuntime::start(Options::default()).unwrap();
    let clock = runtime.clock().clone();
    runtime.block_on(async {
        let world = World::at(clock.clone()).await;
        world.push_app("1", 960_000);
        let (path, length) = world.app_layer("1").await;
        let slow = Effect::Slow { bytes_per_second: NonZeroU64::new(1_000).unwrap() };
        world.control.inject(RegistryFault::on("ghcr.io/org/app:1", slow)).await;
        let before = clock.now();
        let body = world.get(&path).await.bytes().await.unwrap();
        let took = clock.now().duration_since(before);
        assert_eq!(body.len() as u64, length);
        let expected = SignedDuration::from_millis(i64::try_from(length).unwrap());
        assert!(
            took >= expected && took < expected + SignedDuration::from_secs(5),
            "{took:?}, not {expected:?}"
        );
        let receipt = world.control.receipts().pop().unwrap();
        assert_eq!((receipt.bytes, receipt.progress), (length, Progress::Complete));
        assert!(receipt.at.duration_since(before).abs() < SignedDuration::from_secs(2));
    });
}

#[test]
fn the_proof_that_a_port_is_closed_costs_no_field_time_to_speak_of() {
    let runtime = FieldRuntime::start(Options::default()).unwrap();
    let clock = runtime.clock().clone();
    runtime.block_on(async {
        let listen = "127.0.0.1:0".parse().unwrap();
        let server =
            DnsServer::start(DnsConfig { clock: clock.clone(), listen, zone: Zone::new() }).await.unwrap();
        let before = clock.now();
        server.control().inject(DnsFault::ClosedPort).await;
        assert!(clock.now().duration_since(before) < SignedDuration::from_millis(200));
        assert!(server.control().probes().iter().all(|probe| probe.finding == Finding::Refused));
        assert_eq!(server.control().probes().len(), 2);
    });
}
