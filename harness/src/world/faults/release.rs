//! Workloads that are not what their release says.

use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::{kinds, object};
use serde_json::{Value, json};

use super::Image;
use super::{Cause, Ground, Noticed, Set, Sighting, failed, no_target, read, registry, unsupported};
use crate::fault::FaultUse;
use crate::world::InjectError;

/// Where values are.
const RELEASES: &str = "alga-system";
/// Where workloads live.
const WORKLOADS: &str = "msp";
/// Where a workload's containers are.
const CONTAINERS: &str = "/spec/template/spec/containers";
/// By which label Services know their pods.
const NAME: &str = "app.kubernetes.io/name";

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    match fault.name() {
        "release.image-drift" => Ok(Rc::new(Drifted(drift(ground, fault).await?))),
        "release.selector-drift" => mislead(ground, fault).await,
        other => Err(unsupported(other)),
    }
}

/// Publishes another build of an image and sets it where that image runs, as `kubectl set image` does.
async fn drift(ground: &Ground<'_>, fault: &FaultUse) -> Result<Image, InjectError> {
    let (outside, objects) = (ground.outside, ground.objects);
    let own = registry::named_image(outside, fault.name(), &fault.params)?;
    let chosen_by_values = objects.list(&kinds::CONFIG_MAPS, Some(RELEASES)).iter().any(|map| {
        let texts = map["data"].as_object().into_iter().flat_map(|data| data.values());
        texts.filter_map(Value::as_str).any(|text| text.contains(own.repository()))
    });
    let runs = |object: &Value| containers(object).any(|it| it["image"] == own.reference());
    let workloads = [kinds::DEPLOYMENTS, kinds::STATEFUL_SETS].into_iter();
    let workloads = workloads.flat_map(|res| {
        objects.list(&res, Some(WORKLOADS)).into_iter().map(move |object| (res.clone(), object))
    });
    let found: Vec<_> = workloads.filter(|(_, object)| chosen_by_values && runs(object)).collect();
    if found.is_empty() {
        let target = format!("workload that runs {} since its release's values say so", own.reference());
        return Err(no_target(fault.name(), target, Vec::new()));
    }
    let build = own.hotfix();
    outside.push(&build).await.map_err(|source| failed(fault.name(), source))?;
    for (res, object) in found {
        let set = |object: &mut Value| {
            let containers = object.pointer_mut(CONTAINERS).and_then(Value::as_array_mut);
            for it in containers.into_iter().flatten().filter(|it| it["image"] == own.reference()) {
                it["image"] = json!(build.reference());
            }
        };
        let set = objects.modify(&res, WORKLOADS, object::name(&object), set).await;
        set.map_err(|source| failed(fault.name(), source))?;
    }
    Ok(build)
}

fn containers(workload: &Value) -> impl Iterator<Item = &Value> {
    workload.pointer(CONTAINERS).and_then(Value::as_array).into_iter().flatten()
}

/// The build that a workload runs instead of its own.
struct Drifted(Image);

#[async_trait(?Send)]
impl Cause for Drifted {
    /// Questions for its tag that the registry answered to the node.
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let image = &self.0;
        let receipts = read(ground.outside.registry().receipts().await, "the registry");
        let served = receipts.into_iter().filter(|receipt| {
            let repository =
                format!("{}/{}", receipt.host, receipt.repository.as_deref().unwrap_or_default());
            !ground.outside.is_desk(receipt.client)
                && repository == image.repository()
                && receipt.reference.as_deref() == Some(image.tag())
                && receipt.status == Some(200)
        });
        served
            .map(|r| Sighting::new(r.at, format_args!("{} https://{}{}: 200", r.method, r.host, r.path)))
            .collect()
    }
}

/// Points a Service at pods that nobody has made, as `kubectl edit service` does.
async fn mislead(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let service = fault.params.text("service").unwrap_or_default().to_owned();
    let there = ground.objects.get(&kinds::SERVICES, WORKLOADS, &service);
    let Some(selected) = there.as_ref().and_then(|it| it["spec"]["selector"][NAME].as_str()) else {
        return Err(no_target(fault.name(), format!("Service {service} with a selector"), Vec::new()));
    };
    let next = format!("{selected}-next");
    let point = |object: &mut Value| object["spec"]["selector"][NAME] = json!(next);
    let written = ground.objects.modify(&kinds::SERVICES, WORKLOADS, &service, point).await;
    written.map_err(|source| failed(fault.name(), source))?;
    Ok(Rc::new(Misled { service, noticed: Noticed::default() }))
}

/// A Service that leads to nobody.
struct Misled {
    service: String,
    noticed: Noticed,
}

#[async_trait(?Send)]
impl Cause for Misled {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let mut slices = ground.objects.list(&kinds::ENDPOINT_SLICES, Some(WORKLOADS));
        slices.retain(|it| object::label(it, "kubernetes.io/service-name") == Some(&self.service));
        let is_empty = |slice: &Value| slice["endpoints"].as_array().is_none_or(Vec::is_empty);
        let so = !slices.is_empty() && slices.iter().all(|it| is_empty(it));
        self.noticed.if_so(so, ground, &format!("no endpoint stands behind Service {}", self.service))
    }
}
