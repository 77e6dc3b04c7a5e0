//! What a detector says: a cause that may become a blocker.

use appliance_status_model::{BlockerCode, Component, ComponentTier, Release};
use jiff::Timestamp;

use crate::detect::Grace;

/// Whom a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// One of the nine services.
    Component(Component),
    /// The bootstrap job.
    Bootstrap,
    /// A part of the platform, by name.
    Platform(String),
    /// A HelmRelease, by name.
    Release(String),
    /// A Kustomization, by name.
    Kustomization(String),
    /// A workload that is none of the nine, by name.
    Other(String),
}

impl Subject {
    /// Name in the document.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Component(component) => component.name(),
            Self::Bootstrap => Component::AlgaCore.name(),
            Self::Platform(name) | Self::Release(name) | Self::Kustomization(name) | Self::Other(name) => {
                name
            }
        }
    }

    /// The component it stands for.
    #[must_use]
    pub fn component(&self) -> Option<Component> {
        match self {
            Self::Component(component) => Some(*component),
            Self::Bootstrap => Some(Component::AlgaCore),
            _ => None,
        }
    }

    /// The release that installs it, or that it is.
    #[must_use]
    pub fn release(&self) -> Option<&'static Release> {
        match self {
            Self::Component(component) => Release::named(component.release()),
            Self::Bootstrap => Release::named("alga-core"),
            Self::Release(name) => Release::named(name),
            _ => None,
        }
    }

    /// Whether login waits for it; `None` where that depends on the platform as a whole.
    #[must_use]
    pub fn is_login_critical(&self) -> Option<bool> {
        match self {
            Self::Component(component) => Some(component.tier() != ComponentTier::Background),
            Self::Bootstrap => Some(true),
            Self::Release(name) => Some(Release::named(name).is_some_and(Release::is_core)),
            Self::Kustomization(name) => match name.as_str() {
                "alga-background" => Some(false),
                "alga-core" => Some(true),
                _ => None,
            },
            Self::Platform(_) => None,
            Self::Other(_) => Some(false),
        }
    }
}

/// Whether a cause belongs to one component, or is the same for everybody it hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The component's own.
    Own,
    /// One cause, told once however many suffer from it.
    Shared,
}

/// Whether anything suffers from a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// Other things go wrong because of it.
    Spreads,
    /// Nothing suffers from it yet, so it explains nothing else.
    Latent,
}

/// A cause that may become a blocker.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What it would be called.
    pub code: BlockerCode,
    /// Whom it hits.
    pub subject: Subject,
    /// Evidence in words.
    pub reason: String,
    /// The next step that helps.
    pub next_action: String,
    /// Since when, where the evidence tells.
    pub since: Option<Timestamp>,
    /// How old it must be before it counts, in seconds.
    pub grace: i64,
    /// What makes it the same finding at the next look.
    pub identity: String,
    /// Whose it is.
    pub extent: Extent,
    /// What it does to others.
    pub harm: Harm,
}

/// What makes a finding the same at the next look.
pub(crate) type Identity = (BlockerCode, Subject, String);

impl Finding {
    pub(crate) fn identity(&self) -> Identity {
        (self.code, self.subject.clone(), self.identity.clone())
    }

    /// Another next step than the detector's.
    #[must_use]
    pub fn advise(mut self, next_action: impl Into<String>) -> Self {
        self.next_action = next_action.into();
        self
    }

    /// Another identity than none.
    #[must_use]
    pub fn identified(mut self, identity: impl Into<String>) -> Self {
        self.identity = identity.into();
        self
    }

    /// Another extent than the code's.
    #[must_use]
    pub fn reaching(mut self, extent: Extent) -> Self {
        self.extent = extent;
        self
    }

    /// A cause from which nothing suffers yet.
    #[must_use]
    pub fn latent(mut self) -> Self {
        self.harm = Harm::Latent;
        self
    }

    /// Another grace than the detector's.
    #[must_use]
    pub fn after(mut self, grace: &Grace) -> Self {
        self.grace = grace.seconds;
        self
    }
}
