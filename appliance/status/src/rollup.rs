//! The one word for the whole appliance.

use serde::{Deserialize, Serialize};

/// State of the appliance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RollupState {
    /// Login is not there yet, and nothing certain stands in its way.
    Installing,
    /// Login is not there, and will not come by itself.
    FailedActionRequired,
    /// Login works; something beside it failed.
    ReadyWithBackgroundIssues,
    /// Login works; the rest is on its way.
    ReadyToLogIn,
    /// Everything works.
    FullyHealthy,
}

impl RollupState {
    /// Name in the document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Installing => "installing",
            Self::FailedActionRequired => "failed_action_required",
            Self::ReadyWithBackgroundIssues => "ready_with_background_issues",
            Self::ReadyToLogIn => "ready_to_log_in",
            Self::FullyHealthy => "fully_healthy",
        }
    }

    /// Sentence that goes with it.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Installing => "Appliance installation is in progress.",
            Self::FailedActionRequired => {
                "A core platform blocker requires action before login is available."
            }
            Self::ReadyWithBackgroundIssues => "Alga is ready to log in. Background services need attention.",
            Self::ReadyToLogIn => "Alga is ready to log in.",
            Self::FullyHealthy => "All selected services are healthy.",
        }
    }
}

impl std::fmt::Display for RollupState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Rollup in the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rollup {
    /// State.
    pub state: RollupState,
    /// Its sentence.
    pub message: String,
    /// What to do next.
    pub next_action: String,
}
