//! Flux, and the source that it installs from.

use futures::future::try_join_all;
use jiff::SignedDuration;
use kube::api::DynamicObject;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::failure::{Failure, Layer};
use crate::lookout::Lookout;
use crate::objects::{condition, manifest, resource};
use crate::report::{Phase, step};
use crate::settings::Settings;
use crate::time::ApiTime;
use crate::waits::{Look, Wait, rolled_out};

const WITHIN: SignedDuration = SignedDuration::from_secs(600);

pub(crate) async fn install(cluster: &Cluster, time: &ApiTime, lookout: &Lookout<'_>) -> Result<(), Failure> {
    step(Phase::Flux, "Installing the Flux controllers");
    let definitions = manifest("platform/flux-crds.yaml")?;
    let names: Vec<String> =
        definitions.iter().filter_map(|it| it["metadata"]["name"].as_str().map(str::to_owned)).collect();
    cluster.apply_all(definitions).await?;
    let remedy = "Inspect the named object in namespace flux-system, then run the command again.";
    let wait = |resource, namespace, name| Wait {
        cluster,
        time,
        resource,
        namespace,
        name,
        within: WITHIN,
        layer: Layer::Flux,
        remedy,
    };
    let definition = || resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let ready = names.iter().map(|name| wait(definition(), None, name).until(established));
    lookout.over(Phase::Flux, try_join_all(ready)).await?;
    let controllers = manifest("platform/flux.yaml")?;
    let names: Vec<String> = controllers
        .iter()
        .filter(|it| it["kind"] == "Deployment")
        .filter_map(|it| it["metadata"]["name"].as_str().map(str::to_owned))
        .collect();
    cluster.apply_all(controllers).await?;
    step(Phase::Flux, "Waiting for the Flux controllers");
    let deployment = || resource("apps", "v1", "Deployment");
    let ready = names.iter().map(|name| wait(deployment(), Some("flux-system"), name).until(rolled_out));
    lookout.over(Phase::Flux, try_join_all(ready)).await?;
    step(Phase::Flux, "The Flux controllers are ready");
    Ok(())
}

fn established(object: Option<&DynamicObject>) -> Look {
    match object.and_then(|it| condition(it, "Established")) {
        Some(("True", ..)) => Look::Met,
        _ => Look::NotYet("it is not established".into()),
    }
}

/// The source artifact: pinned by digest where the release names one, else by tag.
pub(crate) fn source(settings: &Settings) -> Value {
    let reference = match &settings.release.source_digest {
        Some(digest) => json!({ "digest": digest }),
        None => json!({ "tag": settings.source_tag }),
    };
    json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "OCIRepository",
        "metadata": { "name": "alga-appliance", "namespace": "flux-system" },
        "spec": { "interval": "5m", "url": settings.source_url, "ref": reference },
    })
}

/// The root, whose tiers wait for themselves.
pub(crate) fn root() -> Value {
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": { "name": "alga-appliance", "namespace": "flux-system" },
        "spec": {
            "interval": "5m",
            "retryInterval": "1m",
            "timeout": "10m",
            "path": "./",
            "prune": true,
            "wait": false,
            "sourceRef": { "kind": "OCIRepository", "name": "alga-appliance" },
        },
    })
}
