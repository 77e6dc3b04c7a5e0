//! The kinds of events.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::claims::Claims;
use crate::scenario::Milestone;
use crate::world::{OperatorEnd, Stream};

/// The version of the format, in every header: since 2 a header has the scenario's claims.
pub const VERSION: u32 = 2;

/// Something that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// When, in field time.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened. `until` is the last moment at which the state before was still seen.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// The first line.
    Header(Header),
    /// A phase began.
    Phase {
        /// Which.
        phase: Phase,
    },
    /// A milestone was seen for the first time.
    Milestone {
        /// Which.
        milestone: Milestone,
    },
    /// The status document is another one now.
    Status {
        /// Of all that is not a clock.
        hash: String,
        /// Of all that is neither a clock nor periodic.
        substance: String,
        /// The whole document.
        document: Arc<Value>,
        /// See [`What`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// There is no status document now.
    Silent {
        /// Why.
        problem: String,
        /// See [`What`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// An address answers differently now.
    Probe {
        /// Which.
        target: Target,
        /// How.
        answer: Answer,
        /// See [`What`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// The operator's command printed a line.
    Operator {
        /// Where to.
        stream: Stream,
        /// The line.
        text: String,
    },
    /// The operator's command ended.
    OperatorEnded {
        /// How.
        end: OperatorEnd,
    },
    /// A fault was set.
    Injected {
        /// Its number in the scenario, from 0.
        index: usize,
        /// It, with its parameters.
        fault: String,
    },
    /// A fault could not be set.
    NotInjected {
        /// Its number in the scenario, from 0.
        index: usize,
        /// It, with its parameters.
        fault: String,
        /// Why not.
        reason: String,
    },
    /// What the world says of itself: versions and identifiers, and what was pulled.
    World {
        /// By name.
        identity: BTreeMap<String, String>,
    },
    /// Somebody did something that is no fault.
    Acted {
        /// It, with its parameters.
        act: String,
    },
    /// A heal step was done.
    Healed {
        /// It, with its parameters.
        step: String,
    },
    /// What the world saw of a fault.
    Receipt(ReceiptNote),
    /// The API holds all that tells an expected blocker.
    Evidence {
        /// The blocker's number in the scenario, from 0.
        index: usize,
        /// Its code.
        code: String,
        /// What stands there.
        #[serde(default)]
        when: String,
        /// How long it may be held back, in milliseconds.
        #[serde(default)]
        grace_ms: u64,
        /// The object whose write completed it.
        object: String,
        /// When that was written, in field time.
        since: Timestamp,
        /// When that was written, on the machine's clock.
        machine: Timestamp,
        /// Whether nothing in the API tells: it is the last write of an object that the blocker is about.
        #[serde(default)]
        assumed: bool,
        /// Whether field time goes with the machine's until the blocker is named.
        paced: bool,
    },
    /// The grace of evidence is over; only where field time goes with the machine's.
    EvidenceDue {
        /// The blocker's number in the scenario, from 0.
        index: usize,
        /// What stands there.
        when: String,
        /// When the evidence was written, in field time.
        since: Timestamp,
        /// Now, on the machine's clock.
        machine: Timestamp,
    },
    /// That does not stand in the API any more.
    EvidenceGone {
        /// The blocker's number in the scenario, from 0.
        index: usize,
        /// Its code.
        code: String,
        /// What stood there.
        #[serde(default)]
        when: String,
    },
    /// The status service names an expected blocker for the first time since its evidence is complete.
    Named {
        /// The blocker's number in the scenario, from 0.
        index: usize,
        /// Its code.
        code: String,
        /// When the document came, on the machine's clock.
        machine: Timestamp,
    },
    /// Something about the cluster that helps people to read the rest.
    Cluster {
        /// It.
        note: String,
    },
}

/// Whose timeline this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`VERSION`].
    pub version: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The world's kind.
    pub world: String,
    /// The release that is installed.
    pub release: String,
    /// The values profile.
    pub profile: String,
    /// Field seconds in a second, or `max`.
    pub speed: String,
    /// Seed of everything random.
    pub seed: u64,
    /// Where people log in, unless the operator chose another name for it; not there before version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_url: Option<String>,
    /// What the scenario claims; not there before version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Claims>,
}

/// What the world saw of a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptNote {
    /// The fault's number in the scenario, from 0.
    pub index: usize,
    /// It, with its parameters.
    pub fault: String,
    /// How often it happened to somebody.
    pub count: u64,
    /// When it happened first, if the world knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Timestamp>,
    /// Proof, a line each.
    pub evidence: Vec<String>,
}

/// Parts of a run, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The operator's command runs; faults without `at` are already there.
    Install,
    /// All faults are set.
    Fault,
    /// Nothing changed for a while.
    Settled,
    /// Nothing settled in the time that there was.
    Unsettled,
    /// The heal steps are done now.
    Heal,
    /// The heal steps were done; the appliance recovers.
    Recovered,
    /// Over.
    End,
}

impl Phase {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Fault => "fault",
            Self::Settled => "settled",
            Self::Unsettled => "unsettled",
            Self::Heal => "heal",
            Self::Recovered => "recovered",
            Self::End => "end",
        }
    }
}

/// An address that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// The status service's `/`.
    Page,
    /// The status service's `/healthz`.
    Healthz,
    /// The status service's `/api/status`, asked without a token.
    Unsigned,
    /// The application's `/`.
    App,
}

/// How an address answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answered", rename_all = "kebab-case")]
pub enum Answer {
    /// With a status.
    Status {
        /// The status code.
        code: u16,
        /// Where it leads.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        location: Option<String>,
    },
    /// Not at all.
    Nothing {
        /// Why.
        problem: String,
    },
}

impl Answer {
    /// Whether people who go there see something of use: 200 to 399.
    pub fn useful(&self) -> bool {
        matches!(self, Self::Status { code: 200..=399, .. })
    }

    /// Whether it is a page: 200 to 299.
    pub fn page(&self) -> bool {
        matches!(self, Self::Status { code: 200..=299, .. })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { code, location: Some(location) } => write!(f, "{code} to {location}"),
            Self::Status { code, location: None } => write!(f, "{code}"),
            Self::Nothing { problem } => f.write_str(problem),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Page => "the status page",
            Self::Healthz => "/healthz",
            Self::Unsigned => "/api/status without a token",
            Self::App => "the app",
        })
    }
}
