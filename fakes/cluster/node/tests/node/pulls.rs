//! Pulls, good and bad, as the recordings have them.

use std::num::NonZeroU64;

use fake_network::{DnsEffect, DnsFault, Effect, RegistryFault, Times};
use serde_json::json;

use crate::world::in_world;

const IMAGE: &str = "ghcr.io/nine-minds/app:1";

#[test]
fn an_image_is_pulled_and_says_how_long_it_took() {
    in_world(|w| async move {
        w.publish("ghcr.io/nine-minds/app", "1", 1000);
        w.pod("web", IMAGE, json!({}));
        w.until(5, "it runs", |w| w.container("web")["state"]["running"].is_object()).await;
        let status = w.container("web");
        assert!(
            status["imageID"].as_str().unwrap().starts_with("ghcr.io/nine-minds/app@sha256:"),
            "{status}"
        );
        assert_eq!(w.get("web")["status"]["phase"], "Running");
        assert_eq!(w.condition("web", "Ready")["status"], "True");
        let reasons: Vec<String> =
            w.events("web").iter().map(|e| e.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(reasons, ["Scheduled", "Pulling", "Pulled", "Created", "Started"]);
        assert!(w.has_event("web", "Successfully pulled image \"ghcr.io/nine-minds/app:1\" in "));
    });
}

#[test]
fn a_missing_tag_goes_through_the_recorded_states() {
    in_world(|w| async move {
        w.publish("ghcr.io/nine-minds/app", "2", 1000);
        w.pod("web", IMAGE, json!({}));
        let cause = format!(
            "rpc error: code = NotFound desc = failed to pull and unpack image \"{IMAGE}\": failed to resolve reference \"{IMAGE}\": {IMAGE}: not found"
        );
        w.until(3, "the status has the cause", |w| {
            w.waiting("web") == ("ErrImagePull".into(), cause.clone())
        })
        .await;
        w.until_event(3, "web", "BackOff ×1: Back-off pulling image").await;
        let behind = format!("Back-off pulling image \"{IMAGE}\": ErrImagePull: {cause}");
        w.until(17, "the status says that it backs off", |w| {
            w.waiting("web") == ("ImagePullBackOff".into(), behind.clone())
        })
        .await;
        w.until_event(110, "web", "Failed ×4: Error: ErrImagePull").await;
        assert_eq!(w.get("web")["status"]["phase"], "Pending");
        w.publish("ghcr.io/nine-minds/app", "1", 1000);
        w.until_phase(300, "web", "Running").await;
    });
}

#[test]
fn every_way_of_a_resolver_to_fail_has_its_words() {
    in_world(|w| async move {
        let head = "failed to do request: Head \"https://ghcr.io/v2/nine-minds/app/manifests/1\": dial tcp: lookup ghcr.io on ";
        let dns = w.dns.control();
        for (name, effect, words) in [
            ("nx", DnsEffect::NxDomain, "no such host"),
            ("fail", DnsEffect::ServFail, "server misbehaving"),
            ("slow", DnsEffect::Timeout, "i/o timeout"),
        ] {
            let id = dns.inject(DnsFault::all(effect)).await;
            w.pod(name, IMAGE, json!({}));
            w.until_event(30, name, &format!(":53: {words}")).await;
            assert!(w.has_event(name, head), "{:#?}", w.events(name));
            dns.heal(id).await.unwrap();
        }
        dns.stop().await;
        w.pod("refused", IMAGE, json!({}));
        w.until_event(20, "refused", ":53: read: connection refused").await;
    });
}

#[test]
fn every_way_of_a_registry_to_fail_has_its_words() {
    in_world(|w| async move {
        w.publish("ghcr.io/nine-minds/app", "1", 100_000);
        let url = "https://ghcr.io/v2/nine-minds/app/manifests/1";
        let registry = w.registry.control();
        for (name, effect, words) in [
            ("denied", Effect::Forbidden, format!("unexpected status from HEAD request to {url}: 403 Forbidden")),
            ("limited", Effect::RateLimited { retry_after: 1 }, format!("unexpected status from HEAD request to {url}: 429 Too Many Requests")),
            ("broken", Effect::Error { status: 500 }, format!("unexpected status from HEAD request to {url}: 500 Internal Server Error")),
            ("token", Effect::Unauthorized, "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token".into()),
            ("gone", Effect::Unreachable, ":443: connect: connection refused".into()),
            ("cut", Effect::Cut { after: 50_000 }, "but got 50000: unexpected EOF".into()),
            ("digest", Effect::BadDigest, "failed precondition".into()),
        ] {
            let id = registry.inject(RegistryFault::all(effect)).await;
            w.pod(name, IMAGE, json!({}));
            w.until_event(5, name, &words).await;
            registry.heal(id).await.unwrap();
        }
    });
}

#[test]
fn a_transfer_that_breaks_off_goes_on_from_there_as_long_as_that_helps() {
    in_world(|w| async move {
        w.publish("ghcr.io/nine-minds/app", "1", 100_000);
        let cut = |after, times| RegistryFault::all(Effect::Cut { after }).times(Times::First(times));
        let registry = w.registry.control();
        let layers = |from: usize| {
            registry
                .receipts_from(from)
                .iter()
                .filter(|asked| asked.path.contains("/blobs/") && !asked.faults.is_empty())
                .count()
        };
        registry.inject(cut(50_000, 4)).await;
        w.pod("lost", IMAGE, json!({}));
        w.until_event(5, "lost", "but got 50000: unexpected EOF").await;
        assert_eq!(layers(0), 4, "{:#?}", registry.receipts());
        w.until_phase(20, "lost", "Running").await;
        w.publish("ghcr.io/nine-minds/app", "2", 200_000);
        let from = registry.receipts().len();
        registry.inject(cut(50_000, 2)).await;
        registry.inject(cut(150_000, 3)).await;
        w.pod("saved", "ghcr.io/nine-minds/app:2", json!({}));
        w.until_phase(5, "saved", "Running").await;
        assert_eq!(layers(from), 5, "{:#?}", registry.receipts_from(from));
        assert!(!w.has_event("saved", "Failed"), "{:#?}", w.events("saved"));
    });
}

#[test]
fn a_small_image_waits_behind_a_big_one() {
    in_world(|w| async move {
        w.publish("ghcr.io/slow/big", "1", 1_000_000);
        w.publish("ghcr.io/nine-minds/small", "1", 10);
        let slow = Effect::Slow { bytes_per_second: NonZeroU64::new(20_000).unwrap() };
        w.registry.control().inject(RegistryFault::on("ghcr.io/slow/big", slow)).await;
        w.pod("big", "ghcr.io/slow/big:1", json!({}));
        w.until_event(3, "big", "Pulling ×1").await;
        w.pod("small", "ghcr.io/nine-minds/small:1", json!({}));
        w.seconds(20).await;
        assert!(w.has_event("small", "Pulling ×1"));
        assert_eq!(w.waiting("small"), ("ContainerCreating".into(), String::new()));
        w.until_phase(60, "big", "Running").await;
        w.until_phase(5, "small", "Running").await;
        let text = w.events("small").into_iter().find(|e| e.contains("including waiting")).unwrap();
        let waited: f64 = text.split('(').nth(1).unwrap().split('s').next().unwrap().parse().unwrap();
        assert!(waited > 40.0, "{text}");
    });
}

#[test]
fn names_that_cannot_be_and_images_that_may_not_be_pulled_are_told_apart() {
    in_world(|w| async move {
        w.pod("invalid", "ghcr.io/Nine-Minds/alga:X:Y", json!({}));
        w.pod("never", "test/absent:1", json!({"imagePullPolicy": "Never"}));
        w.until(3, "both wait", |w| {
            [("invalid", "InvalidImageName"), ("never", "ErrImageNeverPull")]
                .iter()
                .all(|(pod, why)| w.waiting(pod).0 == *why)
        })
        .await;
        let text = "Failed to apply default image tag \"ghcr.io/Nine-Minds/alga:X:Y\": couldn't parse image name \"ghcr.io/Nine-Minds/alga:X:Y\": invalid reference format: repository name (Nine-Minds/alga) must be lowercase";
        assert_eq!(w.waiting("invalid"), ("InvalidImageName".into(), text.into()));
        assert_eq!(w.waiting("never").0, "ErrImageNeverPull");
        assert!(w.has_event("never", "Error: ErrImageNeverPull"));
    });
}
