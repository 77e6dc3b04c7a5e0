//! What a run amounts to.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Finding;

/// What a run amounts to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "reason", rename_all = "kebab-case")]
pub enum Verdict {
    /// The appliance said what it had to.
    Passed,
    /// The appliance is wrong.
    Failed,
    /// The harness, the host or the world is at fault.
    Broken(String),
    /// The run proves nothing: a fault did not land, or the control shows the same.
    Invalid,
    /// This world or this machine cannot have it.
    Skipped(String),
}

impl Verdict {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Broken(_) => "broken",
            Self::Invalid => "invalid",
            Self::Skipped(_) => "skipped",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A verdict and all that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// What is not as expected; first what makes the run invalid.
    pub findings: Vec<Finding>,
}

impl Judgement {
    /// Without a valid cause no effect is judged: `invalid` goes before `failed`.
    pub(super) fn of(invalid: Vec<Finding>, wrong: Vec<Finding>) -> Self {
        let verdict = match (invalid.is_empty(), wrong.is_empty()) {
            (false, _) => Verdict::Invalid,
            (true, false) => Verdict::Failed,
            (true, true) => Verdict::Passed,
        };
        let mut findings = invalid;
        findings.extend(wrong);
        Self { verdict, findings }
    }
}
