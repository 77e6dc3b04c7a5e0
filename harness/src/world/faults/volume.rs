//! Causes in the node's volumes, and in who provides them.

use std::cell::RefCell;
use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::{kinds, object};
use fake_workloads::Quotas;
use serde_json::{Value, json};

use super::volumes::Astray;
use super::{
    Cause, Ground, Noticed, Objects, Set, Sighting, done, failed, impossible, no_target, unsupported, volumes,
};
use crate::fault::{FaultUse, HealStep};
use crate::world::{InjectError, WorldError};

/// Where a distribution has its own provisioner.
const SYSTEM: &str = "kube-system";
const PROVISIONER: &str = "local-path-provisioner";
/// The class by which the appliance asks for volumes, and what it is made from.
const CLASS: &str = "local-path";
const STORAGE: &str = "platform/local-path.yaml";
/// Why a volume cannot be full.
const NO_LIMITS: &str = "the volumes of its disk have no limits of their own";

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let component = fault.params.text("component").unwrap_or_default().to_owned();
    let astray = match fault.name() {
        "volume.subpath-dangling" => Astray::Nowhere,
        "volume.subpath-escapes" => Astray::Outside,
        "volume.subpath-under-file" => Astray::ThroughFile,
        "volume.no-storage-class" => return Ok(no_class(ground)),
        "volume.two-provisioners" => return second_provisioner(ground, fault).await,
        "volume.full" => return full(ground, fault, component),
        other => return Err(unsupported(other)),
    };
    let (objects, disk) = (ground.objects.clone(), ground.disk.to_owned());
    tokio::spawn(volumes::lead_astray(objects, disk, component.clone(), astray));
    Ok(Rc::new(Broken { component, noticed: Noticed::default() }))
}

pub(super) async fn heal(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    let component = step.params.text("component").unwrap_or_default();
    match step.name() {
        "volume.repair" => {
            let repaired = volumes::repair(ground.objects, ground.disk, component);
            done(step, repaired, "broken volume", component)
        }
        "volume.restore-class" => {
            done(step, restore_class(ground.objects).await, "missing StorageClass", CLASS)
        }
        "volume.remove-provisioner" => {
            done(step, remove_provisioner(ground.objects).await, "second provisioner", SYSTEM)
        }
        "volume.enlarge" => {
            let roots = volumes::roots(ground.objects, ground.disk, component);
            let Some(quotas) = ground.quotas else { return Err(impossible(step.name(), NO_LIMITS)) };
            let enlarged = roots.iter().filter(|root| quotas.lift(root)).count() > 0;
            if enlarged {
                return Ok(());
            }
            Err(no_target(step.name(), format!("full volume of {component}"), Vec::new()))
        }
        other => Err(unsupported(other)),
    }
}

/// A component's volume of which something does not lead where it should.
struct Broken {
    component: String,
    noticed: Noticed,
}

#[async_trait(?Send)]
impl Cause for Broken {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let component = &self.component;
        let refused = volumes::refused(ground.objects, ground.disk, component);
        self.noticed.if_so(refused, ground, &format!("a container of {component} was not created"))
    }
}

/// A volume without room, as soon as it is there.
fn full(ground: &Ground<'_>, fault: &FaultUse, component: String) -> Set {
    let Some(quotas) = ground.quotas.cloned() else { return Err(impossible(fault.name(), NO_LIMITS)) };
    let (objects, disk) = (ground.objects.clone(), ground.disk.to_owned());
    tokio::spawn(volumes::fill(objects, disk, quotas.clone(), component.clone()));
    Ok(Rc::new(Full { component, quotas, roots: RefCell::default() }))
}

struct Full {
    component: String,
    quotas: Quotas,
    /// Where its volumes are, also while it has no pod.
    roots: RefCell<Vec<std::path::PathBuf>>,
}

#[async_trait(?Send)]
impl Cause for Full {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let found = volumes::roots(ground.objects, ground.disk, &self.component);
        let mut roots = self.roots.borrow_mut();
        for root in found.iter().filter_map(|root| root.canonicalize().ok()) {
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
        let refusals = self.quotas.refusals().into_iter().filter(|it| roots.contains(&it.directory));
        refusals.map(|it| Sighting::new(it.at, format_args!("no room for {}", it.path.display()))).collect()
    }
}

