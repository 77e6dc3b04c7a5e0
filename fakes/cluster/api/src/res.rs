//! Names of resources: group and plural.

use std::borrow::Cow;
use std::fmt;

/// A resource as a store knows it: the API group (`""` for core) and the plural name; versions are views of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Res {
    /// API group, empty for core.
    pub group: Cow<'static, str>,
    /// Plural name as in paths.
    pub plural: Cow<'static, str>,
}

impl Res {
    /// A resource whose names are known at compile time.
    pub const fn new(group: &'static str, plural: &'static str) -> Self {
        Self { group: Cow::Borrowed(group), plural: Cow::Borrowed(plural) }
    }

    /// A resource whose names come from data.
    pub fn named(group: &str, plural: &str) -> Self {
        Self { group: Cow::Owned(group.to_owned()), plural: Cow::Owned(plural.to_owned()) }
    }

    /// The `apiVersion` of this resource in a version.
    pub fn api_version(&self, version: &str) -> String {
        if self.group.is_empty() { version.to_owned() } else { format!("{}/{version}", self.group) }
    }
}

impl fmt::Display for Res {
    /// `pods`, `deployments.apps`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.plural)?;
        if self.group.is_empty() { Ok(()) } else { write!(f, ".{}", self.group) }
    }
}

/// The resources that somebody names in code.
pub mod kinds {
    use super::Res;

    macro_rules! resources {
        ($($name:ident = $group:literal $plural:literal;)*) => {
            $(#[doc = concat!("`", $plural, "` of group `", $group, "`.")]
            pub const $name: Res = Res::new($group, $plural);)*
        };
    }

    resources! {
        PODS = "" "pods";
        NODES = "" "nodes";
        SERVICES = "" "services";
        ENDPOINTS = "" "endpoints";
        CONFIG_MAPS = "" "configmaps";
        SECRETS = "" "secrets";
        SERVICE_ACCOUNTS = "" "serviceaccounts";
        NAMESPACES = "" "namespaces";
        EVENTS = "" "events";
        PERSISTENT_VOLUME_CLAIMS = "" "persistentvolumeclaims";
        PERSISTENT_VOLUMES = "" "persistentvolumes";
        LIMIT_RANGES = "" "limitranges";
        RESOURCE_QUOTAS = "" "resourcequotas";
        REPLICATION_CONTROLLERS = "" "replicationcontrollers";
        DEPLOYMENTS = "apps" "deployments";
        REPLICA_SETS = "apps" "replicasets";
        STATEFUL_SETS = "apps" "statefulsets";
        DAEMON_SETS = "apps" "daemonsets";
        CONTROLLER_REVISIONS = "apps" "controllerrevisions";
        JOBS = "batch" "jobs";
        CRON_JOBS = "batch" "cronjobs";
        ENDPOINT_SLICES = "discovery.k8s.io" "endpointslices";
        STORAGE_CLASSES = "storage.k8s.io" "storageclasses";
        LEASES = "coordination.k8s.io" "leases";
        ROLES = "rbac.authorization.k8s.io" "roles";
        ROLE_BINDINGS = "rbac.authorization.k8s.io" "rolebindings";
        CLUSTER_ROLES = "rbac.authorization.k8s.io" "clusterroles";
        CLUSTER_ROLE_BINDINGS = "rbac.authorization.k8s.io" "clusterrolebindings";
        NETWORK_POLICIES = "networking.k8s.io" "networkpolicies";
        INGRESSES = "networking.k8s.io" "ingresses";
        INGRESS_CLASSES = "networking.k8s.io" "ingressclasses";
        POD_DISRUPTION_BUDGETS = "policy" "poddisruptionbudgets";
        HORIZONTAL_POD_AUTOSCALERS = "autoscaling" "horizontalpodautoscalers";
        PRIORITY_CLASSES = "scheduling.k8s.io" "priorityclasses";
        VALIDATING_WEBHOOKS = "admissionregistration.k8s.io" "validatingwebhookconfigurations";
        MUTATING_WEBHOOKS = "admissionregistration.k8s.io" "mutatingwebhookconfigurations";
        CRDS = "apiextensions.k8s.io" "customresourcedefinitions";
        OCI_REPOSITORIES = "source.toolkit.fluxcd.io" "ocirepositories";
        HELM_REPOSITORIES = "source.toolkit.fluxcd.io" "helmrepositories";
        HELM_CHARTS = "source.toolkit.fluxcd.io" "helmcharts";
        GIT_REPOSITORIES = "source.toolkit.fluxcd.io" "gitrepositories";
        BUCKETS = "source.toolkit.fluxcd.io" "buckets";
        KUSTOMIZATIONS = "kustomize.toolkit.fluxcd.io" "kustomizations";
        HELM_RELEASES = "helm.toolkit.fluxcd.io" "helmreleases";
    }
}
