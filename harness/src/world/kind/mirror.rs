//! A copy of the cluster's objects that follows the cluster.

use std::time::Duration;

use cluster_api::{Res, Store};
use field_clock::Clock;
use futures::StreamExt as _;
use kube::api::{Api, DynamicObject};
use kube::runtime::watcher::{self, Event};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::world::objects::{followed, resource_of};

/// A watch that failed is begun again after this: what is not served yet will be.
const AGAIN: Duration = Duration::from_secs(1);

/// Follows the cluster while it lives.
pub(super) struct Mirror {
    pub(super) seen: Store,
    _watches: JoinSet<()>,
}

impl Mirror {
    /// Begins to follow; the copy is complete once the cluster has answered.
    pub(super) fn follow(client: &kube::Client) -> Self {
        let seen = Store::empty(Clock::wall());
        let mut watches = JoinSet::new();
        for res in followed() {
            watches.spawn(follow(seen.clone(), client.clone(), res));
        }
        Self { seen, _watches: watches }
    }
}

async fn follow(seen: Store, client: kube::Client, res: &'static Res) {
    let Some(resource) = resource_of(res) else { return };
    let api: Api<DynamicObject> = Api::all_with(client, &resource);
    let clock = Clock::wall();
    loop {
        let mut events = watcher::watcher(api.clone(), watcher::Config::default()).boxed();
        let mut listed: Vec<(String, String)> = Vec::new();
        while let Some(Ok(event)) = events.next().await {
            match event {
                Event::Init => listed.clear(),
                Event::InitApply(object) => {
                    let object = observe(&seen, res, &object);
                    listed.extend(object);
                }
                Event::InitDone => forget(&seen, res, &listed),
                Event::Apply(object) => {
                    observe(&seen, res, &object);
                }
                Event::Delete(object) => {
                    let namespace = object.metadata.namespace.unwrap_or_default();
                    seen.observe_gone(res, &namespace, &object.metadata.name.unwrap_or_default());
                }
            }
        }
        clock.sleep(AGAIN).await;
    }
}

/// Where it is, as the copy knows it now.
fn observe(seen: &Store, res: &Res, object: &DynamicObject) -> Option<(String, String)> {
    let value: Value = serde_json::to_value(object).ok()?;
    let place = (object.metadata.namespace.clone().unwrap_or_default(), object.metadata.name.clone()?);
    seen.observe(res, value);
    Some(place)
}

/// What a list does not hold is gone.
fn forget(seen: &Store, res: &Res, listed: &[(String, String)]) {
    for object in seen.list(res, None) {
        let metadata = &object["metadata"];
        let place = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
        let place = (place("namespace"), place("name"));
        if !listed.contains(&place) {
            seen.observe_gone(res, &place.0, &place.1);
        }
    }
}
