//! Faults and heals, done where their cause is: a file for each place, as in the table `fault/place`.
//!
//! ```text
//!   place.rs   inject(ground, fault) → what was set, as a Cause        heal(ground, faults, step)
//!   Cause      receipts: to whom it happened      lift: the whole place works again
//! ```
//! Everything is done to the outside, to the node, to files, to objects as a person or a program would; what the appliance
//! then sees comes about by itself. The ground is any world's: what it has no means for is refused with the reason.

mod archive;
mod bootstrap;
mod builds;
mod deleted;
mod dns;
mod earlier;
mod flux;
mod flux_releases;
mod host;
mod kubernetes;
mod login;
mod node;
mod pod;
mod provisioner;
mod registry;
mod release;
mod secret;
mod service_links;
mod status;
mod temporal;
mod values;
mod volume;
mod workload;

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use async_trait::async_trait;
use fake_workloads::Quotas;
use jiff::Timestamp;

pub(super) use self::archive::Archive;
use super::host::{Became, Host, Stage, Told};
use super::machine::{ApiGuard, ApiTrouble, Killer, Machine, Met};
use super::objects::Objects;
use super::outside::{Image, Lack, Outside};
use super::starts::{Start, Starts};
use super::{site, volumes};
use crate::fault::{FaultUse, HealStep};
use crate::world::{InjectError, Receipt, WorldError};

/// What causes are set in.
pub(super) struct Ground<'w> {
    pub(super) outside: &'w Outside,
    pub(super) objects: &'w Objects,
    pub(super) machine: &'w dyn Machine,
    /// The machine below it, where it begins at its power button.
    pub(super) host: Option<&'w dyn Host>,
    pub(super) starts: &'w Starts,
    /// What of the node's disk has a limit; nothing where the disk has no limits of its own.
    pub(super) quotas: Option<&'w Quotas>,
    /// The node's disk.
    pub(super) disk: &'w Path,
    /// Where the operator keeps what it knows of its site.
    pub(super) configuration: PathBuf,
    /// An address at which a database of earlier can run, where there is one.
    pub(super) former: Option<IpAddr>,
    /// Objects as they were.
    pub(super) archive: &'w Archive,
}

impl Ground<'_> {
    fn now(&self) -> Timestamp {
        self.objects.clock().now()
    }
}

/// A cause that is set.
#[async_trait(?Send)]
trait Cause {
    /// To whom it happened, and when.
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting>;

    /// Takes it away, where its place can be mended as a whole.
    async fn lift(&self, _ground: &Ground<'_>) -> Result<(), WorldError> {
        Ok(())
    }
}

/// What setting a fault comes to.
type Set = Result<Rc<dyn Cause>, InjectError>;

/// A moment at which a cause was met, with what proves it.
struct Sighting {
    at: Timestamp,
    line: String,
}

impl Sighting {
    fn new(at: Timestamp, what: impl std::fmt::Display) -> Self {
        Self { at, line: format!("{at} {what}") }
    }

    /// A container that was started so.
    fn of(start: &Start, how: &str) -> Self {
        Self::new(start.at, format_args!("container {} of {} was started {how}", start.container, start.pod))
    }
}

/// A state has no time of its own: it counts from when it was first seen, also when it has passed.
#[derive(Default)]
struct Noticed(Cell<Option<Timestamp>>);

impl Noticed {
    fn if_so(&self, so: bool, ground: &Ground<'_>, what: &str) -> Vec<Sighting> {
        if self.0.get().is_none() && so {
            self.0.set(Some(ground.now()));
        }
        self.0.get().map(|at| Sighting::new(at, what)).into_iter().collect()
    }
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
    place: &'static str,
    cause: Rc<dyn Cause>,
}

