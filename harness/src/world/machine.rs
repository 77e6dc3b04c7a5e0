//! The machine below a world's cluster, as far as a cause can be set in it: its node, its API, how busy it is.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{InjectError, WorldError};

/// What asking something of a machine comes to.
pub(in crate::world) type Done<T = ()> = Result<T, MachineError>;

/// A machine; what it is asked for is done when it answers.
#[async_trait(?Send)]
pub(in crate::world) trait Machine {
    /// The node's name.
    fn node(&self) -> &str;

    /// The kubelet does not say or do anything any more.
    async fn stop_kubelet(&self) -> Done;

    /// The kubelet runs again.
    async fn start_kubelet(&self) -> Done;

    /// Leaves so many bytes of memory to the node, or all that it has.
    async fn leave_memory(&self, left: Option<u64>) -> Done;

    /// Begins to restart in good order; it is away for that long.
    async fn reboot(&self, takes: Duration) -> Done;

    /// When it last started, where it says so itself; elsewhere its kubelet does.
    async fn started(&self) -> Done<Option<Timestamp>>;

    /// Forgets an image: the next container that wants it has it pulled.
    async fn remove_image(&self, reference: &str) -> Done;

    /// Troubles the API's clients until the guard is ended or dropped.
    async fn trouble_api(&self, trouble: ApiTrouble) -> Done<Box<dyn ApiGuard>>;

    /// Forgets the API's history as soon as this user watches anything, so that its watches get 410.
    async fn expire_watches(&self, user: &'static str) -> Done;

    /// Who met trouble of the API so far.
    async fn encounters(&self) -> Done<Vec<Encounter>>;

    /// Lets the controllers of Flux begin everything that much later: for a while, or until they are unburdened.
    async fn burden(&self, takes: Duration, lasts: Option<Duration>) -> Done;

    /// Lets the controllers of Flux begin everything in time.
    async fn unburden(&self) -> Done;

    /// When a controller of Flux began something late.
    async fn burdened(&self) -> Done<Vec<Timestamp>>;

    /// Who kills processes in containers.
    fn killer(&self) -> Done<Box<dyn Killer>>;
}

/// What ails the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) enum ApiTrouble {
    /// It is down.
    Outage,
    /// It accepts, and answers nobody.
    Hang,
    /// It answers that much later.
    Slow(Duration),
}

/// Trouble of the API, as long as this is there.
#[async_trait]
pub(in crate::world) trait ApiGuard: Send + Sync {
    /// Ends it; once it has ended, this does nothing.
    async fn end(&self) -> Result<(), WorldError>;
}

/// Kills processes, each only once.
#[async_trait]
pub(in crate::world) trait Killer: Send {
    /// Kills the newest process of the containers of this name where it stands; says whether there was one that it had not
    /// killed before.
    async fn kill(&mut self, container: &str) -> Result<bool, WorldError>;
}

/// What trouble of the API did to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) enum Met {
    /// A connection ended in the middle, or was cut at once.
    Cut,
    /// A connection got no answer.
    Silence,
    /// A request was answered late.
    Delay,
    /// A watch was told that its version is too old.
    Expiry,
    /// A request was refused, since nobody allowed it.
    Refusal,
}

/// A client that met trouble of the API.
#[derive(Debug, Clone)]
pub(in crate::world) struct Encounter {
    pub(in crate::world) at: Timestamp,
    pub(in crate::world) met: Met,
    /// Who it was; empty where nobody knows.
    pub(in crate::world) user: String,
}

/// A machine did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(in crate::world) enum MachineError {
    /// It has no means for it.
    #[error("{why}")]
    Impossible {
        /// What it lacks.
        why: String,
    },
    /// It has means, and they failed.
    #[error(transparent)]
    Failed(WorldError),
}

impl MachineError {
    /// What becomes of the fault or heal step that needed it.
    pub(in crate::world) fn of(self, what: &str) -> InjectError {
        let what = what.to_owned();
        match self {
            Self::Impossible { why } => InjectError::Unsupported { what, why },
            Self::Failed(source) => InjectError::Failed { what, source },
        }
    }
}
