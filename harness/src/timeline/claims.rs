//! What a scenario claims, as its timeline keeps it: enough to count without the scenario's file.

use serde::{Deserialize, Serialize};

use crate::scenario::{Milestone, Scenario};

/// What a scenario claims.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    /// What is broken.
    pub faults: Vec<ClaimedFault>,
    /// Blockers at the end of the settled phase: exactly these, root first.
    pub blockers: Vec<ClaimedBlocker>,
    /// Codes that may show for a while before that.
    pub transient: Vec<ClaimedTransient>,
    /// The code that shows when another cause is mended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revealed: Option<String>,
    /// What holds at the very end, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovers: Option<String>,
}

/// Something that is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedFault {
    /// `<where>.<what>`.
    pub name: String,
    /// With its parameters.
    pub text: String,
    /// When: at this milestone, or before the install.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Milestone>,
}

/// A blocker that is expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedBlocker {
    /// Its code.
    pub code: String,
    /// Whose, where that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
}

/// A code that may show for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedTransient {
    /// It.
    pub code: String,
    /// Why.
    pub reason: String,
}

impl Claims {
    /// What this scenario claims.
    pub fn of(scenario: &Scenario) -> Self {
        let faults = scenario.faults.iter().map(|fault| ClaimedFault {
            name: fault.name().to_owned(),
            text: fault.to_string(),
            at: fault.at,
        });
        let blockers = scenario.expect.blockers.iter().map(|blocker| ClaimedBlocker {
            code: blocker.code.to_owned(),
            component: blocker.component.clone(),
        });
        let transient = scenario
            .expect
            .transient
            .iter()
            .map(|it| ClaimedTransient { code: it.code.to_owned(), reason: it.reason.clone() });
        let recovers = scenario.recovers.as_ref();
        Self {
            faults: faults.collect(),
            blockers: blockers.collect(),
            transient: transient.collect(),
            revealed: recovers.and_then(|document| document.blocker).map(str::to_owned),
            recovers: recovers.map(ToString::to_string),
        }
    }
}
