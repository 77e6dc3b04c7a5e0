//! Pods: builds that do not do, what they are configured with, and how a person handles them.

use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::kinds;
use serde_json::json;

use super::builds::{self, Bad};
use super::{
    Cause, Ground, Noticed, Set, Sighting, bootstrap, done, failed, no_target, unsupported, values, volumes,
    workload,
};
use crate::fault::{FaultUse, HealStep};
use crate::world::InjectError;

/// More than any component may take.
const TOO_MUCH: u64 = 16 * 1024 * 1024 * 1024;

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let component = fault.params.text("component").unwrap_or_default();
    let (what, details) = match fault.name() {
        "pod.crash-loop" => {
            let code = fault.params.number("exit-code").unwrap_or(1);
            ("EXITS", format!("{code} {}", last_words(component)))
        }
        "pod.oom" => ("TAKES", TOO_MUCH.to_string()),
        "pod.not-ready" => match component {
            "alga-core" | "workflow-worker" | "temporal-worker" | "email-service" => {
                ("UNREADY", "cannot load the licence: unexpected end of file".to_owned())
            }
            _ => ("WAITS", "Loading the locale archive".to_owned()),
        },
        "pod.sleeping-worker" => ("SLEEPS", "cannot register task queue: namespace not found".to_owned()),
        "pod.bad-config" => {
            let name = settings(component);
            let variable = json!({
                "name": "FEATURE_SET",
                "valueFrom": { "configMapKeyRef": { "name": name, "key": KEY } },
            });
            values::add_variable(ground, fault.name(), component, variable).await?;
            return Ok(Rc::new(Unconfigured { name, noticed: Noticed::default() }));
        }
        other => return Err(unsupported(other)),
    };
    builds::publish(ground, fault.name(), Bad { image: component, program: component, what, details }).await
}

pub(super) async fn heal(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    let component = step.params.text("component").unwrap_or_default();
    match step.name() {
        "pod.restart" => restart(ground, step, component).await,
        "pod.pull-again" => {
            let Some(image) = ground.outside.image(component) else {
                return Err(no_target(step.name(), format!("image of {component}"), Vec::new()));
            };
            builds::pull_again(ground, step.name(), image.reference()).await?;
            restart(ground, step, component).await
        }
        "pod.provide-config" => {
            let map = json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": { "name": settings(component), "namespace": workload::NAMESPACE },
                "data": { KEY: "standard" },
            });
            let made = ground.objects.create(&kinds::CONFIG_MAPS, map).await;
            made.map(drop).map_err(|source| failed(step.name(), source))
        }
        other => Err(unsupported(other)),
    }
}

async fn restart(ground: &Ground<'_>, step: &HealStep, component: &str) -> Result<(), InjectError> {
    done(step, volumes::restart(ground.objects, component).await, "pod", component)
}

/// What a program of this component says when it cannot start.
fn last_words(component: &str) -> String {
    match component {
        "db" => "FATAL:  could not access file \"vector\": No such file or directory".to_owned(),
        "redis" => {
            "Fatal error, can't open config file '/etc/redis/redis.conf': No such file or directory".to_owned()
        }
        "pgbouncer" => "FATAL cannot load config file".to_owned(),
        "temporal" => {
            "Unable to load configuration: config file corrupted: yaml: line 3: mapping values are not allowed in this context".to_owned()
        }
        "temporal-ui" => "error parsing config: yaml: line 9: found character that cannot start any token".to_owned(),
        _ => bootstrap::module_missing("pino", "/app/dist/index.mjs"),
    }
}

/// The key that the site's values name.
const KEY: &str = "FEATURE_SET";

/// The ConfigMap that the site's values name.
fn settings(component: &str) -> String {
    format!("{component}-settings")
}

/// A container that wants what is not there.
struct Unconfigured {
    name: String,
    noticed: Noticed,
}

#[async_trait(?Send)]
impl Cause for Unconfigured {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let refused = workload::waits(ground.objects, &format!("configmap \"{}\" not found", self.name));
        self.noticed.if_so(refused, ground, &format!("a container was not created for want of {}", self.name))
    }
}
