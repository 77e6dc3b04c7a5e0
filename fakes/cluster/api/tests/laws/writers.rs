//! No write is lost, however many write at once.

use crate::world::World;
use futures::future::join_all;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams, PostParams};
use proptest::prelude::{ProptestConfig, prop};
use proptest::test_runner::TestRunner;
use serde_json::json;

const WRITERS: usize = 64;
const COUNTERS: usize = 4;

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() })
}

fn empty(name: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}})).expect("a config map")
}

fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}

/// Adds one, as often as it takes until nobody else was faster.
async fn count_up(maps: &Api<ConfigMap>, name: &str) {
    loop {
        let mut counter = maps.get(name).await.expect("it is there");
        let data = counter.data.get_or_insert_default();
        let count: u64 = data.get("count").and_then(|count| count.parse().ok()).unwrap_or(0);
        data.insert("count".to_owned(), (count + 1).to_string());
        match maps.replace(name, &PostParams::default(), &counter).await {
            Ok(_) => return,
            Err(error) => assert!(is_conflict(&error), "{error}"),
        }
    }
}

#[test]
fn counters_with_sixty_four_optimistic_writers_count_every_write() {
    let world = World::start();
    let plan = prop::collection::vec(prop::collection::vec(0..COUNTERS, 1..4), WRITERS);
    let outcome = runner(3).run(&plan, |plan| {
        let maps: Api<ConfigMap> = Api::namespaced(world.client.clone(), &world.namespace());
        let name = |number: usize| format!("counter-{number}");
        world.runtime.block_on(async {
            for number in 0..COUNTERS {
                maps.create(&PostParams::default(), &empty(&name(number))).await.expect("created");
            }
            let writers = plan.iter().cloned().map(|counters| {
                let maps = maps.clone();
                tokio::spawn(async move {
                    for counter in counters {
                        count_up(&maps, &name(counter)).await;
                    }
                })
            });
            join_all(writers).await.into_iter().for_each(|ended| ended.expect("no writer fails"));
            for number in 0..COUNTERS {
                let wanted = plan.iter().flatten().filter(|counter| **counter == number).count();
                let counter = maps.get(&name(number)).await.expect("it is there");
                let count = counter.data.and_then(|data| data.get("count")?.parse().ok()).unwrap_or(0);
                assert_eq!(count, wanted, "counter {number}");
            }
        });
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// How a writer without a version adds its own key.
#[derive(Clone, Copy, Debug)]
enum Way {
    Merge,
    Strategic,
    Apply,
}

#[test]
fn patches_without_a_version_of_sixty_four_writers_are_all_there() {
    let world = World::start();
    let way = prop::sample::select(vec![Way::Merge, Way::Strategic, Way::Apply]);
    let plan = prop::collection::vec(prop::collection::vec(way, 1..4), WRITERS);
    let outcome = runner(4).run(&plan, |plan| {
        let maps: Api<ConfigMap> = Api::namespaced(world.client.clone(), &world.namespace());
        world.runtime.block_on(async {
            maps.create(&PostParams::default(), &empty("shared")).await.expect("created");
            let writers = plan.iter().cloned().enumerate().map(|(writer, ways)| {
                let maps = maps.clone();
                tokio::spawn(async move {
                    for (number, way) in ways.into_iter().enumerate() {
                        add(&maps, &format!("w{writer}-{number}"), way).await;
                    }
                })
            });
            join_all(writers).await.into_iter().for_each(|ended| ended.expect("no writer fails"));
            let shared = maps.get("shared").await.expect("it is there");
            let mut keys: Vec<String> = shared.data.unwrap_or_default().into_keys().collect();
            let mut wanted: Vec<String> = plan
                .iter()
                .enumerate()
                .flat_map(|(writer, ways)| (0..ways.len()).map(move |number| format!("w{writer}-{number}")))
                .collect();
            keys.sort();
            wanted.sort();
            assert_eq!(keys, wanted);
        });
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// Each applies with a manager per key, since a manager's next apply would take its last key back.
async fn add(maps: &Api<ConfigMap>, key: &str, way: Way) {
    let change = json!({"data": {key: "1"}});
    let outcome = match way {
        Way::Merge => maps.patch("shared", &PatchParams::default(), &Patch::Merge(change)).await,
        Way::Strategic => maps.patch("shared", &PatchParams::default(), &Patch::Strategic(change)).await,
        Way::Apply => {
            let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared"}});
            object["data"] = change["data"].clone();
            maps.patch("shared", &PatchParams::apply(key), &Patch::Apply(object)).await
        }
    };
    let patched = outcome.expect("a patch without a version meets no conflict");
    assert_eq!(patched.name_any(), "shared");
}