/// Deletes the class as soon as it is there.
fn no_class(ground: &Ground<'_>) -> Rc<dyn Cause> {
    let objects = ground.objects.clone();
    tokio::spawn(async move {
        let there = || objects.get(&kinds::STORAGE_CLASSES, "", CLASS);
        if objects.until(there).await.is_some()
            && let Err(error) = objects.delete(&kinds::STORAGE_CLASSES, "", CLASS).await
        {
            tracing::warn!(%error, "cannot delete the StorageClass");
        }
    });
    Rc::new(NoClass(Noticed::default()))
}

struct NoClass(Noticed);

#[async_trait(?Send)]
impl Cause for NoClass {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let objects = ground.objects;
        let waits = |claim: &Value| {
            claim["status"]["phase"] == "Pending" && claim["spec"]["storageClassName"] == CLASS
        };
        let gone = objects.get(&kinds::STORAGE_CLASSES, "", CLASS).is_none();
        let claims = objects.list(&kinds::PERSISTENT_VOLUME_CLAIMS, None);
        let waits = gone && claims.iter().any(|claim| waits(claim));
        self.0.if_so(waits, ground, "a claim waits for a StorageClass that does not exist")
    }
}

/// Makes the class again, as it was installed; says whether it was missing.
async fn restore_class(objects: &Objects) -> Result<bool, WorldError> {
    if objects.get(&kinds::STORAGE_CLASSES, "", CLASS).is_some() {
        return Ok(false);
    }
    let installed = fixtures::file(STORAGE).unwrap_or_default();
    let all: Vec<Value> = serde_saphyr::from_multiple(&String::from_utf8_lossy(installed))?;
    for class in all.into_iter().filter(|object| object["kind"] == "StorageClass") {
        objects.create(&kinds::STORAGE_CLASSES, class).await?;
    }
    Ok(true)
}

/// Takes the provisioner of a distribution away; says whether there was one.
async fn remove_provisioner(objects: &Objects) -> Result<bool, WorldError> {
    if objects.get(&kinds::DEPLOYMENTS, SYSTEM, PROVISIONER).is_none() {
        return Ok(false);
    }
    objects.delete(&kinds::DEPLOYMENTS, SYSTEM, PROVISIONER).await?;
    Ok(true)
}

/// Adds the provisioner of a distribution.
async fn second_provisioner(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    add_provisioner(ground.objects).await.map_err(|source| failed(fault.name(), source))?;
    Ok(Rc::new(Second))
}

async fn add_provisioner(objects: &Objects) -> Result<(), WorldError> {
    let labels = json!({ "app": PROVISIONER });
    let account = format!("{PROVISIONER}-service-account");
    let object = json!({ "metadata": { "name": account, "namespace": SYSTEM } });
    objects.create(&kinds::SERVICE_ACCOUNTS, object).await?;
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": PROVISIONER, "namespace": SYSTEM },
        "spec": {
            "replicas": 1,
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": {
                    "priorityClassName": "system-node-critical",
                    "serviceAccountName": account,
                    "tolerations": [{ "key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule" }],
                    "containers": [{
                        "name": PROVISIONER,
                        "image": "docker.io/rancher/local-path-provisioner:v0.0.30",
                        "imagePullPolicy": "IfNotPresent",
                        "command": ["local-path-provisioner", "start", "--config", "/etc/config/config.json"],
                    }],
                },
            },
        },
    });
    objects.create(&kinds::DEPLOYMENTS, deployment).await.map(drop)
}

struct Second;

#[async_trait(?Send)]
impl Cause for Second {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let pods = ground.objects.list(&kinds::PODS, Some(SYSTEM));
        let started = pods.iter().filter(|pod| object::label(pod, "app") == Some(PROVISIONER));
        let started = started.filter_map(|pod| {
            let status = pod["status"]["containerStatuses"].as_array()?.first()?;
            let at = status["state"]["running"]["startedAt"].as_str()?.parse().ok()?;
            Some(Sighting::new(
                at,
                format_args!("container {PROVISIONER} of {} was started", object::name(pod)),
            ))
        });
        started.collect()
    }
}
