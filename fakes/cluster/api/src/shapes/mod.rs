//! The published schemas of kinds, and what of an object they do not know.

mod decode;
pub(crate) mod typed;

use std::sync::LazyLock;

use k8s_openapi::api::{
    admissionregistration::v1 as admission, apps::v1 as apps, autoscaling::v2 as autoscaling,
    batch::v1 as batch, coordination::v1 as coordination, core::v1 as core, discovery::v1 as discovery,
    networking::v1 as networking, policy::v1 as policy, rbac::v1 as rbac, scheduling::v1 as scheduling,
    storage::v1 as storage,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as extensions;
use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::kind::KindInfo;

pub(crate) use decode::{Mistake, decode};

/// Where schemas refer to each other.
const PLACE: &str = "#/components/schemas/";
const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

macro_rules! add_kinds {
    ($generator:ident: $($group:literal $kind:ident = $type:ty;)*) => {
        vec![$((($group, stringify!($kind)), add::<$type>(&mut $generator)),)*]
    };
}

fn add<T: JsonSchema>(generator: &mut SchemaGenerator) -> String {
    generator.subschema_for::<T>();
    T::schema_name().into_owned()
}

type Names = Vec<((&'static str, &'static str), String)>;

/// The built-in schemas by name, and which is whose.
static BUILT_IN: LazyLock<(Map<String, Value>, Names)> = LazyLock::new(|| {
    let mut settings = SchemaSettings::openapi3();
    settings.definitions_path = "/components/schemas".into();
    let mut generator = settings.into_generator();
    let names = add_kinds! { generator:
        "" Pod = core::Pod;
        "" Node = core::Node;
        "" Service = core::Service;
        "" Endpoints = core::Endpoints;
        "" ConfigMap = core::ConfigMap;
        "" Secret = core::Secret;
        "" ServiceAccount = core::ServiceAccount;
        "" Namespace = core::Namespace;
        "" Event = core::Event;
        "" PersistentVolumeClaim = core::PersistentVolumeClaim;
        "" PersistentVolume = core::PersistentVolume;
        "" LimitRange = core::LimitRange;
        "" ResourceQuota = core::ResourceQuota;
        "" PodTemplate = core::PodTemplate;
        "" ReplicationController = core::ReplicationController;
        "apps" Deployment = apps::Deployment;
        "apps" ReplicaSet = apps::ReplicaSet;
        "apps" StatefulSet = apps::StatefulSet;
        "apps" DaemonSet = apps::DaemonSet;
        "apps" ControllerRevision = apps::ControllerRevision;
        "batch" Job = batch::Job;
        "batch" CronJob = batch::CronJob;
        "discovery.k8s.io" EndpointSlice = discovery::EndpointSlice;
        "storage.k8s.io" StorageClass = storage::StorageClass;
        "coordination.k8s.io" Lease = coordination::Lease;
        "rbac.authorization.k8s.io" Role = rbac::Role;
        "rbac.authorization.k8s.io" RoleBinding = rbac::RoleBinding;
        "rbac.authorization.k8s.io" ClusterRole = rbac::ClusterRole;
        "rbac.authorization.k8s.io" ClusterRoleBinding = rbac::ClusterRoleBinding;
        "networking.k8s.io" NetworkPolicy = networking::NetworkPolicy;
        "networking.k8s.io" Ingress = networking::Ingress;
        "networking.k8s.io" IngressClass = networking::IngressClass;
        "policy" PodDisruptionBudget = policy::PodDisruptionBudget;
        "autoscaling" HorizontalPodAutoscaler = autoscaling::HorizontalPodAutoscaler;
        "scheduling.k8s.io" PriorityClass = scheduling::PriorityClass;
        "admissionregistration.k8s.io" ValidatingWebhookConfiguration = admission::ValidatingWebhookConfiguration;
        "admissionregistration.k8s.io" MutatingWebhookConfiguration = admission::MutatingWebhookConfiguration;
        "apiextensions.k8s.io" CustomResourceDefinition = extensions::CustomResourceDefinition;
    };
    let schemas = generator.take_definitions(true).into_iter().collect();
    (schemas, names)
});

/// A built-in schema.
pub(crate) fn named(name: &str) -> Option<&'static Value> {
    BUILT_IN.0.get(name)
}

/// The schema that one refers to, if it refers to one.
pub(crate) fn reference(schema: &Value) -> Option<&str> {
    let found = schema.get("$ref").or_else(|| schema.get("allOf")?.get(0)?.get("$ref"))?;
    found.as_str()?.strip_prefix(PLACE)
}

/// What a kind's schema is called.
pub(crate) fn schema_name(info: &KindInfo, version: &str) -> String {
    let known = BUILT_IN.1.iter().find(|((group, kind), _)| *group == info.res.group && *kind == info.kind);
    match known {
        Some((_, name)) => name.clone(),
        None => {
            let mut group: Vec<&str> = info.res.group.split('.').collect();
            group.reverse();
            format!("{}.{version}.{}", group.join("."), info.kind)
        }
    }
}

/// The schema of a kind; that of a definition with what every object has.
pub(crate) fn of_kind(info: &KindInfo, version: &str) -> Value {
    if let Some(schema) = named(&schema_name(info, version)) {
        return schema.clone();
    }
    let served = info.served(version).and_then(|served| served.schema.as_deref().cloned());
    let mut schema = served.unwrap_or_else(|| json!({"type": "object"}));
    let properties = crate::object::child(&mut schema, "properties");
    for field in ["apiVersion", "kind"] {
        properties[field] = json!({"type": "string"});
    }
    properties["metadata"] = json!({"$ref": format!("{PLACE}{META}")});
    schema
}

/// Drops the fields that a built-in schema does not know.
pub(crate) fn prune(value: &mut Value, schema: &Value) {
    let schema = reference(schema).and_then(named).unwrap_or(schema);
    match value {
        Value::Object(map) => {
            if let Some(properties) = schema["properties"].as_object() {
                map.retain(|key, _| properties.contains_key(key));
            }
            for (key, inner) in map.iter_mut() {
                let known = schema["properties"].get(key).or_else(|| schema.get("additionalProperties"));
                if let Some(schema) = known.filter(|schema| schema.is_object()) {
                    prune(inner, schema);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| prune(item, &schema["items"])),
        _ => {}
    }
}
