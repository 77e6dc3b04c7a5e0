//! The objects of a cluster, with versions, watches and the rules of writing.

mod addresses;
mod admit;
mod delete;
mod follow;
mod rules;
mod table;
mod watch;
mod write;

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use field_clock::Clock;
use serde_json::Value;
use tokio::sync::{mpsc, watch as latest};

pub use delete::Propagation;
pub(crate) use delete::{DeleteOptions, Deleted};
pub(crate) use table::{Change, Stored};
pub(crate) use watch::{From, RawWatch};
pub use watch::{Verb, Watch, WatchEvent};
pub use write::{Applied, Conflicts, Outcome, Subresource};
pub(crate) use write::{Run, Write};

use crate::chance::Chance;
use crate::kind::{KindInfo, Registry, split_api_version};
use crate::{ApiError, Res};
use addresses::ServiceRange;
use table::{Origin, Table, Watcher};

/// The objects of one cluster. Clones are the same store; methods never block for long and never await.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: Clock,
    chance: Arc<Chance>,
    inner: Mutex<Inner>,
    latest: latest::Sender<u64>,
}

#[derive(Debug)]
struct Inner {
    version: u64,
    chance: Arc<Chance>,
    tables: HashMap<Res, Table>,
    registry: Registry,
    services: Option<ServiceRange>,
}

impl Store {
    /// A store with the built-in kinds, the four namespaces and the default roles.
    pub fn new(clock: Clock) -> Self {
        Self::seeded(clock, rand::random())
    }

    /// The same, with everything random following from a seed.
    pub fn seeded(clock: Clock, seed: u64) -> Self {
        let store = Self::bare(clock, seed);
        for (res, object) in crate::built_in::objects() {
            store.create(&res, object).expect("the first objects of a cluster are valid");
        }
        store
    }

    /// A store with the built-in kinds and no object, for whoever follows another cluster with it.
    pub fn empty(clock: Clock) -> Self {
        Self::bare(clock, rand::random())
    }

    fn bare(clock: Clock, seed: u64) -> Self {
        let chance = Arc::new(Chance::seeded(seed));
        let inner = Inner {
            version: 0,
            chance: Arc::clone(&chance),
            tables: HashMap::new(),
            registry: Registry::built_in(),
            services: None,
        };
        let shared = Shared { clock, chance, inner: Mutex::new(inner), latest: latest::Sender::new(0) };
        Self { shared: Arc::new(shared) }
    }

    /// The chance of this cluster.
    pub fn chance(&self) -> &Chance {
        &self.shared.chance
    }

    /// The same store, giving services addresses .120 to .249 of the /24 that `network` is in.
    #[must_use]
    pub fn with_service_range(self, network: Ipv4Addr) -> Self {
        self.lock().services = Some(ServiceRange::new(network));
        self
    }

    /// The clock of this cluster.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.shared.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells observers the newest version.
    fn announce(&self, inner: &Inner) {
        if *self.shared.latest.borrow() != inner.version {
            self.shared.latest.send_replace(inner.version);
        }
    }

    /// One object; `namespace` is empty for cluster-scoped kinds.
    pub fn get(&self, res: &Res, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.get_stored(res, namespace, name).map(|stored| stored.value.clone())
    }

    pub(crate) fn get_stored(&self, res: &Res, namespace: &str, name: &str) -> Option<Arc<Stored>> {
        self.lock().tables.get(res)?.get(namespace, name).cloned()
    }

    /// All objects, or those of a namespace, by namespace and name.
    pub fn list(&self, res: &Res, namespace: Option<&str>) -> Vec<Arc<Value>> {
        self.list_stored(res, namespace).1.iter().map(|stored| stored.value.clone()).collect()
    }

    /// The store's version and the objects of that moment.
    pub(crate) fn list_stored(&self, res: &Res, namespace: Option<&str>) -> (u64, Vec<Arc<Stored>>) {
        let inner = self.lock();
        (inner.version, inner.tables.get(res).map(|table| table.list(namespace)).unwrap_or_default())
    }

    /// The objects as they were at a version, or the oldest version that is still known.
    pub(crate) fn list_at(
        &self,
        res: &Res,
        namespace: Option<&str>,
        version: u64,
    ) -> Result<Vec<Arc<Stored>>, u64> {
        self.lock().tables.get(res).map_or(Ok(Vec::new()), |table| table.at(version, namespace))
    }

