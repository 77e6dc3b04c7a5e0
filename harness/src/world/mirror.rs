//! A copy of the cluster's objects that follows the cluster.

use std::path::Path;
use std::time::Duration;

use cluster_api::{Res, Store};
use field_clock::Clock;
use futures::StreamExt as _;
use futures::future::join_all;
use kube::api::{Api, DynamicObject};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::watcher::{self, Event};
use serde_json::Value;
use tokio::task::JoinSet;

use super::WorldError;
use super::objects::{followed, resource_of};

/// A watch that failed is begun again after this: what is not served yet will be.
const AGAIN: Duration = Duration::from_secs(1);

/// Follows the cluster while it lives.
pub(in crate::world) struct Mirror {
    pub(in crate::world) seen: Store,
    _watches: JoinSet<()>,
}

impl Mirror {
    /// Begins to follow; the copy is complete once the cluster has answered.
    pub(in crate::world) fn follow(client: &kube::Client) -> Self {
        Self::follow_when(std::future::ready(client.clone()))
    }

    /// Begins to follow as soon as there is a way to the cluster.
    pub(in crate::world) fn follow_when(client: impl Future<Output = kube::Client> + Send + 'static) -> Self {
        let seen = Store::empty(Clock::wall());
        let copy = seen.clone();
        let mut watches = JoinSet::new();
        watches.spawn(async move {
            let client = client.await;
            let all = followed().map(|res| follow(copy.clone(), client.clone(), res));
            join_all(all).await;
        });
        Self { seen, _watches: watches }
    }
}

/// The way to the cluster of a kubeconfig.
pub(in crate::world) async fn client(kubeconfig: &Path) -> Result<kube::Client, WorldError> {
    // It may be installed already, by whoever was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(kube::Client::try_from(config)?)
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
