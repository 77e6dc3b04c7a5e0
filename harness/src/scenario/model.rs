//! A scenario, read and checked.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use regex::Regex;

use super::{Component, Milestone, Operation, Readiness, Rollup, Tier};
use crate::fault::{Act, FaultUse, HealStep};
use crate::world::{BootstrapMode, Capability};

/// A scenario, read and checked.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name, which is also its file's.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// What happened, to whom.
    pub story: String,
    /// What the world must be able to do, beyond what the faults need.
    pub requires: Vec<Capability>,
    /// The release that is installed.
    pub release: String,
    /// The values profile.
    pub profile: String,
    /// How the operator installs it.
    pub bootstrap: Bootstrap,
    /// What breaks.
    pub faults: Vec<FaultUse>,
    /// What people do on the way.
    pub acts: Vec<Act>,
    /// What the appliance must say until the heal.
    pub expect: Expect,
    /// What is done then.
    pub heal: Vec<HealStep>,
    /// What holds at the very end, if anything is healed.
    pub recovers: Option<Document>,
}

/// How the operator's command is called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bootstrap {
    /// `fresh` or `recover`.
    pub mode: BootstrapMode,
    /// `--dns-servers`.
    pub dns_servers: Vec<String>,
    /// Appended as they are.
    pub arguments: Vec<String>,
}

/// What the appliance must say.
#[derive(Debug, Clone, Default)]
pub struct Expect {
    /// Milestones in the order in which they are first seen.
    pub order: Vec<Milestone>,
    /// What holds at the end of the settled phase.
    pub eventually: Document,
    /// Blockers at the end of the settled phase: exactly these, root first.
    pub blockers: Vec<Blocker>,
    /// How the operator's command ends and what it prints.
    pub operator: Option<Operator>,
    /// What holds in every status document before the heal.
    pub always: Vec<Document>,
    /// What holds in no status document before the heal.
    pub never: Vec<Document>,
    /// What holds in some status document before the heal.
    pub once: Vec<Document>,
    /// Budgets in field time.
    pub within: BTreeMap<Milestone, Duration>,
    /// Codes that may show for a while.
    pub transient: Vec<Transient>,
    /// What holds after the heal.
    pub after_heal: AfterHeal,
}

/// What holds from the heal to the end.
#[derive(Debug, Clone, Default)]
pub struct AfterHeal {
    /// In every status document.
    pub always: Vec<Document>,
    /// In no status document.
    pub never: Vec<Document>,
}

/// Something that a status document says; all parts of it together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The rollup's state.
    pub rollup: Option<Rollup>,
    /// A top blocker of this code.
    pub blocker: Option<&'static str>,
    /// The blocker's component, where one is meant.
    pub component: Option<String>,
    /// Tiers, ready or not.
    pub tiers: BTreeMap<Tier, Readiness>,
    /// Components, ready or not.
    pub components: BTreeMap<Component, Readiness>,
    /// Active operations.
    pub operations: BTreeMap<Component, Operation>,
    /// Reads that the service says fail: `pods`, `secret db-credentials`.
    pub unread: Vec<String>,
}

/// A top blocker.
#[derive(Debug, Clone)]
pub struct Blocker {
    /// Its code.
    pub code: &'static str,
    /// Whose.
    pub component: Option<String>,
    /// Whether it stands between people and the login.
    pub login_blocking: Option<bool>,
    /// What its reason says.
    pub reason: Option<Pattern>,
    /// What it says to do, beyond the sentence that the contract gives its code, which every blocker is held to.
    pub next_action: Option<Pattern>,
    /// Its layer, to the letter.
    pub layer: Option<String>,
    /// What follows from it; not looked at where the scenario does not say.
    pub consequences: Option<Vec<Consequence>>,
}

/// What follows from a blocker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consequence {
    /// Its code.
    pub code: &'static str,
    /// Whose.
    pub component: Option<String>,
}

/// A code that may show for a while, and why that is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transient {
    /// The code.
    pub code: &'static str,
    /// Why.
    pub reason: String,
}

/// What the operator's command does.
#[derive(Debug, Clone, Default)]
pub struct Operator {
    /// How it ends.
    pub exit: Option<Exit>,
    /// What it prints, each in some line.
    pub prints: Vec<Pattern>,
}

/// How the operator's command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With exit code 0.
    Success,
    /// In any other way.
    Failure,
}

/// A text that is contained, or a regular expression between slashes.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// Contained.
    Text(String),
    /// Found.
    Regex(Regex),
}

impl Pattern {
    /// Whether `text` has it.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Text(part) => text.contains(part.as_str()),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "`{text}`"),
            Self::Regex(regex) => write!(f, "/{}/", regex.as_str()),
        }
    }
}

impl Document {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(rollup) = self.rollup {
            parts.push(format!("rollup {rollup}"));
        }
        if let Some(blocker) = self.blocker {
            let of = self.component.as_ref().map(|c| format!(" of {c}")).unwrap_or_default();
            parts.push(format!("blocker {blocker}{of}"));
        } else if let Some(component) = &self.component {
            parts.push(format!("a blocker of {component}"));
        }
        parts.extend(self.tiers.iter().map(|(tier, readiness)| format!("tier {tier} {readiness}")));
        parts.extend(self.components.iter().map(|(c, readiness)| format!("component {c} {readiness}")));
        parts.extend(self.operations.iter().map(|(c, operation)| format!("operation {operation} of {c}")));
        parts.extend(self.unread.iter().map(|read| format!("read of {read} failing")));
        f.write_str(&parts.join(", "))
    }
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)?;
        if let Some(component) = &self.component {
            write!(f, " of {component}")?;
        }
        match self.login_blocking {
            Some(true) => f.write_str(", login-blocking")?,
            Some(false) => f.write_str(", not login-blocking")?,
            None => {}
        }
        if let Some(reason) = &self.reason {
            write!(f, ", reason {reason}")?;
        }
        Ok(())
    }
}

impl Scenario {
    /// Everything a world must be able to do for this scenario.
    pub fn needs(&self) -> Vec<Capability> {
        let mut needs = self.requires.clone();
        needs.extend(self.faults.iter().map(|fault| fault.kind.needs));
        needs.extend(self.acts.iter().map(|act| act.step.kind.needs));
        needs.extend(self.heal.iter().map(|step| step.kind.needs));
        needs.sort();
        needs.dedup();
        needs
    }

    /// Whether it is about what the operator's command says, and asks for no status document.
    pub fn asks_the_operator_alone(&self) -> bool {
        let expect = &self.expect;
        expect.operator.is_some() && expect.eventually.is_empty() && expect.blockers.is_empty()
    }

    /// Whether a fault shows only when another one is mended: its blocker is what `recovers` asks for.
    pub fn is_masked(&self, fault: &FaultUse) -> bool {
        let of_it = |code: &str| fault.kind.leads_to.may_be(code);
        let expected = self.expect.blockers.iter().any(|blocker| of_it(blocker.code));
        !expected && self.recovers.as_ref().is_some_and(|recovers| recovers.blocker.is_some_and(of_it))
    }

    /// Codes that may show at some moment: expected ones and transient ones.
    pub fn listed_codes(&self) -> Vec<&'static str> {
        let expected = self.expect.blockers.iter().map(|blocker| blocker.code);
        expected.chain(self.expect.transient.iter().map(|t| t.code)).collect()
    }
}
