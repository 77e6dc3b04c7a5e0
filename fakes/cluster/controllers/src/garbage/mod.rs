//! Garbage collection: what is owned by nothing that exists goes away.

mod graph;

use std::sync::Arc;

use cluster_api::{Propagation, Res, Store, Verb, kinds, object};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::control::note;
use crate::resources;
use graph::{Graph, Identity};

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

struct Seen {
    res: Res,
    verb: Verb,
    object: Arc<Value>,
}

/// How things are with an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It is there, and stays or goes at once.
    Solid,
    /// It is deleted and waits for its dependents.
    Waiting,
    /// It is not there.
    Gone,
}

struct Collector {
    store: Store,
    graph: Graph,
}

pub(crate) fn start(store: &Store, stop: &CancellationToken) {
    let (sender, mut seen) = mpsc::unbounded_channel();
    for res in resources::built_in() {
        follow(store, stop, res, &sender);
    }
    follow_definitions(store, stop, sender);
    let mut collector = Collector { store: store.clone(), graph: Graph::default() };
    tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
        while let Some(seen) = seen.recv().await {
            collector.take(seen);
        }
    }));
}

fn follow(store: &Store, stop: &CancellationToken, res: Res, sender: &mpsc::UnboundedSender<Seen>) {
    let (store, sender) = (store.clone(), sender.clone());
    tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
        loop {
            let mut watch = store.watch(&res, None);
            while let Some(event) = watch.next().await {
                let seen = Seen { res: res.clone(), verb: event.verb, object: event.object };
                if sender.send(seen).is_err() {
                    return;
                }
            }
        }
    }));
}

/// Custom resources are followed from the moment their CRD exists.
fn follow_definitions(store: &Store, stop: &CancellationToken, sender: mpsc::UnboundedSender<Seen>) {
    let (store, stop_all) = (store.clone(), stop.clone());
    tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
        let mut followed = std::collections::HashSet::new();
        loop {
            let mut watch = store.watch(&kinds::CRDS, None);
            while let Some(event) = watch.next().await {
                if let Some(res) = resources::of_definition(&event.object)
                    && followed.insert(res.clone())
                {
                    follow(&store, &stop_all, res, &sender);
                }
            }
        }
    }));
}

impl Collector {
    fn take(&mut self, seen: Seen) {
        let identity = Identity::of(&seen.res, &seen.object);
        let uid = object::uid(&seen.object).to_owned();
        if seen.verb == Verb::Deleted {
            let owners = self.graph.forget(&identity, &uid);
            for dependent in self.graph.dependents(&uid) {
                self.check(&dependent);
            }
            for owner in owners.iter().filter_map(|owner| self.graph.identity(owner)) {
                self.check_deleting(&owner);
            }
            return;
        }
        let freed = self.graph.learn(&identity, &seen.object);
        if freed.is_some() {
            self.check(&identity);
        }
        for owner in freed.iter().flatten().filter_map(|owner| self.graph.identity(owner)) {
            self.check_deleting(&owner);
        }
        if object::is_deleting(&seen.object) {
            self.check_deleting(&identity);
        }
    }

