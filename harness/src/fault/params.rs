//! The parameters that faults and heal verbs share.

use super::kind::{Need, Param, ParamKind};

/// Releases that Flux installs.
pub(crate) const RELEASES: &[&str] =
    &["alga-core", "pgbouncer", "temporal", "workflow-worker", "email-service", "temporal-worker"];
/// Components that keep data in a directory of a volume.
pub(crate) const KEEPERS: &[&str] = &["db", "redis"];
/// Services by which the application's parts reach each other.
pub(crate) const SERVICES: &[&str] =
    &["alga-core-sebastian", "db", "redis", "pgbouncer", "temporal-frontend", "temporal-ui"];
/// Components whose service links the release can switch on.
pub(crate) const LINKED: &[&str] = &["temporal-ui", "temporal"];
/// How the operator's command takes what it finds.
pub(crate) const MODES: &[&str] = &["fresh", "recover"];

/// Everything that runs for the application.
pub(crate) const COMPONENTS: &[&str] = &[
    "alga-core",
    "db",
    "redis",
    "pgbouncer",
    "temporal",
    "temporal-ui",
    "workflow-worker",
    "email-service",
    "temporal-worker",
];
/// Components whose start script sleeps after a failure.
pub(crate) const WORKERS: &[&str] = &["workflow-worker", "temporal-worker", "email-service"];
/// Secrets of the application.
pub(crate) const SECRETS: &[&str] = &["db-credentials", "redis-credentials", "alga-core-sebastian-secrets"];
/// Keys of those Secrets.
pub(crate) const SECRET_KEYS: &[&str] = &[
    "DB_PASSWORD_SUPERUSER",
    "DB_PASSWORD_SERVER",
    "DB_PASSWORD_HOCUSPOCUS",
    "DB_PASSWORD_PGBOUNCER",
    "REDIS_PASSWORD",
    "NEXTAUTH_SECRET",
    "CRYPTR_KEY",
    "TOKEN_SECRET_KEY",
    "ALGA_AUTH_KEY",
];
/// Who signs in to the database.
pub(crate) const USERS: &[&str] = &["postgres", "app_user", "app_user_pgbouncer"];

/// What a taint does to pods that do not tolerate it.
pub(crate) const TAINT_EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// Releases of the appliance that the outside world offers; the first is the one that is installed where none is named.
pub(crate) const VERSIONS: &[&str] = &["1.0-rc5", "1.0-rc6"];
/// The Flux controllers.
pub(crate) const CONTROLLERS: &[&str] = &["source-controller", "kustomize-controller", "helm-controller"];
/// What a role permits.
pub(crate) const VERBS: &[&str] = &["get", "list", "watch"];
/// What the status service reads.
pub(crate) const READS: &[&str] = &[
    "configmaps",
    "daemonsets",
    "deployments",
    "endpoints",
    "endpointslices",
    "events",
    "gitrepositories",
    "helmcharts",
    "helmreleases",
    "helmrepositories",
    "jobs",
    "kustomizations",
    "leases",
    "namespaces",
    "nodes",
    "ocirepositories",
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "pods/log",
    "replicasets",
    "secrets",
    "services",
    "statefulsets",
    "storageclasses",
];
/// What is wrong with a chart.
pub(crate) const CHART_FAILURES: &[&str] = &["template", "manifest"];

const fn required(name: &'static str, kind: ParamKind, doc: &'static str) -> Param {
    Param { name, kind, needed: Need::Required, doc }
}

const fn optional(name: &'static str, kind: ParamKind, doc: &'static str) -> Param {
    Param { name, kind, needed: Need::Optional, doc }
}

pub(super) const IMAGE: Param = required(
    "image",
    ParamKind::Image,
    "the component whose image it is, or the last part of the image's repository",
);
pub(super) const VALUES_IMAGE: Param = required(
    "image",
    ParamKind::Image,
    "the component whose image it is; one whose image its release's values select",
);
pub(super) const ANY_IMAGE: Param =
    optional("image", ParamKind::Image, "only for this image; all of them where it is left out");
pub(super) const STATUS: Param = required("status", ParamKind::HttpStatus, "the HTTP status, 400 to 599");
pub(super) const TAKES: Param =
    required("takes", ParamKind::Duration, "how long the pull takes, in field time: `16m`");
pub(super) const FOR: Param = required("for", ParamKind::Duration, "how long, in field time: `6m`");
pub(super) const AHEAD: Param = optional(
    "by",
    ParamKind::Duration,
    "how far, longer than a day so that no certificate of yesterday helps: `48h`, which it is where it is left out",
);
pub(super) const MEBIBYTES: Param = optional(
    "mebibytes",
    ParamKind::Count { what: "number of mebibytes", from: 512, to: 1600 },
    "how much it has; below Talos' least for a control plane, 1698; 1024 where it is left out",
);
pub(super) const MACHINE_STAGE: Param = required(
    "when",
    ParamKind::OneOf { what: "moment of an installation", names: &["installing", "booting", "bootstrapped"] },
    "how far the machine has come by then: it writes itself to its disk, its services start, or it has begun to make its cluster",
);
pub(super) const HOST: Param =
    optional("host", ParamKind::Host, "only for this name; all names where it is left out");
