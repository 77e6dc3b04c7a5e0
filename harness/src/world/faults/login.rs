//! Causes on the way to the login page.

use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::{kinds, object};
use serde_json::json;

use super::{Cause, Ground, Noticed, Set, Sighting, Start, unsupported, values, workload};
use crate::fault::FaultUse;

/// Where people are sent if nothing else is said.
const ELSEWHERE: &str = "alga.example.net";

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let name = fault.name();
    match name {
        "login.http-500" => {
            let status = fault.params.number("status").unwrap_or(500).to_string();
            let variable = json!({ "name": "MAINTENANCE_STATUS", "value": status });
            values::add_variable(ground, name, "alga-core", variable).await?;
            Ok(Rc::new(Told { variable: "MAINTENANCE_STATUS", value: status }))
        }
        "login.foreign-redirect" => {
            let url = format!("https://{}", fault.params.text("host").unwrap_or(ELSEWHERE));
            values::choose(ground, name, "alga-core", |values| values["server"]["authUrl"] = json!(url))
                .await?;
            Ok(Rc::new(Told { variable: "NEXTAUTH_URL", value: url }))
        }
        "login.refused" => {
            values::choose(ground, name, "alga-core", |values| values["server"]["hostPort"] = json!(0))
                .await?;
            Ok(Rc::new(NoPort(Noticed::default())))
        }
        other => Err(unsupported(other)),
    }
}

/// What the application was told.
struct Told {
    variable: &'static str,
    value: String,
}

#[async_trait(?Send)]
impl Cause for Told {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let told = |start: &&Start| start.variable(self.variable) == Some(self.value.as_str());
        let starts = ground.starts.of("alga-core");
        let how = format!("with {}={}", self.variable, self.value);
        starts.iter().filter(told).map(|start| Sighting::of(start, &how)).collect()
    }
}

/// An application that runs without a port of the node.
struct NoPort(Noticed);

#[async_trait(?Send)]
impl Cause for NoPort {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let pods = ground.objects.list(&kinds::PODS, Some(workload::NAMESPACE));
        let so = pods.iter().any(|pod| {
            object::label(pod, "app.kubernetes.io/name") == Some("alga-core")
                && pod["status"]["containerStatuses"][0]["ready"] == true
                && pod["spec"]["containers"][0]["ports"][0]["hostPort"].is_null()
        });
        self.0.if_so(so, ground, "a pod of the application is ready without a port of the node")
    }
}