    /// Deletes an object that no owner holds any more; one that another owner still holds forgets those that are gone or going.
    fn check(&self, identity: &Identity) {
        let Some(found) = identity.get(&self.store) else { return };
        let owners = found["metadata"]["ownerReferences"].as_array().map_or(&[][..], Vec::as_slice);
        if owners.is_empty() || object::is_deleting(&found) {
            return;
        }
        let standing: Vec<Standing> = owners.iter().map(|owner| self.standing(&found, owner)).collect();
        if standing.contains(&Standing::Solid) {
            let lost = owners.iter().zip(&standing).filter(|(_, standing)| **standing != Standing::Solid);
            let lost: Vec<&str> = lost.filter_map(|(owner, _)| owner["uid"].as_str()).collect();
            if !lost.is_empty() {
                let forget = |object: &mut Value| lost.iter().for_each(|uid| disown(object, uid));
                note("forget owners", identity.modify(&self.store, forget));
            }
            return;
        }
        let dependents = self.graph.dependents(object::uid(&found));
        let waited_for = standing.contains(&Standing::Waiting) && !dependents.is_empty();
        let propagation = if waited_for {
            let waits = |dependent: &Identity| dependent.get(&self.store).is_some_and(|d| is_waiting(&d));
            // In a circle, each would wait for the other.
            if dependents.iter().any(waits) {
                note("unblock owners", identity.modify(&self.store, unblock));
            }
            Propagation::Foreground
        } else if object::has_finalizer(&found, ORPHAN) {
            Propagation::Orphan
        } else if object::has_finalizer(&found, FOREGROUND) {
            Propagation::Foreground
        } else {
            Propagation::Background
        };
        note("collect garbage", identity.delete(&self.store, propagation));
    }

    fn standing(&self, dependent: &Value, owner: &Value) -> Standing {
        let field = |name: &str| owner[name].as_str().unwrap_or_default();
        let Some(info) = self.store.resolve_kind(field("apiVersion"), field("kind")) else {
            return Standing::Solid;
        };
        let namespace = if info.namespaced { object::namespace(dependent) } else { "" };
        let found = self.store.get(&info.res, namespace, field("name"));
        match found.filter(|found| object::uid(found) == field("uid")) {
            None => Standing::Gone,
            Some(found) if is_waiting(&found) => Standing::Waiting,
            Some(_) => Standing::Solid,
        }
    }

    /// Does what a deletion that is under way waits for.
    fn check_deleting(&self, identity: &Identity) {
        let Some(found) = identity.get(&self.store) else { return };
        if !object::is_deleting(&found) {
            return;
        }
        let uid = object::uid(&found);
        if object::has_finalizer(&found, ORPHAN) {
            for dependent in self.graph.dependents(uid) {
                note("orphan a dependent", dependent.modify(&self.store, |object| disown(object, uid)));
            }
            note(
                "end orphaning",
                identity.modify(&self.store, |object| object::remove_finalizer(object, ORPHAN)),
            );
        } else if object::has_finalizer(&found, FOREGROUND) {
            let mut blocked = false;
            for dependent in self.graph.dependents(uid) {
                let Some(object) = dependent.get(&self.store) else { continue };
                if !object::is_deleting(&object) {
                    self.check(&dependent);
                }
                blocked |= dependent.get(&self.store).is_some_and(|left| blocks(&left, uid));
            }
            if !blocked {
                let outcome =
                    identity.modify(&self.store, |object| object::remove_finalizer(object, FOREGROUND));
                note("end foreground deletion", outcome);
            }
        }
    }
}

/// Whether an object is deleted and waits for what it owns.
fn is_waiting(object: &Value) -> bool {
    object::is_deleting(object) && object::has_finalizer(object, FOREGROUND)
}

fn unblock(dependent: &mut Value) {
    for reference in object::items_mut(dependent, &["metadata", "ownerReferences"]) {
        reference["blockOwnerDeletion"] = Value::Bool(false);
    }
}

fn blocks(dependent: &Value, owner: &str) -> bool {
    let owners = dependent["metadata"]["ownerReferences"].as_array().map_or(&[][..], Vec::as_slice);
    owners.iter().any(|reference| reference["uid"] == owner && reference["blockOwnerDeletion"] == true)
}

fn disown(dependent: &mut Value, owner: &str) {
    let Some(meta) = dependent["metadata"].as_object_mut() else { return };
    let Some(owners) = meta.get_mut("ownerReferences").and_then(Value::as_array_mut) else { return };
    owners.retain(|reference| reference["uid"] != owner);
    if owners.is_empty() {
        meta.shift_remove("ownerReferences");
    }
}
