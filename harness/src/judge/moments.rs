//! What must hold, or must not, at every recorded moment.

use jiff::Timestamp;

use super::history::Spell;
use super::rules::says;
use super::{Finding, History, Rule, SeenBlocker, View, document_mismatches};
use crate::scenario::{Document, Scenario};
use crate::timeline::elapsed;

/// Blockers that the scenario does not list, at whatever moment.
pub(super) fn unlisted(history: &History, scenario: &Scenario) -> Vec<Finding> {
    let listed = scenario.listed_codes();
    let revealed = scenario.recovers.as_ref().and_then(|recovers| recovers.blocker);
    let mut shown: Vec<Shown> = Vec::new();
    for spell in &history.spells {
        let Some(document) = spell.document() else { continue };
        for blocker in View(document).blockers() {
            // What shows when another cause is mended is what `recovers` asks for.
            let revealed = revealed.filter(|_| history.heal.is_some_and(|heal| spell.to > heal));
            if listed.iter().copied().chain(revealed).any(|code| blocker.is(code)) {
                continue;
            }
            match shown.iter_mut().find(|shown| shown.title == blocker.title()) {
                Some(shown) => shown.again(spell),
                None => shown.push(Shown::first(&blocker, spell)),
            }
        }
    }
    let expected = match listed.as_slice() {
        [] => "no blocker at any moment".to_owned(),
        codes => format!("no blocker but {} at any moment", codes.join(", ")),
    };
    let finding = |shown: Shown| Finding {
        rule: Rule::Unlisted,
        expected: expected.clone(),
        when: shown.when(history),
        seen: shown.title + &shown.reason,
    };
    shown.into_iter().map(finding).collect()
}

/// A blocker and the times at which it showed.
struct Shown {
    title: String,
    reason: String,
    times: Vec<(Timestamp, Timestamp)>,
}

impl Shown {
    fn first(blocker: &SeenBlocker<'_>, spell: &Spell) -> Self {
        Self { title: blocker.title(), reason: reason(blocker), times: vec![(spell.from, spell.to)] }
    }

    /// Spells that follow each other are one time.
    fn again(&mut self, spell: &Spell) {
        match self.times.last_mut() {
            Some((_, to)) if *to >= spell.from => *to = spell.to,
            _ => self.times.push((spell.from, spell.to)),
        }
    }

    fn when(&self, history: &History) -> String {
        match self.times.as_slice() {
            [] => String::new(),
            [(from, to)] => lasted(history, *from, *to),
            [(from, _), .., (_, to)] => {
                let all = self.times.iter().map(|(from, to)| to.duration_since(*from)).sum();
                let (times, span) = (self.times.len(), (history.offset(*from), history.offset(*to)));
                format!("{times} times from {} to {} (for {} in all)", span.0, span.1, elapsed(all))
            }
        }
    }
}

fn reason(blocker: &SeenBlocker<'_>) -> String {
    if blocker.reason.is_empty() { String::new() } else { format!(" ({})", blocker.reason) }
}

/// `always`, `never` and `once`, before the heal and after it.
pub(super) fn at_moments(history: &History, scenario: &Scenario) -> Vec<Finding> {
    let expect = &scenario.expect;
    let (before, after) = (history.before_heal(), history.after_heal());
    let mut found = Vec::new();
    found.extend(expect.always.iter().filter_map(|wanted| always(history, before, wanted)));
    found.extend(expect.never.iter().filter_map(|banned| never(history, before, banned)));
    found.extend(expect.once.iter().filter_map(|wanted| once(history, before, wanted)));
    found.extend(expect.after_heal.always.iter().filter_map(|wanted| always(history, after, wanted)));
    found.extend(expect.after_heal.never.iter().filter_map(|banned| never(history, after, banned)));
    found
}

fn always(history: &History, spells: &[Spell], wanted: &Document) -> Option<Finding> {
    let otherwise = |spell: &&Spell| spell.document().is_some_and(|document| !says(wanted, View(document)));
    let first = spells.iter().find(otherwise)?;
    let said = document_mismatches(wanted, View(first.document()?));
    let seen: Vec<String> = said.into_iter().map(|mismatch| mismatch.seen).collect();
    let when = lasted(history, first.from, first.to);
    Some(Finding { rule: Rule::Always, expected: format!("always {wanted}"), seen: seen.join(", "), when })
}

fn once(history: &History, spells: &[Spell], wanted: &Document) -> Option<Finding> {
    let says_it = |spell: &Spell| spell.document().is_some_and(|document| says(wanted, View(document)));
    if spells.iter().any(says_it) {
        return None;
    }
    let documents = spells.iter().filter(|spell| spell.document().is_some()).count();
    Some(Finding {
        rule: Rule::Once,
        expected: format!("once {wanted}"),
        seen: format!("{documents} documents, and none said it"),
        when: format!("until {}", history.offset(history.judged_at())),
    })
}

fn never(history: &History, spells: &[Spell], banned: &Document) -> Option<Finding> {
    let is = |spell: &Spell| spell.document().is_some_and(|document| says(banned, View(document)));
    let first = spells.iter().position(is)?;
    let last = spells[first..].iter().take_while(|spell| is(spell)).last()?;
    let when = lasted(history, spells[first].from, last.to);
    Some(Finding { rule: Rule::Never, expected: format!("never {banned}"), seen: banned.to_string(), when })
}

/// `from +12s to +20s (for 8s)`.
pub(super) fn lasted(history: &History, from: Timestamp, to: Timestamp) -> String {
    if to == history.end {
        return history.since(from, to);
    }
    format!(
        "from {} to {} (for {})",
        history.offset(from),
        history.offset(to),
        elapsed(to.duration_since(from))
    )
}
