//! An object that is to go: how it is found, changed, deleted, and waited for.

use std::time::Duration;

use jiff::SignedDuration;
use kube::api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::Value;

use crate::cluster::Cluster;
use crate::failure::{Failure, Layer, api};
use crate::time::ApiTime;
use crate::waits::{Look, Wait};

/// Where no node tells the time, this machine's clock ends a wait: after twice the time, and this.
const SLACK: SignedDuration = SignedDuration::from_secs(60);

/// An object that is to go.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) resource: ApiResource,
    pub(super) object: DynamicObject,
}

/// Until when something is waited for, and what helps where that was in vain.
pub(super) struct Patience {
    pub(super) within: SignedDuration,
    pub(super) layer: Layer,
    pub(super) remedy: &'static str,
}

/// Every object of a kind; none where the cluster does not know the kind.
pub(super) async fn list(
    cluster: &Cluster,
    resource: ApiResource,
    namespace: Option<&str>,
) -> Result<Vec<Target>, Failure> {
    let objects = of(cluster, &resource, namespace);
    match objects.list(&ListParams::default()).await {
        Ok(list) => {
            let target = |object| Target { resource: resource.clone(), object };
            Ok(list.items.into_iter().map(target).collect())
        }
        Err(error) if is_unknown(&error) => Ok(Vec::new()),
        Err(error) => Err(api(format!("list every {}", resource.kind))(error)),
    }
}

fn of(cluster: &Cluster, resource: &ApiResource, namespace: Option<&str>) -> Api<DynamicObject> {
    match namespace {
        Some(namespace) => Api::namespaced_with(cluster.client.clone(), namespace, resource),
        None => Api::all_with(cluster.client.clone(), resource),
    }
}

fn is_unknown(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

impl Target {
    pub(super) fn name(&self) -> String {
        self.object.name_any()
    }

    pub(super) fn label(&self, key: &str) -> Option<&str> {
        self.object.metadata.labels.as_ref()?.get(key).map(String::as_str)
    }

    /// Kind and name for people.
    pub(super) fn title(&self) -> String {
        let (kind, name) = (&self.resource.kind, self.name());
        match &self.object.metadata.namespace {
            Some(namespace) => format!("{kind} {namespace}/{name}"),
            None => format!("{kind} {name}"),
        }
    }

    fn api(&self, cluster: &Cluster) -> Api<DynamicObject> {
        of(cluster, &self.resource, self.object.metadata.namespace.as_deref())
    }

    /// The object as it is now, if it is there.
    pub(super) async fn now(&self, cluster: &Cluster) -> Result<Option<DynamicObject>, Failure> {
        let read = self.api(cluster).get_opt(&self.name()).await;
        read.map_err(api(format!("read {}", self.title())))
    }

    /// Changes it; one that is not there needs no change.
    pub(super) async fn change(&self, cluster: &Cluster, patch: &Value) -> Result<(), Failure> {
        match self.api(cluster).patch(&self.name(), &PatchParams::default(), &Patch::Merge(patch)).await {
            Ok(_) => Ok(()),
            Err(error) if is_unknown(&error) => Ok(()),
            Err(error) => Err(api(format!("change {}", self.title()))(error)),
        }
    }

    /// Asks for its end; one that is not there is as good as deleted.
    pub(super) async fn delete(&self, cluster: &Cluster) -> Result<(), Failure> {
        match self.api(cluster).delete(&self.name(), &DeleteParams::background()).await {
            Ok(_) => Ok(()),
            Err(error) if is_unknown(&error) => Ok(()),
            Err(error) => Err(api(format!("delete {}", self.title()))(error)),
        }
    }

    /// Waits until it is gone; `holds` says of what is still there why it is.
    pub(super) async fn gone(
        &self,
        cluster: &Cluster,
        time: &ApiTime,
        patience: Patience,
        holds: impl Fn(&DynamicObject) -> String,
    ) -> Result<(), Failure> {
        let Patience { within, layer, remedy } = patience;
        let name = self.name();
        let wait = Wait {
            cluster,
            time,
            resource: self.resource.clone(),
            namespace: self.object.metadata.namespace.as_deref(),
            name: &name,
            within,
            layer,
            remedy,
        };
        let look =
            |object: Option<&DynamicObject>| object.map_or(Look::Met, |object| Look::NotYet(holds(object)));
        let longest = within * 2 + SLACK;
        tokio::select! {
            outcome = wait.until(look) => outcome,
            () = time.clock().sleep(Duration::try_from(longest).unwrap_or(Duration::MAX)) => {
                let why = format!("it was still there after {} s, and no node tells the time", longest.as_secs());
                Err(Failure::new(layer, format!("waiting for the end of {}", self.title()), remedy).because(why).open())
            }
        }
    }
}

/// Who keeps a deleted object, in words.
pub(super) fn held_by_finalizers(object: &DynamicObject) -> String {
    match object.metadata.finalizers.as_deref() {
        None | Some([]) => "it is still being deleted".to_owned(),
        Some(names) => format!("it is kept by {}", names.join(", ")),
    }
}
