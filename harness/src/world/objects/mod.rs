//! The objects of a world's cluster, as causes see and change them.
//!
//! ```text
//!   simulated   get, list, changes ── Store ── create, modify, delete        one and the same
//!   real        get, list, changes ── Store ◀── watches ── cluster ◀── create, modify, delete
//! ```
//! What is seen of a real cluster is a little behind what is there; whoever has to be exact takes what a write gives back.

mod client;
mod refusal;

pub(in crate::world) use client::{followed, resource_of};

use std::sync::{Arc, OnceLock};

use cluster_api::{Propagation, Res, Store, Subresource, object};
use field_clock::Clock;
use serde_json::Value;
use tokio::sync::watch;

use super::WorldError;

/// The objects of a world's cluster: seen in a copy that follows the cluster, written where they are. Clones are the same.
#[derive(Clone)]
pub(in crate::world) struct Objects {
    seen: Store,
    writer: Writer,
}

/// Where objects are written.
#[derive(Clone)]
enum Writer {
    /// Where they are seen.
    Store,
    /// In a cluster of its own.
    Client(kube::Client),
    /// In a cluster that is still to be made.
    Later(Arc<OnceLock<kube::Client>>),
}

impl Writer {
    /// The way to the cluster; nothing where objects are written as they are seen.
    fn client(&self) -> Result<Option<&kube::Client>, WorldError> {
        match self {
            Self::Store => Ok(None),
            Self::Client(client) => Ok(Some(client)),
            Self::Later(client) => client.get().map(Some).ok_or_else(|| "there is no cluster yet".into()),
        }
    }
}

impl Objects {
    /// Those of a simulated cluster.
    pub(in crate::world) fn simulated(store: Store) -> Self {
        Self { seen: store, writer: Writer::Store }
    }

    /// Those of a real cluster; `seen` is a mirror of it, which somebody else keeps up to date.
    pub(in crate::world) fn real(seen: Store, client: kube::Client) -> Self {
        Self { seen, writer: Writer::Client(client) }
    }

    /// Those of a cluster that somebody is about to make; who makes it leaves the way to it in `client`.
    pub(in crate::world) fn of_the_future(seen: Store, client: Arc<OnceLock<kube::Client>>) -> Self {
        Self { seen, writer: Writer::Later(client) }
    }

    /// One object; `namespace` is empty for those of the whole cluster.
    pub(in crate::world) fn get(&self, res: &Res, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.seen.get(res, namespace, name)
    }

    /// The resource of a manifest, where the cluster knows it.
    pub(in crate::world) fn resource(&self, manifest: &Value) -> Option<Res> {
        let (version, kind) = (manifest["apiVersion"].as_str()?, manifest["kind"].as_str()?);
        self.seen.resolve_kind(version, kind).map(|known| known.res)
    }

    /// All objects, or those of a namespace.
    pub(in crate::world) fn list(&self, res: &Res, namespace: Option<&str>) -> Vec<Arc<Value>> {
        self.seen.list(res, namespace)
    }

    /// Ticks whenever something else is seen.
    pub(in crate::world) fn changes(&self) -> watch::Receiver<u64> {
        self.seen.changes()
    }

    /// The clock of the cluster.
    pub(in crate::world) fn clock(&self) -> &Clock {
        self.seen.clock()
    }

    /// A word that nobody has used, for passwords and the like.
    pub(in crate::world) fn chance(&self) -> String {
        self.seen.chance().id()
    }

    /// What `look` finds as soon as it finds something; it looks at every change of the cluster. Nothing where the cluster
    /// ends before.
    pub(in crate::world) async fn until<T>(&self, look: impl Fn() -> Option<T>) -> Option<T> {
        let mut changes = self.changes();
        loop {
            changes.borrow_and_update();
            if let Some(found) = look() {
                return Some(found);
            }
            changes.changed().await.ok()?;
        }
    }

    /// Creates an object.
    pub(in crate::world) async fn create(&self, res: &Res, object: Value) -> Result<Arc<Value>, WorldError> {
        match self.writer.client()? {
            None => Ok(self.seen.create(res, object)?),
            Some(client) => client::create(client, res, object).await,
        }
    }

    /// Creates an object, or changes the one that is there: which of the two, the cluster knows better than its copy.
    pub(in crate::world) async fn put(
        &self,
        res: &Res,
        wanted: Value,
        change: impl FnMut(&mut Value),
    ) -> Result<Arc<Value>, WorldError> {
        let (namespace, name) = (object::namespace(&wanted).to_owned(), object::name(&wanted).to_owned());
        match self.create(res, wanted).await {
            Err(error) if refusal::is_there_already(&error) => {
                self.modify(res, &namespace, &name, change).await
            }
            written => written,
        }
    }

    /// Deletes an object, if it is there.
    pub(in crate::world) async fn remove(
        &self,
        res: &Res,
        namespace: &str,
        name: &str,
    ) -> Result<(), WorldError> {
        match self.delete(res, namespace, name).await {
            Err(error) if refusal::is_missing(&error) => Ok(()),
            deleted => deleted,
        }
    }

    /// Changes an object; `change` is asked again where somebody else was faster.
    pub(in crate::world) async fn modify(
        &self,
        res: &Res,
        namespace: &str,
        name: &str,
        mut change: impl FnMut(&mut Value),
    ) -> Result<Arc<Value>, WorldError> {
        match self.writer.client()? {
            None => Ok(self.seen.modify(res, namespace, name, change)?),
            Some(client) => {
                let place = client::Place { res, namespace, name, part: Subresource::Main };
                client::modify(client, place, &mut change).await
            }
        }
    }

    /// Changes an object's status, as its controller does.
    pub(in crate::world) async fn modify_status(
        &self,
        res: &Res,
        namespace: &str,
        name: &str,
        mut change: impl FnMut(&mut Value),
    ) -> Result<Arc<Value>, WorldError> {
        match self.writer.client()? {
            None => {
                let known = self.seen.get(res, namespace, name);
                let mut object = known.map(Arc::unwrap_or_clone).ok_or_else(|| format!("no {res} {name}"))?;
                change(&mut object);
                Ok(self.seen.update(res, object, Subresource::Status)?)
            }
            Some(client) => {
                let place = client::Place { res, namespace, name, part: Subresource::Status };
                client::modify(client, place, &mut change).await
            }
        }
    }

    /// Deletes an object; what it owns goes after it.
    pub(in crate::world) async fn delete(
        &self,
        res: &Res,
        namespace: &str,
        name: &str,
    ) -> Result<(), WorldError> {
        match self.writer.client()? {
            None => Ok(self.seen.delete(res, namespace, name, Propagation::Background)?),
            Some(client) => client::delete(client, res, namespace, name).await,
        }
    }
}
