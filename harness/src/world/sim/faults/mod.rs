//! Faults and heals, done where their cause is: in the resolver, in the registry, in volumes, in the site's values, in the
//! cluster's objects.

mod flux;
mod network;
mod values;
mod workloads;

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};

use cluster_api::Store;
use fake_network::FaultId;
use jiff::Timestamp;

use self::values::Cause;
use super::images::Image;
use super::outside::Outside;
use super::starts::Starts;
use super::{site, volumes};
use crate::fault::{FaultUse, HealStep};
use crate::world::{InjectError, Receipt, WorldError};

/// What causes are set in.
pub(super) struct Ground<'w> {
    pub(super) outside: &'w Outside,
    pub(super) store: &'w Store,
    pub(super) starts: &'w Starts,
    /// The node's disk.
    pub(super) disk: &'w Path,
    /// Where the operator keeps what it knows of its site.
    pub(super) configuration: PathBuf,
}

/// The faults that are in force.
#[derive(Default)]
pub(super) struct Faults {
    injected: RefCell<Vec<Injected>>,
}

#[derive(Clone)]
struct Injected {
    /// The fault and its parameters, as a scenario writes them.
    what: String,
    at: Place,
    /// When a receipt without a time of its own was first seen.
    first: Cell<Option<Timestamp>>,
}

#[derive(Clone)]
enum Place {
    Dns(FaultId),
    Registry(FaultId),
    Volume(String),
    Values(Cause),
    /// On a workload, which runs this image instead of its own.
    Workload(Image),
}

impl Faults {
    pub(super) async fn inject(&self, ground: &Ground<'_>, fault: &FaultUse) -> Result<(), InjectError> {
        let outside = ground.outside;
        let at = match fault.name().split_once('.') {
            Some(("dns", kind)) => {
                let cause =
                    network::dns_fault(kind, &fault.params).ok_or_else(|| unsupported(fault.name()))?;
                Place::Dns(outside.dns.control().inject(cause).await)
            }
            Some(("registry", kind)) => {
                let cause = network::registry_fault(outside, kind, fault)?;
                Place::Registry(outside.registry.control().inject(cause).await)
            }
            Some(("release", "image-drift")) => Place::Workload(workloads::drift(ground, fault)?),
            Some(("volume", "subpath-dangling")) => {
                let component = fault.params.text("component").unwrap_or_default().to_owned();
                let laid = volumes::dangle(ground.store.clone(), ground.disk.to_owned(), component.clone());
                tokio::spawn(laid);
                Place::Volume(component)
            }
            _ => {
                let cause = Cause::of(fault).ok_or_else(|| unsupported(fault.name()))?;
                cause.set(ground).map_err(|source| failed(fault.name(), source))?;
                Place::Values(cause)
            }
        };
        self.injected.borrow_mut().push(Injected { what: fault.to_string(), at, first: Cell::new(None) });
        Ok(())
    }

    pub(super) async fn heal(&self, ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
        let name = step.name();
        let text = |param: &str| step.params.text(param).unwrap_or_default();
        match name {
            "registry.publish-tag" => {
                let image = network::named_image(ground.outside, name, &step.params)?;
                ground.outside.push(image).map_err(|source| failed(name, source))
            }
            "registry.restore" => {
                self.lift(ground.outside, name, |place| matches!(place, Place::Registry(_))).await
            }
            "dns.restore" => self.lift(ground.outside, name, |place| matches!(place, Place::Dns(_))).await,
            "flux.reconcile" => flux::reconcile(ground.store, name, text("release"), flux::RESET_AT),
            "flux.repair" => flux::reconcile(ground.store, name, text("release"), flux::FORCE_AT),
            "volume.repair" => {
                let component = text("component");
                done(name, volumes::repair(ground.store, ground.disk, component), "broken volume", component)
            }
            "pod.restart" => {
                let component = text("component");
                done(name, volumes::restart(ground.store, component), "pod", component)
            }
            "service-links.disable" => {
                let component = text("component");
                done(name, values::disable_links(ground.store, component), "Deployment of", component)
            }
            "temporal.run-autosetup" => {
                done(name, values::run_autosetup(ground.store), "Deployment of", "temporal")
            }
            "values.restore" => {
                let release = text("release");
                done(name, site::take_away(&ground.configuration, release), "values of its own for", release)
            }
            _ => Err(unsupported(name)),
        }
    }

    pub(super) async fn receipt(&self, ground: &Ground<'_>, fault: &FaultUse) -> Receipt {
        let what = fault.to_string();
        let injected: Vec<Injected> =
            self.injected.borrow().iter().filter(|injected| injected.what == what).cloned().collect();
        let mut receipt = Receipt::default();
        for injected in injected {
            let seen = match &injected.at {
                Place::Dns(id) => network::dns_receipts(ground.outside, *id).await,
                Place::Registry(id) => network::registry_receipts(ground.outside, *id).await,
                Place::Volume(component) => self.volume_receipts(ground, &what, component),
                Place::Values(cause) => cause.receipts(ground.starts),
                Place::Workload(image) => workloads::pulls(ground.outside, image),
            };
            for (at, line) in seen {
                receipt.count += 1;
                receipt.first = Some(receipt.first.map_or(at, |first| first.min(at)));
                receipt.evidence.push(line);
            }
        }
        receipt
    }

    /// A state has no time of its own: it counts from when it was first seen, also when it has passed.
    fn volume_receipts(&self, ground: &Ground<'_>, what: &str, component: &str) -> Vec<(Timestamp, String)> {
        let refused = volumes::refused(ground.store, ground.disk, component);
        let injected = self.injected.borrow();
        let Some(mine) = injected.iter().find(|injected| injected.what == what) else { return Vec::new() };
        if mine.first.get().is_none() && refused {
            mine.first.set(Some(ground.store.clock().now()));
        }
        let line = |at: Timestamp| (at, format!("{at} a container of {component} was not created"));
        mine.first.get().map(line).into_iter().collect()
    }

    /// Takes away every fault at a place of this kind. Tags that a fault took stay away: only publishing brings them back.
    async fn lift(
        &self,
        outside: &Outside,
        name: &str,
        here: impl Fn(&Place) -> bool,
    ) -> Result<(), InjectError> {
        let places: Vec<Place> =
            self.injected.borrow().iter().map(|i| i.at.clone()).filter(|place| here(place)).collect();
        for place in places {
            let lifted = match place {
                Place::Dns(id) => outside.dns.control().heal(id).await,
                Place::Registry(id) => outside.registry.control().heal(id).await,
                Place::Volume(_) | Place::Values(_) | Place::Workload(_) => Ok(()),
            };
            lifted.map_err(|source| InjectError::Failed { what: name.to_owned(), source: source.into() })?;
        }
        Ok(())
    }
}

fn unsupported(what: &str) -> InjectError {
    InjectError::Unsupported { what: what.to_owned() }
}

fn failed(what: &str, source: WorldError) -> InjectError {
    InjectError::Failed { what: what.to_owned(), source }
}

/// A heal that finds nothing to mend was meant for something else.
fn done<E: Into<WorldError>>(
    what: &str,
    healed: Result<bool, E>,
    kind: &str,
    target: &str,
) -> Result<(), InjectError> {
    if healed.map_err(|source| failed(what, source.into()))? {
        return Ok(());
    }
    let target = format!("{kind} {target}");
    Err(InjectError::NoTarget { what: what.to_owned(), target, known: Vec::new() })
}
