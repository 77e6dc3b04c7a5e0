//! What a mutant must bring about.

use std::fmt;

use smoke_harness::judge::{Finding, Rule, Verdict};
use smoke_harness::run::Outcome;

/// A finding that is expected: its rule, and a part of its message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim(pub(crate) Rule, pub(crate) &'static str);

/// What must come of a mutant.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fate {
    /// Nothing is wrong with it, for this reason.
    Green(&'static str),
    /// The appliance is blamed: the claim that it must break, and what else breaks for the same reason.
    Failed(Claim, &'static [Claim]),
    /// Nothing is proved: the claim that tells why, and what else is told.
    Invalid(Claim, &'static [Claim]),
    /// Somebody ought to see it and nobody does; what would be needed.
    Survives(&'static str),
}

impl Claim {
    fn fits(self, finding: &Finding) -> bool {
        finding.rule == self.0 && finding.to_string().contains(self.1)
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0, self.1)
    }
}

impl Fate {
    fn verdict(self) -> &'static str {
        match self {
            Self::Green(_) | Self::Survives(_) => "passed",
            Self::Failed(..) => "failed",
            Self::Invalid(..) => "invalid",
        }
    }

    pub(crate) fn claim(self) -> Option<Claim> {
        match self {
            Self::Failed(claim, _) | Self::Invalid(claim, _) => Some(claim),
            Self::Green(_) | Self::Survives(_) => None,
        }
    }

    /// The claims that break with the one that it is about.
    pub(crate) fn others(self) -> &'static [Claim] {
        match self {
            Self::Failed(_, others) | Self::Invalid(_, others) => others,
            Self::Green(_) | Self::Survives(_) => &[],
        }
    }

    /// What broke it; an error says what is otherwise than it must be.
    pub(crate) fn met(self, outcome: &Outcome) -> Result<String, String> {
        let findings: Vec<String> = outcome.findings.iter().map(ToString::to_string).collect();
        let wrong = |what: String| {
            let reason = match &outcome.verdict {
                Verdict::Broken(reason) | Verdict::Skipped(reason) => format!(" ({reason})"),
                _ => String::new(),
            };
            let all = findings.join("\n  ");
            Err(format!("{what}; it was {}{reason}, with\n  {all}", outcome.verdict))
        };
        if outcome.verdict.name() != self.verdict() {
            return wrong(format!("it must be {}", self.verdict()));
        }
        let Some(claim) = self.claim() else {
            return Ok(match self {
                Self::Survives(need) => format!("SURVIVES: {need}"),
                Self::Green(reason) => format!("nothing: {reason}"),
                Self::Failed(..) | Self::Invalid(..) => String::new(),
            });
        };
        let Some(broke) = outcome.findings.iter().find(|finding| claim.fits(finding)) else {
            return wrong(format!("nothing like `{claim}` was said"));
        };
        let more = outcome
            .findings
            .iter()
            .find(|finding| !claim.fits(finding) && !self.others().iter().any(|other| other.fits(finding)));
        if let Some(more) = more {
            return wrong(format!("`{more}` has nothing to do with it"));
        }
        let idle = self.others().iter().find(|other| !outcome.findings.iter().any(|it| other.fits(it)));
        if let Some(idle) = idle {
            return wrong(format!("`{idle}` does not break with it"));
        }
        Ok(broke.to_string())
    }
}
