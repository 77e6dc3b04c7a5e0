//! Each registry fault as a client sees it.

use std::num::NonZeroU64;

use fake_network::{Digest, Effect, ImageSpec, Progress, RegistryFault, RegistryReceipt, Times};
use futures::StreamExt;
use reqwest::Method;
use serde_json::Value;

use crate::setup::World;

fn last(world: &World) -> RegistryReceipt {
    world.control.receipts().pop().unwrap()
}

fn struck(receipt: &RegistryReceipt) -> Vec<&str> {
    receipt.faults.iter().map(|fault| &*fault.effect).collect()
}

const APP: &str = "ghcr.io/v2/org/app/manifests/1";

#[tokio::test]
async fn a_missing_tag_is_gone_and_healing_publishes_it() {
    let world = World::start().await;
    world.push_app("1", 0);
    world.push_app("2", 0);
    let fault = world.control.inject(RegistryFault::on("ghcr.io/org/app:1", Effect::MissingTag)).await;
    assert_eq!(world.control.taken_by(fault)[0].tag(), "1");
    let gone = world.get(APP).await;
    assert_eq!(gone.status(), 404);
    assert_eq!(gone.json::<Value>().await.unwrap()["errors"][0]["code"], "MANIFEST_UNKNOWN");
    assert_eq!(last(&world).faults[0].id, fault);
    assert_eq!(struck(&last(&world)), ["missing-tag"]);
    assert_eq!(world.head("ghcr.io/v2/org/app/manifests/2").await.status(), 200);
    world.control.heal(fault).await.unwrap();
    assert_eq!(world.head(APP).await.status(), 200);
    assert!(last(&world).faults.is_empty());
}

#[tokio::test]
async fn publishing_a_missing_tag_cures_it_and_healing_leaves_what_was_published() {
    let world = World::start().await;
    world.push_app("1", 0);
    let fault = world.control.inject(RegistryFault::on("ghcr.io/org/*:1", Effect::MissingTag)).await;
    let newer = world.push_app("1", 10);
    assert_eq!(world.head(APP).await.headers()["docker-content-digest"], newer);
    world.control.heal(fault).await.unwrap();
    assert_eq!(world.head(APP).await.headers()["docker-content-digest"], newer);
    let nothing = world.control.inject(RegistryFault::on("ghcr.io/org/typo:1", Effect::MissingTag)).await;
    assert!(world.control.taken_by(nothing).is_empty(), "a fault that lands nowhere can be told");
}

#[tokio::test]
async fn a_refusal_has_the_status_and_the_code_of_real_registries() {
    let world = World::start().await;
    world.push_app("1", 0);
    for (effect, status, code) in [
        (Effect::Unauthorized, 401, "UNAUTHORIZED"),
        (Effect::Forbidden, 403, "DENIED"),
        (Effect::RateLimited { retry_after: 30 }, 429, "TOOMANYREQUESTS"),
        (Effect::Error { status: 500 }, 500, "UNKNOWN"),
        (Effect::Error { status: 503 }, 503, "UNAVAILABLE"),
    ] {
        let name = effect.name();
        let fault = world.control.inject(RegistryFault::on("ghcr.io/org/app", effect)).await;
        let refused = world.get(APP).await;
        assert_eq!(refused.status(), status);
        if status == 429 {
            assert_eq!(refused.headers()["retry-after"], "30");
        }
        assert_eq!(refused.json::<Value>().await.unwrap()["errors"][0]["code"], code);
        assert_eq!((last(&world).status, struck(&last(&world))), (Some(status), vec![name]));
        assert_eq!(world.head("ghcr.io/v2/org/other/manifests/1").await.status(), 404);
        world.control.heal(fault).await.unwrap();
        assert_eq!(world.head(APP).await.status(), 200);
    }
}

#[tokio::test]
async fn a_client_that_is_not_known_is_sent_to_a_token_service_that_does_not_know_it_either() {
    let world = World::start().await;
    world.push_app("1", 0);
    world.control.inject(RegistryFault::on("ghcr.io/org/app:1", Effect::Unauthorized)).await;
    let challenge = world.head(APP).await.headers()["www-authenticate"].to_str().unwrap().to_owned();
    let port = world.registry.address().port();
    let realm = format!("Bearer realm=\"https://ghcr.io:{port}/token\",service=\"ghcr.io\",");
    assert_eq!(challenge, format!("{realm}scope=\"repository:org/app:pull\""));
    let token = "ghcr.io/token?service=ghcr.io&scope=repository%3Aorg%2Fapp%3Apull";
    assert_eq!(world.get(token).await.status(), 401);
    let other = world.get("ghcr.io/token?service=ghcr.io&scope=repository%3Aorg%2Fother%3Apull").await;
    assert_eq!(other.json::<Value>().await.unwrap()["token"], "anonymous");
}

