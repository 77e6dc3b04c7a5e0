//! All resources of a cluster: the built-in ones and those of its CRDs.

use cluster_api::{Res, Store, kinds};
use serde_json::Value;

/// Built-in resources whose objects live in namespaces; events last, since removing the others makes some.
const NAMESPACED: [Res; 22] = [
    kinds::DEPLOYMENTS,
    kinds::STATEFUL_SETS,
    kinds::DAEMON_SETS,
    kinds::CRON_JOBS,
    kinds::JOBS,
    kinds::REPLICA_SETS,
    kinds::REPLICATION_CONTROLLERS,
    kinds::PODS,
    kinds::CONTROLLER_REVISIONS,
    kinds::SERVICES,
    kinds::ENDPOINTS,
    kinds::ENDPOINT_SLICES,
    kinds::CONFIG_MAPS,
    kinds::SECRETS,
    kinds::SERVICE_ACCOUNTS,
    kinds::PERSISTENT_VOLUME_CLAIMS,
    kinds::ROLES,
    kinds::ROLE_BINDINGS,
    kinds::NETWORK_POLICIES,
    kinds::INGRESSES,
    kinds::LEASES,
    kinds::EVENTS,
];

/// The resource that a CRD defines.
pub(crate) fn of_definition(definition: &Value) -> Option<Res> {
    let spec = &definition["spec"];
    Some(Res::named(spec["group"].as_str()?, spec["names"]["plural"].as_str()?))
}

/// Resources whose objects live in namespaces, custom ones first.
pub(crate) fn namespaced(store: &Store) -> Vec<Res> {
    let definitions = store.list(&kinds::CRDS, None);
    let custom = definitions
        .iter()
        .filter(|crd| crd["spec"]["scope"] == "Namespaced")
        .filter_map(|crd| of_definition(crd));
    custom.chain(NAMESPACED).collect()
}

/// Built-in resources that own or are owned.
pub(crate) fn built_in() -> impl Iterator<Item = Res> {
    let cluster = [
        kinds::NAMESPACES,
        kinds::NODES,
        kinds::PERSISTENT_VOLUMES,
        kinds::CLUSTER_ROLES,
        kinds::CLUSTER_ROLE_BINDINGS,
    ];
    NAMESPACED.into_iter().filter(|res| *res != kinds::EVENTS).chain(cluster)
}