pub(super) const LASTS: Param = optional(
    "lasts",
    ParamKind::Duration,
    "it is over by itself after this long, in field time; until it is healed where it is left out",
);
pub(super) const ADDRESS: Param = optional(
    "address",
    ParamKind::Addresses,
    "the machine that is named instead; a captive portal of the site where it is left out",
);
pub(super) const RETRY_AFTER: Param = optional(
    "retry-after",
    ParamKind::Duration,
    "what the answer says under `Retry-After`; a minute where it is left out",
);
pub(super) const REFUSAL: Param = optional(
    "status",
    ParamKind::HttpStatus,
    "403 where the registry knows the client and forbids it all the same; else it wants a sign-in: 401",
);
pub(super) const TAINT_KEY: Param = optional(
    "key",
    ParamKind::Label,
    "the taint's key; `node-role.kubernetes.io/control-plane` where it is left out",
);
pub(super) const TAINT_VALUE: Param =
    optional("value", ParamKind::Label, "the taint's value; none where it is left out");
pub(super) const TAINT_EFFECT: Param = optional(
    "effect",
    ParamKind::OneOf { what: "taint effect", names: TAINT_EFFECTS },
    "what it does to pods that do not tolerate it; `NoSchedule` where it is left out",
);
pub(super) const RELEASE: Param =
    required("release", ParamKind::OneOf { what: "release", names: RELEASES }, "the HelmRelease's name");
pub(super) const KEEPER: Param = required(
    "component",
    ParamKind::OneOf { what: "component with a volume", names: KEEPERS },
    "the component whose volume it is",
);
pub(super) const LINKED_COMPONENT: Param = required(
    "component",
    ParamKind::OneOf { what: "component with service links", names: LINKED },
    "the component whose service links are switched on",
);
pub(super) const SERVICE: Param = optional(
    "service",
    ParamKind::ObjectName,
    "a Service that somebody adds beside the application; its name makes the variable",
);
pub(super) const OWN_SERVICE: Param =
    required("service", ParamKind::OneOf { what: "Service", names: SERVICES }, "the Service's name");
pub(super) const VERSION: Param = optional(
    "release",
    ParamKind::OneOf { what: "release of the appliance", names: VERSIONS },
    "the appliance's release; the one that the scenario installs where it is left out",
);
pub(super) const CONTROLLER: Param = required(
    "controller",
    ParamKind::OneOf { what: "Flux controller", names: CONTROLLERS },
    "the controller's name",
);
pub(super) const DELAY: Param =
    required("takes", ParamKind::Duration, "how much longer it takes, in field time: `3s`");
pub(super) const RESOURCE: Param = optional(
    "resource",
    ParamKind::OneOf { what: "resource", names: READS },
    "what may not be read; nothing of all where it is left out",
);
pub(super) const VERB: Param = optional(
    "verb",
    ParamKind::OneOf { what: "verb", names: VERBS },
    "how it may not be read; in no way where it is left out",
);
pub(super) const CHART_FAILURE: Param = optional(
    "how",
    ParamKind::OneOf { what: "failure of a chart", names: CHART_FAILURES },
    "`template`: the chart cannot be rendered; `manifest`: the API refuses what comes out; the first where it is left out",
);
pub(super) const MODE: Param = optional(
    "mode",
    ParamKind::OneOf { what: "bootstrap mode", names: MODES },
    "`fresh` or `recover`; recover where it is left out",
);
pub(super) const DNS_SERVERS: Param =
    optional("dns-servers", ParamKind::Addresses, "explicit DNS servers: `1.1.1.1,8.8.8.8`");
pub(super) const COMPONENT: Param =
    required("component", ParamKind::OneOf { what: "component", names: COMPONENTS }, "the component");
pub(super) const WORKER: Param = required(
    "component",
    ParamKind::OneOf { what: "worker", names: WORKERS },
    "the worker; one whose start script sleeps after a failure",
);
pub(super) const EXIT_CODE: Param = optional(
    "exit-code",
    ParamKind::Count { what: "exit code", from: 0, to: 255 },
    "with which it ends; 1 where it is left out",
);
pub(super) const MIGRATION: Param = optional(
    "migration",
    ParamKind::FileName,
    "the file of the migration; `202512010930_add_service_levels.cjs` where it is left out",
);
pub(super) const PACKAGE: Param =
    optional("package", ParamKind::FileName, "the package that is missing; `pino` where it is left out");
pub(super) const SECRET: Param =
    required("name", ParamKind::OneOf { what: "Secret", names: SECRETS }, "the Secret's name");
pub(super) const SECRET_KEY: Param = optional(
    "key",
    ParamKind::OneOf { what: "key of a Secret", names: SECRET_KEYS },
    "only this key; the whole Secret where it is left out",
);
pub(super) const USER: Param = optional(
    "user",
    ParamKind::OneOf { what: "user of the database", names: USERS },
    "only this user's password; all of them where it is left out",
);
pub(super) const FOREIGN_HOST: Param = optional(
    "host",
    ParamKind::Host,
    "the host that people are sent to; `alga.example.net` where it is left out",
);
pub(super) const PAGE_STATUS: Param =
    optional("status", ParamKind::HttpStatus, "the HTTP status, 400 to 599; 500 where it is left out");
pub(super) const TIMES: Param = optional(
    "times",
    ParamKind::Count { what: "number of times", from: 1, to: 20 },
    "how often, each time when it runs again; once where it is left out",
);
