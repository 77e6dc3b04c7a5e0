//! What the laboratory has besides when Flux is recorded: the controllers, and a registry that pods reach by its name.

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZeroU64;
use std::path::Path;

use fake_cluster::PreloadedImage;
use fake_network::{Effect, RegistryControl, RegistryFault, Wording};
use serde_json::{Value, json};

use super::ReplayError;
use super::artifacts;
use super::lab::Lab;
use super::steps::{apply, documents};
use crate::fidelity::case::{Case, Family};
use crate::recording::CONTROLLERS;

/// How many objects each works on at once there.
const WORKERS: &str = "--concurrent=12";
/// The registry as pods know it.
pub(super) const REGISTRY: &str = "registry.registry.svc.cluster.local";
const REGISTRY_PORT: u16 = 5000;
/// How fast the laboratory's registry sends what is below `slow/`.
const SLOW: NonZeroU64 = NonZeroU64::new(64 << 10).expect("not nothing");

/// The images of the controllers.
pub(super) fn images() -> Vec<PreloadedImage> {
    let manifest = fixtures::file("platform/flux.yaml").unwrap_or_default();
    let text = String::from_utf8_lossy(manifest);
    let named = text.lines().filter_map(|line| line.trim().strip_prefix("image: "));
    named
        .filter_map(|image| {
            let program = CONTROLLERS.iter().find(|name| image.contains(*name))?;
            Some(PreloadedImage { name: image.to_owned(), entrypoint: vec![format!("/{program}")] })
        })
        .collect()
}

/// Installs the controllers and waits until they run; publishes the charts that lie beside the case.
pub(super) async fn furnish(lab: &Lab, case: &Case) -> Result<(), ReplayError> {
    if case.family != Family::Flux {
        return Ok(());
    }
    lab.registry.control().word_errors_as(Wording::GoContainerRegistry);
    misbehave(&lab.registry.control()).await;
    artifacts::publish_charts(case, &lab.registry.control())?;
    let api = lab.api()?;
    let mut objects = Vec::new();
    for file in ["platform/flux-crds.yaml", "platform/flux.yaml"] {
        let text = String::from_utf8_lossy(fixtures::file(file).unwrap_or_default());
        objects.extend(documents(&text, Path::new(file))?);
    }
    objects.extend(registry(lab));
    for mut object in objects {
        if object["kind"] == "Deployment" {
            hurry(&mut object);
        }
        let applied = apply(&lab.cluster, &api, &object, "flux-system").await;
        applied.map_err(|message| ReplayError::Manifest { file: "flux".to_owned(), message })?;
    }
    running(lab).await;
    Ok(())
}

/// More workers, as the recordings were made with.
fn hurry(deployment: &mut Value) {
    let container = &mut deployment["spec"]["template"]["spec"]["containers"][0];
    if let Some(arguments) = container["args"].as_array_mut() {
        arguments.push(json!(WORKERS));
    }
}

/// Waits until every controller's pod is Ready.
async fn running(lab: &Lab) {
    let store = lab.cluster.store();
    let clock = store.clock().clone();
    let ready = |name: &str| {
        let found = store.get(&cluster_api::kinds::DEPLOYMENTS, "flux-system", name);
        found.is_some_and(|found| found["status"]["readyReplicas"].as_u64() > Some(0))
    };
    for _ in 0..600 {
        if CONTROLLERS.iter().all(|name| ready(name)) {
            break;
        }
        clock.sleep(std::time::Duration::from_millis(100)).await;
    }
    // Whoever leads has looked at everything by then.
    clock.sleep(std::time::Duration::from_secs(3)).await;
}

/// The registry's name in the cluster: a Service without pods, whose endpoint is the registry beside the cluster.
fn registry(lab: &Lab) -> [Value; 3] {
    let address = lab.registry.address();
    [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "registry"}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "registry", "namespace": "registry"},
            "spec": {"ports": [{"port": REGISTRY_PORT, "targetPort": address.port()}]}}),
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": "registry-outside", "namespace": "registry",
                "labels": {"kubernetes.io/service-name": "registry"}},
            "endpoints": [{"addresses": [address.ip().to_string()], "conditions": {"ready": true}}],
            "ports": [{"port": address.port()}]}),
    ]
}

/// What the laboratory's registry does with some names.
async fn misbehave(registry: &RegistryControl) {
    let effects = [
        ("deny", Effect::Forbidden),
        ("fail", Effect::Error { status: 500 }),
        ("rate", Effect::RateLimited { retry_after: 0 }),
        ("slow", Effect::Slow { bytes_per_second: SLOW }),
    ];
    for (name, effect) in effects {
        registry.inject(RegistryFault::on(&format!("{REGISTRY}/{name}/*"), effect)).await;
    }
}

/// The namespaces that are there before the case begins: those that its files name and that begin with the first's name,
/// but for those that something of the case makes.
pub(in crate::fidelity) fn namespaces(first: &str, directory: &Path) -> Vec<String> {
    let (mut named, mut made) = (BTreeSet::new(), BTreeSet::new());
    let mut texts = Vec::new();
    read(directory, &mut texts);
    for text in &texts {
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
            if word.strip_prefix(first).is_some_and(|rest| rest.starts_with('-')) {
                named.insert(word.to_owned());
            }
        }
        for document in serde_saphyr::from_multiple::<Value>(text).unwrap_or_default() {
            let target = document["spec"]["targetNamespace"].as_str();
            if document["spec"]["install"]["createNamespace"] == true {
                made.extend(target.map(str::to_owned));
            }
            if document["kind"] == "Namespace" {
                made.extend(document["metadata"]["name"].as_str().map(str::to_owned));
            }
        }
    }
    let others = named.into_iter().filter(|name| !made.contains(name));
    std::iter::once(first.to_owned()).chain(others).collect()
}

/// The manifests of a case and of what it pushes.
fn read(directory: &Path, texts: &mut Vec<String>) {
    let mut paths: Vec<_> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            read(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            texts.extend(fs::read_to_string(&path));
        }
    }
}