/// The part before the dot.
fn place(name: &'static str) -> &'static str {
    name.split_once('.').map_or(name, |(place, _)| place)
}

impl Faults {
    pub(super) async fn inject(&self, ground: &Ground<'_>, fault: &FaultUse) -> Result<(), InjectError> {
        let place = place(fault.name());
        let cause = match place {
            "bootstrap" => bootstrap::inject(ground, fault).await,
            "dns" => dns::inject(ground, fault).await,
            "flux" => flux::inject(ground, fault).await,
            "host" => host::inject(ground, fault).await,
            "kubernetes" => kubernetes::inject(ground, fault).await,
            "node" => node::inject(ground, fault).await,
            "login" => login::inject(ground, fault).await,
            "pod" if fault.name() == "pod.deleted" => deleted::inject(ground, fault).await,
            "pod" => pod::inject(ground, fault).await,
            "registry" => registry::inject(ground, fault).await,
            "release" => release::inject(ground, fault).await,
            "secret" => secret::inject(ground, fault).await,
            "service-links" => service_links::inject(ground, fault).await,
            "status" => status::inject(ground, fault).await,
            "temporal" => temporal::inject(ground, fault).await,
            "values" => values::inject(ground, fault),
            "volume" => volume::inject(ground, fault).await,
            _ => Err(unsupported(fault.name())),
        }?;
        self.injected.borrow_mut().push(Injected { what: fault.to_string(), place, cause });
        Ok(())
    }

    pub(super) async fn heal(&self, ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
        match place(step.name()) {
            "dns" => dns::heal(ground, self, step).await,
            "flux" => flux::heal(ground, step).await,
            "host" => host::heal(ground, self, step).await,
            "kubernetes" => kubernetes::heal(ground, self, step).await,
            "node" => node::heal(ground, step).await,
            "pod" => pod::heal(ground, step).await,
            "registry" => registry::heal(ground, self, step).await,
            "secret" => secret::heal(ground, step).await,
            "service-links" => service_links::heal(ground, step).await,
            "status" => status::heal(ground, step).await,
            "temporal" => temporal::heal(ground, step).await,
            "values" => values::heal(ground, step).await,
            "volume" => volume::heal(ground, step).await,
            _ => Err(unsupported(step.name())),
        }
    }

    pub(super) async fn receipt(&self, ground: &Ground<'_>, fault: &FaultUse) -> Receipt {
        let what = fault.to_string();
        let injected: Vec<Injected> =
            self.injected.borrow().iter().filter(|injected| injected.what == what).cloned().collect();
        let mut receipt = Receipt::default();
        for injected in injected {
            for Sighting { at, line } in injected.cause.receipts(ground).await {
                receipt.count += 1;
                receipt.first = Some(receipt.first.map_or(at, |first| first.min(at)));
                receipt.evidence.push(line);
            }
        }
        receipt
    }

    /// Takes away every fault at a place. Tags that a fault took stay away: only publishing brings them back.
    async fn lift(&self, ground: &Ground<'_>, here: &str, step: &HealStep) -> Result<(), InjectError> {
        let injected: Vec<Injected> =
            self.injected.borrow().iter().filter(|it| it.place == here).cloned().collect();
        for injected in injected {
            injected.cause.lift(ground).await.map_err(|source| failed(step.name(), source))?;
        }
        Ok(())
    }
}

fn unsupported(what: &str) -> InjectError {
    impossible(what, "nothing here sets or mends it")
}

fn impossible(what: &str, why: &str) -> InjectError {
    InjectError::Unsupported { what: what.to_owned(), why: why.to_owned() }
}

/// What could not be read proves nothing.
fn read<T>(read: Result<Vec<T>, impl std::fmt::Display>, what: &str) -> Vec<T> {
    read.unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot read what {what} met");
        Vec::new()
    })
}

fn failed(what: &str, source: impl Into<WorldError>) -> InjectError {
    InjectError::Failed { what: what.to_owned(), source: source.into() }
}

/// A heal that finds nothing to mend was meant for something else.
fn done<E: Into<WorldError>>(
    step: &HealStep,
    healed: Result<bool, E>,
    kind: &str,
    target: &str,
) -> Result<(), InjectError> {
    if healed.map_err(|source| failed(step.name(), source))? {
        return Ok(());
    }
    Err(no_target(step.name(), format!("{kind} {target}"), Vec::new()))
}

fn no_target(what: &str, target: String, known: Vec<String>) -> InjectError {
    InjectError::NoTarget { what: what.to_owned(), target, known }
}
