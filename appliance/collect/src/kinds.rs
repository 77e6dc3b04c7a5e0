//! Every kind that is watched, and where its objects go.

use std::collections::BTreeMap;

use appliance_assess::{FluxFact, Knowledge, ObjectKey, Owner, ReleaseValues, WorkloadFact};
use appliance_status_model::WorkloadKind;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::serde::de::DeserializeOwned;
use kube::Resource;
use kube::api::DynamicObject;

use crate::convert;
use crate::follow::Sink;

/// Objects that go into one map as they are.
pub(crate) struct Map<K, F> {
    pub(crate) read: &'static str,
    pub(crate) slot: fn(&mut Knowledge) -> &mut BTreeMap<ObjectKey, F>,
    pub(crate) fact: fn(K) -> (F, Option<Timestamp>),
}

impl<K, F> Clone for Map<K, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, F> Copy for Map<K, F> {}

impl<K, F> Sink for Map<K, F>
where
    K: Resource + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
    F: Send + 'static,
{
    type Object = K;
    type Fact = F;

    fn read(self) -> &'static str {
        self.read
    }

    fn fact(self, object: K) -> (F, Option<Timestamp>) {
        (self.fact)(object)
    }

    fn clear(self, known: &mut Knowledge) {
        (self.slot)(known).clear();
    }

    fn put(self, known: &mut Knowledge, key: ObjectKey, fact: F) {
        (self.slot)(known).insert(key, fact);
    }

    fn remove(self, known: &mut Knowledge, key: &ObjectKey) {
        (self.slot)(known).remove(key);
    }
}

/// Deployments and stateful sets, which share a map.
pub(crate) struct Workloads<K> {
    read: &'static str,
    kind: WorkloadKind,
    fact: fn(K) -> (WorkloadFact, Option<Timestamp>),
}

impl<K> Clone for Workloads<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Workloads<K> {}

pub(crate) const DEPLOYMENTS: Workloads<Deployment> =
    Workloads { read: "deployments", kind: WorkloadKind::Deployment, fact: convert::deployment };
pub(crate) const STATEFUL_SETS: Workloads<StatefulSet> =
    Workloads { read: "statefulsets", kind: WorkloadKind::StatefulSet, fact: convert::stateful_set };

impl<K> Sink for Workloads<K>
where
    K: Resource + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
{
    type Object = K;
    type Fact = WorkloadFact;

    fn read(self) -> &'static str {
        self.read
    }

    fn fact(self, object: K) -> (WorkloadFact, Option<Timestamp>) {
        (self.fact)(object)
    }

    fn clear(self, known: &mut Knowledge) {
        known.workloads.retain(|(kind, _), _| *kind != self.kind);
    }

    fn put(self, known: &mut Knowledge, key: ObjectKey, fact: WorkloadFact) {
        known.workloads.insert((self.kind, key), fact);
    }

    fn remove(self, known: &mut Knowledge, key: &ObjectKey) {
        known.workloads.remove(&(self.kind, key.clone()));
    }
}

/// Owners of replica sets.
#[derive(Clone, Copy)]
pub(crate) struct ReplicaSets;

impl Sink for ReplicaSets {
    type Object = ReplicaSet;
    type Fact = Option<Owner>;

    fn read(self) -> &'static str {
        "replicasets"
    }

    fn fact(self, object: ReplicaSet) -> (Option<Owner>, Option<Timestamp>) {
        convert::replica_set(object)
    }

    fn clear(self, known: &mut Knowledge) {
        known.replica_sets.clear();
    }

    fn put(self, known: &mut Knowledge, key: ObjectKey, fact: Option<Owner>) {
        match fact {
            Some(owner) => known.replica_sets.insert(key, owner),
            None => known.replica_sets.remove(&key),
        };
    }

    fn remove(self, known: &mut Knowledge, key: &ObjectKey) {
        known.replica_sets.remove(key);
    }
}

/// Flux objects of one kind.
#[derive(Clone, Copy)]
pub(crate) struct Flux {
    pub(crate) kind: &'static str,
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) plural: &'static str,
    slot: fn(&mut Knowledge) -> &mut BTreeMap<ObjectKey, FluxFact>,
}

