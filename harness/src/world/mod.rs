//! The world in which a scenario happens, behind one interface.
//!
//! A [`WorldFactory`] makes worlds. It is registered in [`factories`], owns the thread's runtime while a scenario is played,
//! and hands the booted, still empty [`World`] to the play:
//!
//! ```text
//!   runner's thread ── factory.play(request, play)
//!                          ├─ starts a runtime and its clock, boots a world in it
//!                          ├─ play(world).await     inject, bootstrap, record, heal, evidence, world.down()
//!                          └─ ends the runtime
//! ```
//!
//! Nothing here knows what a scenario expects; a world gets causes and gives addresses.
//!
//! Causes are set in the same way in each world:
//!
//! ```text
//!   faults      causes, receipts and heals; asks its Ground for everything
//!     ├─ objects    of the cluster: seen, and written     starts     what was started in containers
//!     ├─ machine    below the cluster: node, API, load    volumes    files on the node's disk
//!     ├─ outside    what is published, the way to it      site       values of the operator's own
//!     ├─ host       the machine from its power button on, where there is one
//!     └─ reconcile  what a person asks of Flux
//! ```

mod access;
mod addresses;
mod concealed;
mod evidence;
mod faults;
mod host;
pub mod kind;
mod machine;
mod mirror;
mod objects;
mod operator;
mod outside;
mod preflight;
mod programs;
mod reconcile;
mod request;
mod runtime;
mod saved;
pub mod sim;
mod site;
mod starts;
pub mod talos;
mod talosctl;
mod volumes;
mod wares;
mod writes;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;

use async_trait::async_trait;
use field_clock::Clock;
use futures::future::LocalBoxFuture;
use futures::stream::LocalBoxStream;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

pub use access::{Access, Capability, Receipt, UnknownCapability};
pub use concealed::{Concealed, MASK};
pub(crate) use host::{CONSOLE, METHODS};
pub use operator::{Onto, OperatorCommand, OperatorEnd, OperatorError, OperatorLine, Stream};
pub use request::{
    Beginning, Binaries, BootRequest, BootstrapMode, BootstrapOptions, ClusterChoice, Lifetime,
    MachineChoice, Speed,
};

use crate::diagnosis::Kind;
use crate::fault::{FaultUse, HealStep};
use crate::run::Budgets;
use crate::timeline::Timeline;

/// What a factory plays: the whole of a scenario, from the empty world to its end.
pub type Play<'a> = Box<dyn FnOnce(Box<dyn World>) -> LocalBoxFuture<'a, ()> + 'a>;

/// Makes worlds of one kind.
pub trait WorldFactory: Send + Sync {
    /// The name by which `--world` chooses it.
    fn name(&self) -> &'static str;

    /// One line for people: what it is and what it needs.
    fn about(&self) -> &'static str;

    /// What its worlds can do; a scenario that needs more is skipped with the reason.
    fn capabilities(&self) -> &'static [Capability];

    /// Why its worlds lack something that others have, where more can be said than that.
    fn lacks(&self, capability: Capability) -> Option<&'static str> {
        let _ = capability;
        None
    }

    /// How many of its worlds there are at once when nobody says.
    fn usually_at_once(&self) -> usize {
        available_parallelism().map_or(1, usize::from)
    }

    /// The speed at which its worlds run when this one is wanted.
    fn speed(&self, wanted: Speed) -> Speed {
        wanted
    }

    /// How long runs wait in its worlds.
    fn budgets(&self, speed: Speed) -> Budgets {
        Budgets::at(speed)
    }

    /// Takes down what it has kept from one world to the next; nothing is played any more.
    ///
    /// # Errors
    /// When something was left behind.
    fn finish(&self) -> Result<(), WorldError> {
        Ok(())
    }

    /// Boots an empty world on the calling thread, plays in it, and leaves nothing behind.
    ///
    /// The factory makes the runtime and its clock; `play` runs on it and takes the world down itself.
    ///
    /// # Errors
    /// When no world could be booted; `play` was not called then.
    fn play(&self, request: &BootRequest, play: Play<'_>) -> Result<(), BootError>;
}

/// A booted world: an empty cluster with its outside, in which faults can be set.
#[async_trait(?Send)]
pub trait World {
    /// The factory's name.
    fn name(&self) -> &str;

    /// The clock by which everything in this world happens.
    fn clock(&self) -> Clock;

