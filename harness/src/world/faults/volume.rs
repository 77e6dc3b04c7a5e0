//! Causes in the node's volumes, and in who provides them.

use std::cell::RefCell;
use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::kinds;
use fake_workloads::Quotas;
use serde_json::Value;

use super::volumes::Astray;
use super::{
    Cause, Ground, Noticed, Objects, Set, Sighting, done, impossible, no_target, provisioner, unsupported,
    volumes,
};
use crate::fault::{FaultUse, HealStep};
use crate::world::{InjectError, WorldError};

/// The class by which the appliance asks for volumes, and what it is made from.
const CLASS: &str = "local-path";
pub(super) const STORAGE: &str = "platform/local-path.yaml";
/// Why a volume cannot be full.
const NO_LIMITS: &str = "the volumes of its disk have no limits of their own";

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let component = fault.params.text("component").unwrap_or_default().to_owned();
    let astray = match fault.name() {
        "volume.subpath-dangling" => Astray::Nowhere,
        "volume.subpath-escapes" => Astray::Outside,
        "volume.subpath-under-file" => Astray::ThroughFile,
        "volume.no-storage-class" => return Ok(no_class(ground)),
        "volume.two-provisioners" => return provisioner::inject(ground, fault).await,
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
            done(step, provisioner::remove(ground.objects).await, "second provisioner", provisioner::SYSTEM)
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
