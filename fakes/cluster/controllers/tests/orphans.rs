//! No orphan outlives its owner: random families, deleted in random ways.

#[expect(dead_code, reason = "each test program uses a part of it")]
mod cluster;

use std::collections::BTreeSet;

use cluster::World;
use cluster_api::{Propagation, Store, Verb, kinds, object};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};
use serde_json::{Value, json};

/// One to be of a family: whose it is (numbers of those before it) and whether it holds them up.
#[derive(Clone, Debug)]
struct Child {
    owners: BTreeSet<usize>,
    blocks: bool,
}

#[derive(Clone, Debug)]
struct Family {
    children: Vec<Child>,
    deletions: Vec<(usize, Propagation, bool)>,
}

const LARGEST: usize = 12;

fn family() -> impl Strategy<Value = Family> {
    let child = |number: usize| {
        let owners = prop::collection::btree_set(0..number.max(1), 0..=number.min(3));
        (owners, any::<bool>()).prop_map(move |(mut owners, blocks)| {
            owners.retain(|owner| *owner < number);
            Child { owners, blocks }
        })
    };
    let propagation = prop_oneof![Just(Propagation::Background), Just(Propagation::Foreground)];
    (1..LARGEST).prop_flat_map(move |size| {
        let children: Vec<_> = (0..size).map(child).collect();
        let deletions = prop::collection::vec((0..size, propagation.clone(), any::<bool>()), 1..5);
        (children, deletions).prop_map(|(children, deletions)| Family { children, deletions })
    })
}

fn name(number: usize) -> String {
    format!("m{number:02}")
}

/// Makes the family; a child's owners exist before it does.
fn settle(store: &Store, family: &Family) {
    for (number, child) in family.children.iter().enumerate() {
        let references: Vec<Value> = child
            .owners
            .iter()
            .map(|owner| {
                let owner = store.get(&kinds::CONFIG_MAPS, "default", &name(*owner)).expect("made before");
                json!({"apiVersion": "v1", "kind": "ConfigMap", "name": object::name(&owner),
                    "uid": object::uid(&owner), "blockOwnerDeletion": child.blocks})
            })
            .collect();
        let metadata = json!({"name": name(number), "namespace": "default", "ownerReferences": references});
        store.create(&kinds::CONFIG_MAPS, json!({"metadata": metadata})).expect("a valid object");
    }
}

/// Whoever was not deleted, and had no owner or has one still.
fn survivors(family: &Family) -> BTreeSet<String> {
    let mut alive: Vec<bool> = Vec::new();
    for (number, child) in family.children.iter().enumerate() {
        let deleted = family.deletions.iter().any(|(victim, ..)| *victim == number);
        let held = child.owners.is_empty() || child.owners.iter().any(|owner| alive[*owner]);
        alive.push(!deleted && held);
    }
    (0..alive.len()).filter(|number| alive[*number]).map(name).collect()
}

fn family_members(store: &Store) -> BTreeSet<String> {
    let mut maps = store.list(&kinds::CONFIG_MAPS, Some("default"));
    maps.retain(|map| object::name(map).starts_with('m'));
    maps.iter().map(|map| object::name(map).to_owned()).collect()
}

fn owners(object: &Value) -> impl Iterator<Item = (&str, bool)> {
    let references = object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    references.filter_map(|r| Some((r["uid"].as_str()?, r["blockOwnerDeletion"] == true)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whoever_has_no_owner_left_goes_and_nobody_else(family in family()) {
        let world = World::start();
        settle(&world.store, &family);
        for (victim, propagation, pause) in &family.deletions {
            // It may be gone already, with its owner.
            let _ = world.store.delete(&kinds::CONFIG_MAPS, "default", &name(*victim), *propagation);
            if *pause {
                world.pass(1);
            }
        }
        world.pass(30);
        assert_eq!(family_members(&world.store), survivors(&family));
    }

    #[test]
    fn an_owner_that_is_deleted_in_the_foreground_goes_after_those_who_hold_it_up(family in family()) {
        let world = World::start();
        settle(&world.store, &family);
        // The collector knows who owns whom.
        world.pass(1);
        let mut watch = world.store.watch(&kinds::CONFIG_MAPS, Some("default"));
        let (root, foreground) = (name(0), Propagation::Foreground);
        world.store.delete(&kinds::CONFIG_MAPS, "default", &root, foreground).expect("it is there");
        world.pass(30);
        let mut present: std::collections::BTreeMap<String, Value> = std::collections::BTreeMap::new();
        while let Some(event) = watch.try_next() {
            let uid = object::uid(&event.object).to_owned();
            if event.verb != Verb::Deleted {
                present.insert(uid, Value::clone(&event.object));
                continue;
            }
            present.remove(&uid);
            let held = present.values().any(|other| owners(other).any(|(owner, blocks)| owner == uid && blocks));
            assert!(!held, "{} went before what holds it up", object::name(&event.object));
        }
    }

    #[test]
    fn a_child_that_comes_after_its_owner_went_does_not_stay(blocks in any::<bool>()) {
        let world = World::start();
        let family = Family { children: vec![Child { owners: BTreeSet::new(), blocks }], deletions: Vec::new() };
        settle(&world.store, &family);
        let owner = world.get(&kinds::CONFIG_MAPS, &name(0));
        world.store.delete(&kinds::CONFIG_MAPS, "default", &name(0), Propagation::Background).expect("it goes");
        world.create(&kinds::CONFIG_MAPS, json!({"metadata": {"name": "m-late", "namespace": "default",
            "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": name(0), "uid": object::uid(&owner)}]}}));
        world.pass(30);
        assert!(family_members(&world.store).is_empty());
    }
}

#[test]
fn two_who_own_each_other_go_both() {
    let world = World::start();
    let map = |name: &str| json!({"metadata": {"name": name, "namespace": "default"}});
    let uids = ["ma", "mb"].map(|name| {
        let made = world.create(&kinds::CONFIG_MAPS, map(name));
        object::uid(&made).to_owned()
    });
    for (name, owner, uid) in [("ma", "mb", &uids[1]), ("mb", "ma", &uids[0])] {
        let own = |map: &mut Value| {
            map["metadata"]["ownerReferences"] = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": owner,
                "uid": uid, "blockOwnerDeletion": true}]);
        };
        world.store.modify(&kinds::CONFIG_MAPS, "default", name, own).expect("it is there");
    }
    world.pass(1);
    world.store.delete(&kinds::CONFIG_MAPS, "default", "ma", Propagation::Foreground).expect("it is there");
    world.until("both are gone", |store| family_members(store).is_empty());
}
