//! Why the command failed, where, and what helps.

use std::error::Error;
use std::process::ExitCode;

use crate::blocker::Blocker;

/// Where the cause lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The command line.
    Usage,
    /// What the command does not do unless it is told to expressly, or does not do at all.
    Refused,
    /// This machine, or the appliance's.
    Host,
    /// The cluster's API.
    Kubernetes,
    /// Volumes.
    Storage,
    /// Flux.
    Flux,
    /// The app and its database.
    CoreApp,
    /// The image registry.
    Registry,
}

impl Layer {
    /// Name for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Host => "host",
            Self::Kubernetes => "kubernetes",
            Self::Storage => "storage",
            Self::Flux => "flux",
            Self::CoreApp => "core app",
            Self::Registry => "registry",
        }
    }
}

/// A step that failed: operation and subject, layer, cause, remedy.
#[derive(Debug)]
pub struct Failure {
    /// What was tried, on what.
    pub operation: String,
    /// Where the cause lies.
    pub layer: Layer,
    /// What helps.
    pub remedy: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    standing: Standing,
}

/// What is known of a failure's cause.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// The failure tells it.
    Told,
    /// Something was waited for in vain; the cause lies elsewhere.
    Open,
    /// The assessment of the appliance named it.
    Assessed(Box<Blocker>),
}

impl Failure {
    /// A failure without a deeper cause.
    pub fn new(layer: Layer, operation: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            operation: operation.into(),
            layer,
            remedy: remedy.into(),
            source: None,
            standing: Standing::Told,
        }
    }

    /// Adds the deeper cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Says that what was seen is a symptom, and that its cause lies elsewhere.
    #[must_use]
    pub(crate) fn open(mut self) -> Self {
        self.standing = Standing::Open;
        self
    }

    /// Whether its cause is still to be found.
    pub(crate) fn is_open(&self) -> bool {
        self.standing == Standing::Open
    }

    /// Puts the cause in the place of a bare time-out.
    #[must_use]
    pub(crate) fn explained_by(mut self, blocker: Blocker) -> Self {
        self.remedy.clone_from(&blocker.next_action);
        self.standing = Standing::Assessed(Box::new(blocker));
        self
    }

    /// The blocker that explains it.
    pub(crate) fn blocker(&self) -> Option<&Blocker> {
        match &self.standing {
            Standing::Assessed(blocker) => Some(blocker),
            _ => None,
        }
    }

    /// Name of the layer in which the cause lies.
    #[must_use]
    pub fn layer_name(&self) -> &str {
        self.blocker().map_or(self.layer.as_str(), |it| &it.layer)
    }

    /// Exit code of the process.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(if self.layer == Layer::Usage { 2 } else { 1 })
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.operation)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// A failure of a call of the Kubernetes API.
pub(crate) fn api(operation: impl Into<String>) -> impl FnOnce(kube::Error) -> Failure {
    let operation = operation.into();
    move |error| {
        let remedy = "Check that the cluster's API answers (kubectl get nodes), then run the command again.";
        Failure::new(Layer::Kubernetes, operation, remedy).because(error)
    }
}
