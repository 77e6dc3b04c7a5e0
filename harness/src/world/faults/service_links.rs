//! Service links that the site's values switch on.

use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::kinds;
use serde_json::json;

use super::{Cause, Ground, Set, Sighting, Start, done, unsupported, values, workload};
use crate::fault::{FaultUse, HealStep};
use crate::world::InjectError;

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let component = fault.params.text("component").unwrap_or_default().to_owned();
    let service = fault.params.text("service").map(str::to_owned);
    let section = if component == "temporal-ui" { "ui" } else { "temporal" };
    values::choose(ground, fault.name(), "temporal", |values| {
        values[section]["enableServiceLinks"] = json!(true);
    })
    .await?;
    if let Some(name) = &service {
        add_service(ground, name);
    }
    Ok(Rc::new(Linked { component, service }))
}

pub(super) async fn heal(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    let component = step.params.text("component").unwrap_or_default();
    match step.name() {
        "service-links.disable" => {
            let patched = workload::patch_pods(ground.objects, component, |pod| {
                pod["enableServiceLinks"] = json!(false);
            })
            .await;
            done(step, patched, "Deployment of", component)
        }
        other => Err(unsupported(other)),
    }
}

/// Service links of a component, and perhaps a Service that somebody adds.
struct Linked {
    component: String,
    service: Option<String>,
}

#[async_trait(?Send)]
impl Cause for Linked {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let variable = variable(self.service.as_deref().unwrap_or(&self.component));
        let linked =
            |start: &&Start| start.variable(&variable).is_some_and(|value| value.starts_with("tcp://"));
        let starts = ground.starts.of(&self.component);
        starts.iter().filter(linked).map(|it| Sighting::of(it, &format!("with {variable}=tcp://…"))).collect()
    }
}

/// The variable that a service link makes of a Service's name.
fn variable(service: &str) -> String {
    format!("{}_PORT", service.to_ascii_uppercase().replace('-', "_"))
}

/// Adds a Service as soon as there is a namespace for it.
fn add_service(ground: &Ground<'_>, name: &str) {
    let object = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": name, "namespace": workload::NAMESPACE },
        "spec": { "selector": { "app.kubernetes.io/name": name }, "ports": [{ "name": "http", "port": 8080 }] },
    });
    let objects = ground.objects.clone();
    tokio::spawn(async move {
        let namespace = objects.until(|| objects.get(&kinds::NAMESPACES, "", workload::NAMESPACE)).await;
        if namespace.is_none() {
            return;
        }
        if let Err(error) = objects.create(&kinds::SERVICES, object).await {
            tracing::warn!(%error, "cannot add a Service");
        }
    });
}
