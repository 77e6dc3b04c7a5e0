//! Real means: a listener that stops, with no fault declared, looks like the fault of that name.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use field_clock::{FieldRuntime, Options};
use futures::future::{Either, join, select};
use regex::Regex;
use serde_json::Value;

use super::{Arc, BootRequest, BootstrapOptions, FaultUse, NAME, Network, SimWorld, World, mpsc};
use crate::fault::{self, Params};
use crate::recorder::Recorder;
use crate::timeline::{Header, Journal, VERSION, What};
use crate::world::{Binaries, Speed};
use cluster_api::kinds;

/// After this long everything that retries has said what it has to say.
const A_WHILE: Duration = Duration::from_secs(240);

/// What a world looks like from inside and from outside.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    blockers: Vec<String>,
    rollup: String,
    waiting: BTreeSet<String>,
}

/// `cargo test` makes the binaries before it runs a test of any crate.
fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join(name);
    assert!(path.is_file(), "{} is not there; make it with: cargo build --bins", path.display());
    path
}

/// Installs an appliance and causes trouble as soon as its application is to be pulled.
fn seen_after(cause: impl AsyncFn(&SimWorld)) -> Seen {
    let home = tempfile::tempdir().unwrap();
    let request = BootRequest {
        directory: home.path().to_owned(),
        release: "1.0-rc5".to_owned(),
        profile: "single-node".to_owned(),
        speed: Speed::UNLIMITED,
        seed: 1,
        cluster: Default::default(),
        machine: Default::default(),
        beginning: Default::default(),
        binaries: Binaries { appliance: binary("appliance"), appliance_status: binary("appliance-status") },
        status_command: None,
        operator_command: None,
    };
    let network = Network::claim().unwrap();
    let runtime = FieldRuntime::start(Options::default()).unwrap();
    let clock = runtime.clock().clone();
    runtime.block_on(async {
        let world = SimWorld::boot(&request, network, clock.clone()).await.unwrap();
        let journal = Journal::create(&home.path().join("timeline.jsonl"), clock, header()).unwrap();
        let recorder = Recorder::new(&world, journal.clone());
        let background = join(recorder.run(), install(&world));
        let seen =
            match select(std::pin::pin!(watch(&world, &journal, cause)), std::pin::pin!(background)).await {
                Either::Left((seen, _)) => seen,
                Either::Right(_) => unreachable!("a recorder never ends"),
            };
        Box::new(world).down().await.unwrap();
        seen
    })
}

async fn install(world: &SimWorld) {
    let options = BootstrapOptions {
        release: "1.0-rc5".to_owned(),
        profile: "single-node".to_owned(),
        ceiling: Duration::from_secs(7200),
        ..BootstrapOptions::default()
    };
    let (lines, _unheard) = mpsc::unbounded_channel();
    world.run_bootstrap(&options, lines).await.unwrap();
}

async fn watch(world: &SimWorld, journal: &Journal, cause: impl AsyncFn(&SimWorld)) -> Seen {
    first_pod_of_the_application(world).await;
    cause(world).await;
    document_with(journal, |document| document["topBlockers"].as_array().is_some_and(|all| !all.is_empty()))
        .await;
    world.clock().sleep(A_WHILE).await;
    let document = last_document(journal).unwrap();
    let blockers = document["topBlockers"].as_array().unwrap().iter().map(|blocker| {
        let text = |field: &str| blocker[field].as_str().unwrap_or_default().to_owned();
        let blocking = &blocker["loginBlocking"];
        normal(&format!("{} of {} ({blocking}): {}", text("code"), text("component"), text("reason")))
    });
    let blockers = blockers.collect();
    Seen { blockers, rollup: document["rollup"]["state"].to_string(), waiting: waiting(world) }
}

/// What pods say that cannot pull their images.
fn waiting(world: &SimWorld) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for pod in world.store().list(&kinds::PODS, None) {
        for list in ["initContainerStatuses", "containerStatuses"] {
            for status in pod["status"][list].as_array().into_iter().flatten() {
                let waiting = &status["state"]["waiting"];
                let message = waiting["message"].as_str().unwrap_or_default();
                if ["ErrImagePull", "ImagePullBackOff"]
                    .contains(&waiting["reason"].as_str().unwrap_or_default())
                {
                    // A pod backs off from what it could not pull; the two alternate.
                    let cause = message.split_once("ErrImagePull: ").map_or(message, |(_, cause)| cause);
                    found.insert(normal(cause));
                }
            }
        }
    }
    found
}

/// Without what differs between two worlds in which the same thing happened.
fn normal(text: &str) -> String {
    let addresses = Regex::new(r"127\.\d+\.\d+\.(\d+)").unwrap().replace_all(text, "127.x.y.$1");
    // The port a client happened to have.
    let clients = Regex::new(r"127\.x\.y\.\d+:\d+->").unwrap().replace_all(&addresses, "client->");
    let images = Regex::new(r#""[^" ]*:[^" /]+""#).unwrap().replace_all(&clients, "\"image\"");
    Regex::new(r#""https://([^/"]+)/[^"]*""#).unwrap().replace_all(&images, "\"https://$1/…\"").into_owned()
}

/// By then the source and the first charts are there, and the images are not.
async fn first_pod_of_the_application(world: &SimWorld) {
    let mut changes = world.changes();
    while world.store().list(&kinds::PODS, Some("msp")).is_empty() {
        changes.changed().await.unwrap();
    }
}

async fn document_with(journal: &Journal, fits: impl Fn(&Value) -> bool) {
    let mut looks = journal.looks();
    while !last_document(journal).is_some_and(|document| fits(&document)) {
        looks.changed().await.unwrap();
    }
}

fn last_document(journal: &Journal) -> Option<Arc<Value>> {
    let mut last = None;
    journal.since(&mut 0, |event| {
        if let What::Status { document, .. } = &event.what {
            last = Some(Arc::clone(document));
        }
    });
    last
}

fn header() -> Header {
    let text = |text: &str| text.to_owned();
    let (scenario, world, release) = (text("listeners"), text(NAME), text("1.0-rc5"));
    Header {
        version: VERSION,
        scenario,
        world,
        release,
        profile: text("single-node"),
        speed: text("max"),
        seed: 1,
        login_url: None,
        claims: None,
    }
}

async fn declare(world: &SimWorld, name: &str) {
    let kind = fault::fault(name).unwrap();
    world.inject(&FaultUse { kind, params: Params::default(), at: None }).await.unwrap();
}

#[test]
fn a_resolver_that_has_stopped_looks_like_one_that_refuses() {
    let declared = seen_after(async |world| declare(world, "dns.refused").await);
    let stopped = seen_after(async |world| world.servers.dns.control().stop().await);
    assert_eq!(declared, stopped);
    assert!(stopped.blockers[0].starts_with("dns of "), "{stopped:#?}");
    assert!(
        stopped.waiting.iter().any(|said| said.contains("lookup ghcr.io on 127.x.y.2:53")),
        "{stopped:#?}"
    );
}

#[test]
fn a_registry_that_has_stopped_looks_like_one_that_is_unreachable() {
    let declared = seen_after(async |world| declare(world, "registry.unreachable").await);
    let stopped = seen_after(async |world| world.servers.registry.control().stop().await);
    assert_eq!(declared, stopped);
    assert!(stopped.blockers[0].starts_with("image-registry of "), "{stopped:#?}");
    assert!(stopped.waiting.iter().any(|said| said.contains("dial tcp 127.x.y.3:443")), "{stopped:#?}");
}