#[tokio::test]
async fn a_fault_on_a_tag_is_met_by_everything_below_the_tag_and_by_nothing_else() {
    let world = World::start().await;
    let one = world.push_app("1", 100);
    let other = world.control.push_image("ghcr.io/org/app", "2", &ImageSpec::program(["/other"])).unwrap();
    let (layer, _) = world.app_layer("1").await;
    world.control.inject(RegistryFault::on("ghcr.io/org/app:1", Effect::Forbidden)).await;
    assert_eq!(world.head(&format!("ghcr.io/v2/org/app/manifests/{one}")).await.status(), 403);
    assert_eq!(world.head(&layer).await.status(), 403);
    assert_eq!(world.head(&format!("ghcr.io/v2/org/app/manifests/{other}")).await.status(), 200);
    assert_eq!(world.head("ghcr.io/v2/org/app/manifests/2").await.status(), 200);
    assert_eq!(world.get("ghcr.io/v2/").await.status(), 200);
}

#[tokio::test]
async fn a_cut_transfer_breaks_off_after_so_many_bytes_and_going_on_does_not_help() {
    let world = World::start().await;
    world.push_app("1", 300_000);
    let (path, length) = world.app_layer("1").await;
    let fault =
        world.control.inject(RegistryFault::on("ghcr.io/org/app:1", Effect::Cut { after: 150_000 })).await;
    for (range, expected) in [("bytes=0-", 150_000), ("bytes=100000-", 50_000), ("bytes=150000-", 0)] {
        let response = world.request(Method::GET, &path).header("range", range).send().await.unwrap();
        assert_eq!(response.status(), 206);
        let promised = response.content_length().unwrap();
        assert_eq!(promised, length - (range[6..range.len() - 1].parse::<u64>().unwrap()));
        let mut received = 0;
        let mut body = response.bytes_stream();
        let broken = loop {
            match body.next().await {
                Some(Ok(bytes)) => received += bytes.len() as u64,
                Some(Err(error)) => break error,
                None => panic!("the body ended in peace"),
            }
        };
        assert_eq!(received, expected, "{broken:?}");
        let receipt = last(&world);
        assert_eq!((receipt.bytes, receipt.progress), (expected, Progress::Cut));
        assert_eq!(struck(&receipt), ["cut"]);
    }
    assert_eq!(world.head(APP).await.status(), 200);
    world.control.heal(fault).await.unwrap();
    assert_eq!(world.get(&path).await.bytes().await.unwrap().len() as u64, length);
}

#[tokio::test]
async fn a_transfer_that_is_cut_once_works_the_second_time() {
    let world = World::start().await;
    world.push_app("1", 10_000);
    let (path, length) = world.app_layer("1").await;
    world.control.inject(RegistryFault::all(Effect::Cut { after: 5_000 }).times(Times::First(1))).await;
    assert!(world.get(&path).await.bytes().await.is_err());
    assert_eq!(world.get(&path).await.bytes().await.unwrap().len() as u64, length);
}

#[tokio::test]
async fn a_blob_with_a_bad_digest_is_as_long_as_it_should_be_and_differs() {
    let world = World::start().await;
    world.push_app("1", 1_000);
    let (path, length) = world.app_layer("1").await;
    world.control.inject(RegistryFault::on("ghcr.io/org/app", Effect::BadDigest)).await;
    let bytes = world.get(&path).await.bytes().await.unwrap();
    assert_eq!(bytes.len() as u64, length);
    assert!(!path.ends_with(Digest::of(&bytes).as_str()));
    assert_eq!(struck(&last(&world)), ["bad-digest"]);
}

#[tokio::test]
async fn a_receipt_of_a_slow_transfer_is_there_while_it_lasts() {
    let world = World::start().await;
    world.push_app("1", 10_000);
    let (path, _) = world.app_layer("1").await;
    let slow = Effect::Slow { bytes_per_second: NonZeroU64::new(1).unwrap() };
    world.control.inject(RegistryFault::on("ghcr.io/org/app:1", slow)).await;
    let response = world.get(&path).await;
    assert_eq!((last(&world).progress, struck(&last(&world))), (Progress::Sending, vec!["slow"]));
    drop(response);
    world.control.stop().await;
    assert_eq!(last(&world).progress, Progress::Abandoned);
}

#[test]
fn faults_are_data() {
    let text = r#"{"target":{"host":"ghcr.io","repository":"org/*","reference":"1"},"effect":{"slow":{"bytes_per_second":9}}}"#;
    let fault: RegistryFault = serde_json::from_str(text).unwrap();
    let slow = Effect::Slow { bytes_per_second: NonZeroU64::new(9).unwrap() };
    assert_eq!(fault, RegistryFault::on("ghcr.io/org/*:1", slow));
    assert!(serde_json::from_str::<RegistryFault>(r#"{"effect":"bad-digest","tagret":{}}"#).is_err());
}
