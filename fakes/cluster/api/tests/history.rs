//! Histories of random writes: what versions and watches promise.

use cluster_api::{Propagation, Store, Verb, WatchEvent, kinds, object};
use field_clock::Clock;
use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One write to one of a few config maps.
#[derive(Clone, Debug)]
enum Step {
    Create(u8),
    Change(u8, u8),
    Delete(u8),
    Watch,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..4_u8).prop_map(Step::Create),
        (0..4_u8, any::<u8>()).prop_map(|(name, value)| Step::Change(name, value % 3)),
        (0..4_u8).prop_map(Step::Delete),
        proptest::strategy::Just(Step::Watch),
    ];
    prop::collection::vec(step, 1..60)
}

fn name(number: u8) -> String {
    format!("m{number}")
}

fn run(store: &Store, step: &Step) {
    let res = kinds::CONFIG_MAPS;
    let outcome = match step {
        Step::Create(n) => store
            .create(&res, json!({"metadata": {"name": name(*n), "namespace": "default"}, "data": {"x": "0"}}))
            .map(drop),
        Step::Change(n, value) => store
            .modify(&res, "default", &name(*n), |map| map["data"]["x"] = json!(value.to_string()))
            .map(drop),
        Step::Delete(n) => store.delete(&res, "default", &name(*n), Propagation::Background),
        Step::Watch => Ok(()),
    };
    if let Err(refused) = outcome {
        assert!(refused.is_not_found() || refused.is_already_exists(), "{refused}");
    }
}

/// What somebody who applies a watch's events believes.
fn believe(world: &mut BTreeMap<String, Value>, event: &WatchEvent) {
    let name = object::name(&event.object).to_owned();
    match event.verb {
        Verb::Added => assert!(world.insert(name, Value::clone(&event.object)).is_none(), "added twice"),
        Verb::Modified => {
            assert!(world.insert(name, Value::clone(&event.object)).is_some(), "modified before added")
        }
        Verb::Deleted => assert!(world.remove(&name).is_some(), "deleted before added"),
    }
}

fn version(object: &Value) -> u64 {
    object::resource_version(object).parse().expect("a number")
}

proptest! {
    #[test]
    fn every_watch_sees_each_later_change_once_and_ends_with_the_truth(steps in steps()) {
        let store = Store::new(Clock::wall());
        let mut watches = vec![store.watch(&kinds::CONFIG_MAPS, None)];
        for step in &steps {
            run(&store, step);
            if matches!(step, Step::Watch) {
                watches.push(store.watch(&kinds::CONFIG_MAPS, Some("default")));
            }
        }
        let truth: BTreeMap<String, Value> = store
            .list(&kinds::CONFIG_MAPS, None)
            .iter()
            .map(|map| (object::name(map).to_owned(), Value::clone(map)))
            .collect();
        for mut watch in watches {
            let mut world = BTreeMap::new();
            while let Some(event) = watch.try_next() {
                believe(&mut world, &event);
            }
            assert_eq!(world, truth);
        }
    }

    #[test]
    fn versions_only_grow(steps in steps()) {
        let store = Store::new(Clock::wall());
        let mut watch = store.watch(&kinds::CONFIG_MAPS, None);
        let mut last = store.version();
        for step in &steps {
            run(&store, step);
            while let Some(event) = watch.try_next() {
                let version = version(&event.object);
                assert!(version > last, "{version} after {last}");
                last = version;
            }
            assert!(store.version() >= last);
        }
    }
}
