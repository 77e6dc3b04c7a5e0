//! Versions only grow, and a watch from a list's version sees every later change exactly once, in order, however often it is
//! broken off and resumed.

use std::time::Duration;

use crate::world::World;
use field_clock::Clock;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_oneof};
use proptest::test_runner::TestRunner;
use serde_json::json;
use tokio::task::JoinHandle;

/// One request to one of a few config maps.
#[derive(Clone, Debug)]
enum Step {
    Create(u8),
    Patch(u8, u8),
    Replace(u8, u8),
    Delete(u8),
    /// Somebody lists, and watches from there; broken off after each of these many events.
    Watch(Vec<usize>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (0..4_u8).prop_map(Step::Create),
        3 => (0..4_u8, any::<u8>()).prop_map(|(name, value)| Step::Patch(name, value % 3)),
        2 => (0..4_u8, any::<u8>()).prop_map(|(name, value)| Step::Replace(name, value % 3)),
        2 => (0..4_u8).prop_map(Step::Delete),
        1 => prop::collection::vec(1..4_usize, 0..4).prop_map(Step::Watch),
    ];
    prop::collection::vec(step, 1..40)
}

/// A change as its author or its watcher knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    verb: &'static str,
    name: String,
    value: String,
}

const LAST: &str = "last";

fn value_of(map: &ConfigMap) -> String {
    map.data.as_ref().and_then(|data| data.get("x")).cloned().unwrap_or_default()
}

fn told(verb: &'static str, map: &ConfigMap) -> Told {
    Told { verb, name: map.name_any(), value: value_of(map) }
}

fn map(name: &str, value: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": {"x": value}})).expect("a config map")
}

fn version(text: Option<String>) -> u64 {
    text.expect("a version").parse().expect("a number")
}

/// Who writes, what came of it, and the newest version seen.
struct Author {
    maps: Api<ConfigMap>,
    history: Vec<Told>,
    newest: u64,
}

impl Author {
    /// A write was answered with this object. One that changed nothing has no new version.
    fn wrote(&mut self, verb: &'static str, map: &ConfigMap) {
        let version = version(map.resource_version());
        assert!(version > self.newest || verb == "modified", "{version} after {}", self.newest);
        if version > self.newest {
            self.newest = version;
            self.history.push(told(verb, map));
        }
    }

    async fn run(&mut self, step: &Step) {
        let name = |number: u8| format!("m{number}");
        let outcome = match step {
            Step::Create(n) => self
                .maps
                .create(&PostParams::default(), &map(&name(*n), "0"))
                .await
                .map(|made| ("added", made)),
            Step::Patch(n, value) => {
                let patch = Patch::Merge(json!({"data": {"x": value.to_string()}}));
                self.maps
                    .patch(&name(*n), &PatchParams::default(), &patch)
                    .await
                    .map(|made| ("modified", made))
            }
            Step::Replace(n, value) => {
                let wanted = map(&name(*n), &value.to_string());
                self.maps
                    .replace(&name(*n), &PostParams::default(), &wanted)
                    .await
                    .map(|made| ("modified", made))
            }
            Step::Delete(n) => return self.delete(&name(*n)).await,
            Step::Watch(_) => return,
        };
        match outcome {
            Ok((verb, made)) => self.wrote(verb, &made),
            Err(kube::Error::Api(status)) => assert!(status.code == 404 || status.code == 409, "{status:?}"),
            Err(error) => panic!("{error}"),
        }
    }

    async fn delete(&mut self, name: &str) {
        let Some(before) = self.maps.get_opt(name).await.expect("an answer") else { return };
        self.maps.delete(name, &DeleteParams::default()).await.expect("it is there");
        self.history.push(told("deleted", &before));
    }

    /// Lists, and follows from there on a task of its own; answers where in the history the list stands.
    async fn watch(&mut self, breaks: &[usize]) -> (usize, JoinHandle<Vec<Told>>) {
        let list = self.maps.list(&ListParams::default()).await.expect("a list");
        let from = version(list.metadata.resource_version);
        assert!(from >= self.newest, "a list is not older than what was written before");
        self.newest = from;
        (self.history.len(), tokio::spawn(follow(self.maps.clone(), from, breaks.to_vec())))
    }
}

/// Everything that a watch shows until the last object comes, resumed after each of these many events.
async fn follow(maps: Api<ConfigMap>, mut from: u64, breaks: Vec<usize>) -> Vec<Told> {
    let mut seen = Vec::new();
    let mut breaks = breaks.into_iter();
    loop {
        let mut left = breaks.next().unwrap_or(usize::MAX);
        let params = WatchParams::default();
        let mut events = maps.watch(&params, &from.to_string()).await.expect("a watch").boxed();
        while left > 0 {
            let event = Clock::wall().timeout(Duration::from_secs(20), events.try_next()).await;
            let (verb, object) = match event.expect("in time").expect("no error") {
                Some(WatchEvent::Added(object)) => ("added", object),
                Some(WatchEvent::Modified(object)) => ("modified", object),
                Some(WatchEvent::Deleted(object)) => ("deleted", object),
                other => panic!("{other:?}"),
            };
            let at = version(object.resource_version());
            assert!(at > from, "version {at} after {from}");
            (from, left) = (at, left - 1);
            if object.name_any() == LAST {
                return seen;
            }
            if object.name_any() != "kube-root-ca.crt" {
                seen.push(told(verb, &object));
            }
        }
    }
}

#[test]
fn every_watcher_sees_every_later_change_once_and_versions_only_grow() {
    let world = World::start();
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() });
    let outcome = runner.run(&steps(), |steps| {
        let maps: Api<ConfigMap> = Api::namespaced(world.client.clone(), &world.namespace());
        world.runtime.block_on(async {
            let mut author = Author { maps: maps.clone(), history: Vec::new(), newest: 0 };
            let mut watchers = vec![author.watch(&[1, 2]).await];
            for step in &steps {
                if let Step::Watch(breaks) = step {
                    watchers.push(author.watch(breaks).await);
                } else {
                    author.run(step).await;
                }
            }
            author.maps.create(&PostParams::default(), &map(LAST, "")).await.expect("created");
            for (from, watcher) in watchers {
                assert_eq!(watcher.await.expect("it ends"), author.history[from..]);
            }
        });
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
