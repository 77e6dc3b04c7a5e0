//! Causes in the site's values.

use std::sync::Arc;

use cluster_api::{ApiError, Store, kinds, object};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::site;
use super::super::starts::Start;
use super::super::volumes::until;
use super::{Ground, Starts};
use crate::fault::FaultUse;
use crate::world::WorldError;

/// A seed directory that no image has.
const NO_SEEDS: &str = "/app/server/seeds/retired";
/// Where the application's Services are.
const NAMESPACE: &str = "msp";

/// A cause in the site's values.
#[derive(Debug, Clone)]
pub(super) enum Cause {
    /// Service links of a component, and perhaps a Service that somebody adds.
    ServiceLinks { component: String, service: Option<String> },
    /// Temporal does not make its schema.
    NoAutosetup,
    /// The seeds are not where they are said to be.
    SeedMissing,
}

impl Cause {
    /// What a fault asks for.
    pub(super) fn of(fault: &FaultUse) -> Option<Self> {
        match fault.name() {
            "service-links.enabled" => Some(Self::ServiceLinks {
                component: fault.params.text("component")?.to_owned(),
                service: fault.params.text("service").map(str::to_owned),
            }),
            "temporal.no-autosetup" => Some(Self::NoAutosetup),
            "bootstrap.seed-missing" => Some(Self::SeedMissing),
            _ => None,
        }
    }

    /// Writes it down where the operator's command reads it.
    pub(super) fn set(&self, ground: &Ground<'_>) -> Result<(), WorldError> {
        let at = &ground.configuration;
        match self {
            Self::ServiceLinks { component, service } => {
                let section = if component == "temporal-ui" { "ui" } else { "temporal" };
                site::set(at, "temporal", &[section, "enableServiceLinks"], json!(true))?;
                if let Some(name) = service {
                    add_service(ground, name);
                }
                Ok(())
            }
            Self::NoAutosetup => Ok(site::set(at, "temporal", &["temporal", "autosetup"], json!(false))?),
            Self::SeedMissing => {
                Ok(site::set(at, "alga-core", &["setup", "seedDirectory"], json!(NO_SEEDS))?)
            }
        }
    }

    /// The containers that it reached.
    pub(super) fn receipts(&self, starts: &Starts) -> Vec<(Timestamp, String)> {
        let line = |start: Start, what: &str| {
            (
                start.at,
                format!("{} container {} of {} was started {what}", start.at, start.container, start.pod),
            )
        };
        match self {
            Self::ServiceLinks { component, service } => {
                let variable = variable(service.as_deref().unwrap_or(component));
                let linked = |start: &Start| {
                    start.variable(&variable).is_some_and(|value| value.starts_with("tcp://"))
                };
                let what = format!("with {variable}=tcp://…");
                starts.of(component).into_iter().filter(linked).map(|start| line(start, &what)).collect()
            }
            Self::NoAutosetup => {
                let plain = |start: &Start| !start.arguments.iter().any(|argument| argument == "autosetup");
                let found = starts.of("temporal").into_iter().filter(plain);
                found.map(|start| line(start, "without autosetup")).collect()
            }
            Self::SeedMissing => {
                let told = |start: &Start| start.variable("SEED_DIRECTORY") == Some(NO_SEEDS);
                let found = starts.of("bootstrap").into_iter().filter(told);
                found.map(|start| line(start, &format!("with SEED_DIRECTORY={NO_SEEDS}"))).collect()
            }
        }
    }
}

/// The variable that a service link makes of a Service's name.
fn variable(service: &str) -> String {
    format!("{}_PORT", service.to_ascii_uppercase().replace('-', "_"))
}

/// What `kubectl patch deployment` does to the pods of a component; says whether there is one.
fn patch(store: &Store, component: &str, change: impl FnOnce(&mut Value)) -> Result<bool, ApiError> {
    let deployments = store.list(&kinds::DEPLOYMENTS, Some(NAMESPACE));
    let labels = "app.kubernetes.io/name";
    let is_mine =
        |deployment: &&Arc<Value>| object::label(&deployment["spec"]["template"], labels) == Some(component);
    let Some(mine) = deployments.iter().find(is_mine) else { return Ok(false) };
    store.modify(&kinds::DEPLOYMENTS, NAMESPACE, object::name(mine), |deployment| {
        change(&mut deployment["spec"]["template"]["spec"]);
    })?;
    Ok(true)
}

/// Switches a component's service links off.
pub(super) fn disable_links(store: &Store, component: &str) -> Result<bool, ApiError> {
    patch(store, component, |pod| pod["enableServiceLinks"] = json!(false))
}

/// Lets Temporal make its schema.
pub(super) fn run_autosetup(store: &Store) -> Result<bool, ApiError> {
    patch(store, "temporal", |pod| pod["containers"][0]["args"] = json!(["autosetup"]))
}

/// Adds a Service as soon as there is a namespace for it.
fn add_service(ground: &Ground<'_>, name: &str) {
    let object = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": name, "namespace": NAMESPACE },
        "spec": { "selector": { "app.kubernetes.io/name": name }, "ports": [{ "name": "http", "port": 8080 }] },
    });
    let store = ground.store.clone();
    tokio::spawn(async move {
        let namespace = until(&store, || store.get(&kinds::NAMESPACES, "", NAMESPACE)).await;
        let added = namespace.map(|_| store.create(&kinds::SERVICES, object));
        if let Some(Err(error)) = added {
            tracing::warn!(%error, "cannot add a Service");
        }
    });
}