    /// Addresses and files by which users reach this world.
    fn access(&self) -> &Access;

    /// What tells this world from others, as it says itself: versions and identifiers.
    async fn identity(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// The install that stands in this world already, as it was recorded; only where the request allowed for one.
    fn installed(&self) -> Option<Arc<Timeline>> {
        None
    }

    /// What was installed in this timeline is there and healthy: another scenario may begin with it.
    fn stands(&self, _timeline: &Timeline) {}

    /// The token that the status service asks for, once there is one.
    async fn status_token(&self) -> Option<String>;

    /// What must not appear in anything that is kept of this world, as of now.
    async fn secrets(&self) -> Concealed;

    /// Runs the operator's command to its end and sends its lines as they come.
    ///
    /// The command is killed, with all that it started, when the future is dropped.
    ///
    /// # Errors
    /// When the command could not be run; a command that ran and failed is an [`OperatorEnd`].
    async fn run_bootstrap(
        &self,
        options: &BootstrapOptions,
        lines: mpsc::UnboundedSender<OperatorLine>,
    ) -> Result<OperatorEnd, WorldError>;

    /// Sets a cause of trouble.
    ///
    /// # Errors
    /// See [`InjectError`].
    async fn inject(&self, fault: &FaultUse) -> Result<(), InjectError>;

    /// Does what a blocker's next action says.
    ///
    /// # Errors
    /// See [`InjectError`].
    async fn heal(&self, step: &HealStep) -> Result<(), InjectError>;

    /// What proves that a fault happened to somebody: the resolver saw the query, the registry refused the tag.
    async fn receipt(&self, fault: &FaultUse) -> Receipt;

    /// Ticks whenever anything in the cluster changes, for instance its newest resource version.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Every write of objects of these kinds from now on, at the moment of the write; nothing where a world cannot tell.
    fn writes(&self, kinds: &[Kind]) -> Option<LocalBoxStream<'static, ObjectWrite>> {
        let _ = kinds;
        None
    }

    /// Writes what helps to understand a failure (objects, logs, packets) into `directory`, which exists.
    ///
    /// # Errors
    /// When something could not be collected.
    async fn evidence(&self, directory: &Path) -> Result<(), WorldError>;

    /// Takes everything down: processes, ports, files outside of the request's directory.
    ///
    /// # Errors
    /// When something was left behind.
    async fn down(self: Box<Self>) -> Result<(), WorldError>;
}

/// A write of an API object.
#[derive(Debug, Clone)]
pub struct ObjectWrite {
    /// Its kind.
    pub kind: Kind,
    /// The object afterwards, or its last face.
    pub object: Arc<Value>,
    /// Whether it is gone now.
    pub deleted: bool,
    /// When, on the machine's clock.
    pub written: Timestamp,
}

/// No world: why.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// This machine cannot have one; the scenario is skipped.
    #[error("a {world} world is not possible here: {reason}")]
    Unavailable {
        /// The factory's name.
        world: &'static str,
        /// What is missing.
        reason: String,
    },
    /// It should have been possible; the scenario is broken.
    #[error("boot a {world} world")]
    Failed {
        /// The factory's name.
        world: &'static str,
        /// What went wrong.
        #[source]
        source: WorldError,
    },
}

/// Something that a world was asked for failed; never the appliance's fault.
pub type WorldError = Box<dyn std::error::Error + Send + Sync>;

/// A fault or a heal step was not done.
#[derive(Debug, thiserror::Error)]
pub enum InjectError {
    /// This world has no means for it; the scenario is skipped.
    #[error("{what} is not possible in this world: {why}")]
    Unsupported {
        /// The fault's or verb's name.
        what: String,
        /// What the world lacks.
        why: String,
    },
    /// There is nothing it could happen to; the scenario is invalid.
    #[error("{what}: no {target} here{}", crate::scenario::meant(.target, .known))]
    NoTarget {
        /// The fault's or verb's name.
        what: String,
        /// What was named.
        target: String,
        /// What could have been named.
        known: Vec<String>,
    },
    /// The world failed; the scenario is broken.
    #[error("{what}")]
    Failed {
        /// The fault's or verb's name.
        what: String,
        /// What went wrong.
        #[source]
        source: WorldError,
    },
}

/// Every kind of world that this build knows; the first is the default.
pub fn factories() -> Vec<Box<dyn WorldFactory>> {
    vec![sim::factory(), kind::factory(), talos::factory()]
}