    /// First everything that exists as `Added`, then every change.
    pub fn watch(&self, res: &Res, namespace: Option<&str>) -> Watch {
        let (sender, changes) = mpsc::unbounded_channel();
        let mut inner = self.lock();
        let table = inner.tables.entry(res.clone()).or_default();
        let initial = table.list(namespace).into();
        table.add_watcher(Watcher {
            origin: Origin::Inside,
            namespace: namespace.map(str::to_owned),
            sender,
        });
        Watch { initial, changes }
    }

    pub(crate) fn watch_from(
        &self,
        res: &Res,
        namespace: Option<&str>,
        from: From,
    ) -> Result<RawWatch, ApiError> {
        let (sender, changes) = mpsc::unbounded_channel();
        let mut inner = self.lock();
        let version = inner.version;
        let table = inner.tables.entry(res.clone()).or_default();
        let (existing, mut backlog) = match from {
            From::Existing => (table.list(namespace), Vec::new()),
            From::Version(asked) => {
                (Vec::new(), table.since(asked).map_err(|oldest| ApiError::expired(asked, oldest))?)
            }
        };
        if let Some(namespace) = namespace {
            backlog.retain(|change| crate::object::namespace(&change.stored.value) == namespace);
        }
        table.add_watcher(Watcher {
            origin: Origin::Served,
            namespace: namespace.map(str::to_owned),
            sender,
        });
        Ok(RawWatch { existing, backlog, version, changes })
    }

    /// Ends every client's watch and forgets the history, as a restart of the API does: versions from before answer 410.
    /// Watches of [`Store::watch`] go on.
    pub fn forget_history(&self) {
        let mut inner = self.lock();
        // A server that starts writes things of its own: no version from before is the newest any more.
        inner.version += 1;
        let version = inner.version;
        for table in inner.tables.values_mut() {
            table.forget(version);
            table.close_served();
        }
    }

    /// The kind that an object names.
    pub fn resolve_kind(&self, api_version: &str, kind: &str) -> Option<KindInfo> {
        let (group, version) = split_api_version(api_version);
        let inner = self.lock();
        let info = inner.registry.find(group, kind)?;
        info.served(version)?;
        Some(KindInfo::clone(info))
    }

    /// What is known about a resource.
    pub fn kind_of(&self, res: &Res) -> Option<Arc<KindInfo>> {
        self.lock().registry.get(res).cloned()
    }

    /// All kinds.
    pub fn kinds(&self) -> Vec<Arc<KindInfo>> {
        self.lock().registry.all().cloned().collect()
    }

    /// Adds a kind without a CRD (tests of controllers).
    pub fn register(&self, info: KindInfo) {
        self.lock().registry.register(info);
    }

    /// The newest version, for observers; it changes with every change of an object.
    pub fn changes(&self) -> latest::Receiver<u64> {
        self.shared.latest.subscribe()
    }

    /// The newest version.
    pub fn version(&self) -> u64 {
        self.lock().version
    }
}

impl Inner {
    fn info(&self, res: &Res) -> Result<Arc<KindInfo>, ApiError> {
        self.registry.get(res).cloned().ok_or_else(ApiError::no_such_path)
    }

    fn current(&self, res: &Res, namespace: &str, name: &str) -> Result<Arc<Stored>, ApiError> {
        self.tables
            .get(res)
            .and_then(|table| table.get(namespace, name))
            .cloned()
            .ok_or_else(|| ApiError::not_found(res, name))
    }

    /// Gives an object the next version.
    fn next(&mut self, mut value: Value) -> Arc<Stored> {
        self.version += 1;
        value["metadata"]["resourceVersion"] = Value::String(self.version.to_string());
        Arc::new(Stored::new(value, self.version))
    }

    /// Stores the next version of an object.
    fn put(&mut self, res: &Res, value: Value) -> Arc<Stored> {
        let stored = self.next(value);
        let (namespace, name) = (crate::object::namespace(&stored.value), crate::object::name(&stored.value));
        self.tables.entry(res.clone()).or_default().put(namespace, name, stored.clone());
        if *res == crate::kinds::CRDS
            && let Some(info) = crate::crd::kind_of(&stored.value)
        {
            self.registry.register(info);
        }
        stored
    }
}