/// Every Flux kind.
pub(crate) const FLUX: [Flux; 4] = [
    Flux {
        kind: "OCIRepository",
        group: "source.toolkit.fluxcd.io",
        version: "v1",
        plural: "ocirepositories",
        slot: |known| &mut known.oci_source,
    },
    Flux {
        kind: "GitRepository",
        group: "source.toolkit.fluxcd.io",
        version: "v1",
        plural: "gitrepositories",
        slot: |known| &mut known.git_source,
    },
    Flux {
        kind: "Kustomization",
        group: "kustomize.toolkit.fluxcd.io",
        version: "v1",
        plural: "kustomizations",
        slot: |known| &mut known.kustomizations,
    },
    Flux {
        kind: "HelmRelease",
        group: "helm.toolkit.fluxcd.io",
        version: "v2",
        plural: "helmreleases",
        slot: |known| &mut known.releases,
    },
];

impl Sink for Flux {
    type Object = DynamicObject;
    type Fact = FluxFact;

    fn read(self) -> &'static str {
        self.plural
    }

    fn fact(self, object: DynamicObject) -> (FluxFact, Option<Timestamp>) {
        convert::flux(self.kind, object)
    }

    fn clear(self, known: &mut Knowledge) {
        (self.slot)(known).clear();
    }

    fn put(self, known: &mut Knowledge, key: ObjectKey, fact: FluxFact) {
        (self.slot)(known).insert(key, fact);
    }

    fn remove(self, known: &mut Knowledge, key: &ObjectKey) {
        (self.slot)(known).remove(key);
    }
}

/// ConfigMaps of one namespace that matter: selection and values, or what bootstrap left.
#[derive(Clone, Copy)]
pub(crate) struct ConfigMaps {
    pub(crate) read: &'static str,
}

impl ConfigMaps {
    pub(crate) const SYSTEM: Self = Self { read: "configmaps in alga-system" };
    pub(crate) const APPLICATION: Self = Self { read: "configmaps in msp" };
}

const SELECTION: &str = "appliance-release-selection";
const VALUES: &str = "appliance-values-";
const SITE_VALUES: &str = "appliance-site-values-";
const RESULT: &str = "appliance-bootstrap-result";

/// Where the values of a release go, and which release it is.
fn values_of<'a>(
    known: &'a mut Knowledge,
    map: &'a str,
) -> Option<(&'a mut BTreeMap<String, ReleaseValues>, &'a str)> {
    if let Some(release) = map.strip_prefix(SITE_VALUES) {
        return Some((&mut known.site_values, release));
    }
    Some((&mut known.values, map.strip_prefix(VALUES)?))
}

impl Sink for ConfigMaps {
    type Object = ConfigMap;
    type Fact = ConfigMap;

    fn read(self) -> &'static str {
        self.read
    }

    fn fact(self, object: ConfigMap) -> (ConfigMap, Option<Timestamp>) {
        (object, None)
    }

    fn clear(self, known: &mut Knowledge) {
        if self.read == Self::SYSTEM.read {
            known.selection = None;
            known.values.clear();
            known.site_values.clear();
        } else {
            known.bootstrap_result = None;
        }
    }

    fn put(self, known: &mut Knowledge, key: ObjectKey, map: ConfigMap) {
        if self.read == Self::APPLICATION.read {
            if key.name == RESULT {
                known.bootstrap_result = Some(convert::bootstrap_result(&map));
            }
        } else if key.name == SELECTION {
            known.selection = Some(map.data.unwrap_or_default());
        } else if let Some((values, release)) = values_of(known, &key.name) {
            let text = map.data.and_then(|it| it.into_values().next()).unwrap_or_default();
            values.insert(release.to_owned(), ReleaseValues::read(&text));
        }
    }

    fn remove(self, known: &mut Knowledge, key: &ObjectKey) {
        if self.read == Self::APPLICATION.read {
            if key.name == RESULT {
                known.bootstrap_result = None;
            }
        } else if key.name == SELECTION {
            known.selection = None;
        } else if let Some((values, release)) = values_of(known, &key.name) {
            values.remove(release);
        }
    }
}

/// Node leases: nothing but the time.
#[derive(Clone, Copy)]
pub(crate) struct Leases;

impl Leases {
    pub(crate) const READ: &'static str = "leases";
}

impl Sink for Leases {
    type Object = Lease;
    type Fact = ();

    fn read(self) -> &'static str {
        Self::READ
    }

    fn fact(self, object: Lease) -> ((), Option<Timestamp>) {
        ((), object.spec.and_then(|it| it.renew_time).map(|it| it.0))
    }

    fn clear(self, _: &mut Knowledge) {}

    fn put(self, _: &mut Knowledge, _: ObjectKey, (): ()) {}

    fn remove(self, _: &mut Knowledge, _: &ObjectKey) {}
}
