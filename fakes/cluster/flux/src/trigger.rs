//! What makes a controller look at an object: a new generation, a request, its deletion, another revision of a source.

use std::collections::HashMap;

use cluster_api::{Res, Store, Verb, object};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::work::{Key, Work};

/// Annotations that ask for a reconciliation.
const REQUESTS: [&str; 3] =
    ["reconcile.fluxcd.io/requestedAt", "reconcile.fluxcd.io/forceAt", "reconcile.fluxcd.io/resetAt"];

type Face = (String, i64, bool, [Option<String>; 3]);

fn face(object: &Value) -> Face {
    let requests = REQUESTS.map(|name| object::annotation(object, name).map(str::to_owned));
    (object::uid(object).to_owned(), object::generation(object), object::is_deleting(object), requests)
}

/// Adds the objects of a kind to the work, whenever more than their status has changed.
pub(crate) fn on_change(tasks: &mut JoinSet<()>, store: &Store, res: Res, work: &Work) {
    let work = work.clone();
    let mut known: HashMap<Key, Face> = HashMap::new();
    follow(tasks, store, res, move |verb, object| {
        let key = Key::of(object);
        if verb == Verb::Deleted {
            known.remove(&key);
            return;
        }
        let face = face(object);
        if known.get(&key) != Some(&face) {
            known.insert(key.clone(), face);
            work.add(key);
        }
    });
}

/// Calls `found` with each source whose artifact has another revision than before.
pub(crate) fn on_revision(
    tasks: &mut JoinSet<()>,
    store: &Store,
    res: Res,
    mut found: impl FnMut(&Value) + Send + 'static,
) {
    let mut known: HashMap<Key, String> = HashMap::new();
    follow(tasks, store, res, move |verb, source| {
        let key = Key::of(source);
        if verb == Verb::Deleted {
            known.remove(&key);
            return;
        }
        let Some(revision) = source["status"]["artifact"]["revision"].as_str() else {
            known.remove(&key);
            return;
        };
        if known.get(&key).map(String::as_str) != Some(revision) {
            known.insert(key, revision.to_owned());
            found(source);
        }
    });
}

fn follow(
    tasks: &mut JoinSet<()>,
    store: &Store,
    res: Res,
    mut see: impl FnMut(Verb, &Value) + Send + 'static,
) {
    let store = store.clone();
    tasks.spawn(async move {
        // A watch ends when the API restarts; the next one begins with everything that exists.
        loop {
            let mut watch = store.watch(&res, None);
            while let Some(event) = watch.next().await {
                see(event.verb, &event.object);
            }
        }
    });
}
