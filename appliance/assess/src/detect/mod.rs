//! Every detector is a value in one table.

mod absent;
mod bootstrap;
mod configuration;
mod drift;
mod gone;
mod graces;
mod images;
mod login;
mod logs;
mod platform;
mod reconcile;
mod scheduling;
mod services;
mod signals;
mod table;
mod volumes;
mod workloads;

use appliance_status_model::BlockerCode;
use jiff::Timestamp;

use crate::finding::{Extent, Finding, Harm, Subject};
use crate::view::View;

pub(crate) use configuration::importance;
pub use configuration::is_shared;
pub(crate) use drift::drifted;
pub use graces::{CEILING, Grace};
pub use images::{PullCause, explain_pull};
pub(crate) use reconcile::brings;
pub(crate) use signals::is_dns_trouble;
pub use table::DETECTORS;

/// How one kind of cause is found, and what is said about it.
#[derive(Debug)]
pub struct Detector {
    /// What it finds.
    pub code: BlockerCode,
    /// What it looks for, in words for people.
    pub signals: &'static [&'static str],
    /// How old the evidence must be before it counts: as a rule the first, and others for other evidence.
    pub graces: &'static [Grace],
    /// How long it outlives the pods that told it while their release is tried again, in seconds.
    pub hold: i64,
    /// The next step that helps.
    pub next_action: &'static str,
    /// What else goes wrong because of it.
    pub causes: &'static [BlockerCode],
    /// How the evidence reads.
    pub example: &'static str,
    pub(crate) detect: fn(&View<'_>, &Detector) -> Vec<Finding>,
}

impl Detector {
    /// A finding of this detector.
    fn finding(&self, subject: Subject, reason: impl Into<String>, since: Option<Timestamp>) -> Finding {
        Finding {
            code: self.code,
            identity: String::new(),
            subject,
            reason: reason.into(),
            next_action: self.next_action.to_owned(),
            since,
            grace: self.graces.first().map_or(0, |it| it.seconds),
            extent: if is_shared(self.code) { Extent::Shared } else { Extent::Own },
            harm: Harm::Spreads,
        }
    }
}

/// Runs every detector.
pub(crate) fn run(view: &View<'_>) -> Vec<Finding> {
    DETECTORS.iter().flat_map(|detector| (detector.detect)(view, detector)).collect()
}
