//! One run: what it had to name before its heal, and what it named at any moment.

use crate::judge::{History, SeenBlocker, View};
use crate::timeline::{ClaimedBlocker, Claims, Phase, Timeline, VERSION, What};

use super::NO_FAULT;

/// What one run had to name, and what it named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// The scenario.
    pub scenario: String,
    /// Names of its faults, sorted.
    pub faults: Vec<String>,
    /// Codes that it had to name.
    pub expected: Vec<String>,
    /// What did not stand at the end of the settled phase although it had to.
    pub missing: Vec<Missing>,
    /// What showed at some moment and is neither expected nor transient, nor, after the heal, revealed by it.
    pub extra: Vec<Extra>,
    /// Why it says nothing about blockers, where it does not.
    pub unjudged: Option<String>,
}

/// A blocker that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Its code.
    pub code: String,
    /// Whose; empty where the scenario does not say.
    pub component: String,
}

/// A blocker that nobody expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// Its code, or those that it may stand for.
    pub code: String,
    /// Whose.
    pub component: String,
    /// When first: `+12s`.
    pub first: String,
}

/// A timeline that cannot be counted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unreadable {
    /// It does not say whose it is.
    #[error("it has no header")]
    NoHeader,
    /// It is newer than this program.
    #[error("it is of version {0}, and this program knows {VERSION}")]
    Newer(u32),
    /// It is older than claims in headers.
    #[error(
        "it is of version {0}: its header does not say what the scenario expects; run the scenario again"
    )]
    NoClaims(u32),
    /// It does not go to the end.
    #[error("it breaks off: there is no end")]
    NoEnd,
}

impl Run {
    /// What a timeline shows.
    ///
    /// # Errors
    /// When it does not say what is expected, or breaks off.
    pub fn of(timeline: &Timeline) -> Result<Self, Unreadable> {
        let header = timeline.header().ok_or(Unreadable::NoHeader)?;
        if header.version > VERSION {
            return Err(Unreadable::Newer(header.version));
        }
        let claims = header.claims.as_ref().ok_or(Unreadable::NoClaims(header.version))?;
        timeline.phase(Phase::End).ok_or(Unreadable::NoEnd)?;
        let mut faults: Vec<String> = claims.faults.iter().map(|fault| fault.name.clone()).collect();
        faults.sort();
        let mut run = Self {
            scenario: header.scenario.clone(),
            faults,
            expected: claims.blockers.iter().map(|it| it.code.clone()).collect(),
            unjudged: unjudged(timeline),
            ..Self::default()
        };
        if run.unjudged.is_none() {
            let history = History::of(timeline);
            run.missing = missing(&history, claims);
            run.extra = extra(&history, claims);
        }
        Ok(run)
    }

    /// The row in which it counts.
    pub(super) fn row(&self) -> String {
        if self.faults.is_empty() { NO_FAULT.to_owned() } else { self.faults.join(" + ") }
    }
}

impl Missing {
    pub(super) fn of(&self) -> String {
        of(&self.component)
    }
}

impl Extra {
    pub(super) fn of(&self) -> String {
        of(&self.component)
    }
}

fn of(component: &str) -> String {
    if component.is_empty() { String::new() } else { format!(" ({component})") }
}

/// A run in which a fault could not be set, or that ended before anything could settle, says nothing about blockers.
fn unjudged(timeline: &Timeline) -> Option<String> {
    let refused = timeline.events.iter().find_map(|event| match &event.what {
        What::NotInjected { fault, reason, .. } => Some(format!("{fault} was not set: {reason}")),
        _ => None,
    });
    let waited = [Phase::Settled, Phase::Unsettled].iter().any(|phase| timeline.phase(*phase).is_some());
    refused.or_else(|| (!waited).then(|| "it ended before anything could settle".to_owned()))
}

fn missing(history: &History, claims: &Claims) -> Vec<Missing> {
    let last = history.before_heal().last().and_then(|spell| spell.document());
    let mut seen = last.map(|document| View(document).blockers()).unwrap_or_default();
    let mut missing = Vec::new();
    for wanted in &claims.blockers {
        match seen.iter().position(|seen| is(wanted, seen)) {
            // Two of a kind are two.
            Some(index) => drop(seen.remove(index)),
            None => missing.push(Missing {
                code: wanted.code.clone(),
                component: wanted.component.clone().unwrap_or_default(),
            }),
        }
    }
    missing
}

fn extra(history: &History, claims: &Claims) -> Vec<Extra> {
    let expected = claims.blockers.iter().map(|it| it.code.as_str());
    let listed: Vec<&str> = expected.chain(claims.transient.iter().map(|it| it.code.as_str())).collect();
    let mut found: Vec<Extra> = Vec::new();
    let before = history.before_heal().len();
    for (index, spell) in history.spells.iter().enumerate() {
        let Some(document) = spell.document() else { continue };
        // At the end of the settled phase the components count too, and what was for a while is over.
        let settled = index + 1 == before;
        let revealed = claims.revealed.as_deref().filter(|_| index >= before);
        let mut wanted: Vec<&ClaimedBlocker> = claims.blockers.iter().collect();
        for seen in View(document).blockers() {
            let fits = wanted.iter().position(|wanted| is(wanted, &seen));
            let known = fits.map(|fits| wanted.remove(fits)).is_some();
            if known || !settled && listed.iter().copied().chain(revealed).any(|code| seen.is(code)) {
                continue;
            }
            let (code, component) = (seen.codes.join(" or "), seen.component.to_owned());
            let code = if code.is_empty() { seen.layer.to_owned() } else { code };
            if !found.iter().any(|it| it.code == code && it.component == component) {
                found.push(Extra { code, component, first: history.offset(spell.from) });
            }
        }
    }
    found
}

fn is(wanted: &ClaimedBlocker, seen: &SeenBlocker<'_>) -> bool {
    seen.is(&wanted.code) && wanted.component.as_ref().is_none_or(|component| *component == seen.component)
}
