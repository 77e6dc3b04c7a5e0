//! Asks Flux to look again, so that a repaired cause is taken up now and by what has given up.

use std::collections::BTreeSet;

use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::cluster::Cluster;
use crate::failure::{Failure, api};
use crate::lookout::Past;
use crate::objects::{condition, resource};
use crate::report::{Phase, step, warning};

const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
const RESET_AT: &str = "reconcile.fluxcd.io/resetAt";
const SOURCE: &str = "source.toolkit.fluxcd.io";
const KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io";
const HELM: &str = "helm.toolkit.fluxcd.io";

/// What Flux was asked for.
#[derive(Debug, Default)]
pub(crate) struct Request {
    token: String,
    releases: BTreeSet<String>,
}

impl Request {
    /// The request that the release was asked with; what it said before is about something else.
    pub(crate) fn of(&self, release: &str) -> Option<&str> {
        self.releases.contains(release).then_some(self.token.as_str())
    }
}

/// Whether an object has dealt with a request; one that was not asked has.
pub(crate) fn has_handled(object: &DynamicObject, request: Option<&str>) -> bool {
    request.is_none_or(|it| object.data["status"]["lastHandledReconcileAt"] == it)
}

/// What a release must be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// It is as it should be.
    Nothing,
    /// To look at its values.
    Look,
    /// To try once more although it has failed.
    TryAgain,
}

fn need(release: &DynamicObject, values_changed: impl Fn(&str) -> bool) -> Need {
    let observed = release.data["status"]["observedGeneration"].as_i64();
    let current = observed.is_some_and(|it| it >= release.metadata.generation.unwrap_or(0));
    let says = |kind: &str, status: &str| condition(release, kind).is_some_and(|(it, ..)| it == status);
    if says("Stalled", "True") || says("Ready", "False") {
        Need::TryAgain
    } else if !current || !says("Ready", "True") || values_changed(&release.name_any()) {
        Need::Look
    } else {
        Need::Nothing
    }
}

/// Whether Flux was told of an appliance before.
pub(crate) async fn past(cluster: &Cluster) -> Result<Past, Failure> {
    let source = objects(cluster, SOURCE, "v1", "OCIRepository", "flux-system");
    match source.get("alga-appliance").await {
        Ok(_) => Ok(Past::Installed),
        // Where Flux was never installed the API does not know its kinds, and says so in words of its own.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Past::None),
        Err(error) => Err(api("look for an earlier source")(error)),
    }
}

/// Asks the source, the Kustomizations, and every release that is not Ready or whose values changed.
pub(crate) async fn ask(cluster: &Cluster, changed: &BTreeSet<String>) -> Result<Request, Failure> {
    let token = token();
    for (group, kind) in [(SOURCE, "OCIRepository"), (KUSTOMIZE, "Kustomization")] {
        let all = objects(cluster, group, "v1", kind, "flux-system");
        for object in list(&all, kind).await? {
            annotate(&all, &object, kind, &token, Need::Look).await?;
        }
    }
    let all = objects(cluster, HELM, "v2", "HelmRelease", "alga-system");
    let mut releases = BTreeSet::new();
    for release in list(&all, "HelmRelease").await? {
        let need = need(&release, |name| changed.contains(name));
        if need != Need::Nothing && annotate(&all, &release, "HelmRelease", &token, need).await? {
            releases.insert(release.name_any());
        }
    }
    let names: Vec<&str> = releases.iter().map(String::as_str).collect();
    let names = if names.is_empty() { "no release".to_owned() } else { names.join(", ") };
    step(Phase::Flux, &format!("Asked Flux to reconcile the source, the Kustomizations and {names}"));
    Ok(Request { token, releases })
}

fn objects(cluster: &Cluster, group: &str, version: &str, kind: &str, namespace: &str) -> Api<DynamicObject> {
    Api::namespaced_with(cluster.client.clone(), namespace, &resource(group, version, kind))
}

async fn list(all: &Api<DynamicObject>, kind: &str) -> Result<Vec<DynamicObject>, Failure> {
    Ok(all.list(&ListParams::default()).await.map_err(api(format!("list every {kind}")))?.items)
}

/// Asks one object; says whether it will listen.
async fn annotate(
    all: &Api<DynamicObject>,
    object: &DynamicObject,
    kind: &str,
    token: &str,
    need: Need,
) -> Result<bool, Failure> {
    let name = object.name_any();
    if object.data["spec"]["suspend"] == true {
        warning(&format!("{kind} {name} is suspended; it stays as it is until it is resumed."));
        return Ok(false);
    }
    let mut annotations = json!({ REQUESTED_AT: token });
    if need == Need::TryAgain {
        annotations[RESET_AT] = json!(token);
    }
    let patch = json!({ "metadata": { "annotations": annotations } });
    all.patch(&name, &PatchParams::default(), &Patch::Merge(&patch))
        .await
        .map_err(api(format!("ask {kind} {name} to reconcile")))?;
    Ok(true)
}

/// A name for this request, as `flux reconcile` gives.
#[expect(clippy::disallowed_methods, reason = "tells requests apart; nothing is measured by it")]
pub(crate) fn token() -> String {
    jiff::Timestamp::now().to_string()
}

#[cfg(test)]
mod tests {
    use kube::api::DynamicObject;
    use serde_json::{Value, json};

    use super::{Need, has_handled, need};

    fn release(generation: i64, status: Value) -> DynamicObject {
        let metadata = json!({ "name": "pgbouncer", "generation": generation });
        serde_json::from_value(json!({ "metadata": metadata, "status": status })).unwrap()
    }

    fn says(kind: &str, status: &str) -> Value {
        json!({ "observedGeneration": 1, "conditions": [{ "type": kind, "status": status }] })
    }

    #[test]
    fn a_release_that_failed_is_asked_to_try_again() {
        assert_eq!(need(&release(1, says("Stalled", "True")), |_| false), Need::TryAgain);
        assert_eq!(need(&release(1, says("Ready", "False")), |_| false), Need::TryAgain);
    }

    #[test]
    fn a_ready_release_is_asked_only_where_its_values_changed() {
        let ready = release(1, says("Ready", "True"));
        assert_eq!(need(&ready, |_| false), Need::Nothing);
        assert_eq!(need(&ready, |name| name == "pgbouncer"), Need::Look);
    }

    #[test]
    fn ready_at_an_older_generation_is_not_ready() {
        assert_eq!(need(&release(2, says("Ready", "True")), |_| false), Need::Look);
        assert_eq!(need(&release(1, says("Ready", "Unknown")), |_| false), Need::Look);
    }

    #[test]
    fn what_an_object_said_before_the_request_does_not_count() {
        let before = release(1, json!({ "lastHandledReconcileAt": "an earlier one" }));
        assert!(!has_handled(&before, Some("this one")));
        assert!(has_handled(&before, Some("an earlier one")) && has_handled(&before, None));
    }
}
