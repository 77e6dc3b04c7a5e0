//! What must hold at a certain moment.

use super::history::{Said, Spell, same_since};
use super::{
    Finding, History, Mismatch, Rule, View, blocker_mismatches, document_mismatches, recovery_mismatches,
};
use crate::scenario::{Document, Exit, Scenario};
use crate::timeline::{Timeline, What};
use crate::world::{MASK, OperatorEnd, Stream};

/// `eventually`, at the end of the settled phase.
pub(super) fn eventually(history: &History, scenario: &Scenario) -> Vec<Finding> {
    let expect = &scenario.expect;
    let mismatches = |spell: &Spell| -> Option<Vec<Mismatch>> {
        let view = View(spell.document()?);
        let mut found = document_mismatches(&expect.eventually, view);
        found.extend(blocker_mismatches(&expect.blockers, view));
        Some(found)
    };
    let mut wishes: Vec<String> = Vec::new();
    if !expect.eventually.is_empty() {
        wishes.push(expect.eventually.to_string());
    }
    wishes.extend(expect.blockers.iter().map(|blocker| format!("blocker {blocker}")));
    if scenario.asks_the_operator_alone() && history.before_heal().iter().all(|it| it.document().is_none()) {
        return Vec::new();
    }
    let mut found = at_end(history, history.before_heal(), Rule::Eventually, &wishes.join(", "), mismatches);
    if found.is_empty() && history.settled.is_none() {
        found.push(Finding {
            rule: Rule::Eventually,
            expected: "what it says to stay the same for 30 s".to_owned(),
            seen: format!("{} different answers, all still changing", history.before_heal().len()),
            when: format!("until {}", history.offset(history.judged_at())),
        });
    }
    found
}

/// `recovers`, at the very end.
pub(super) fn recovers(history: &History, scenario: &Scenario) -> Vec<Finding> {
    let Some(wanted) = &scenario.recovers else { return Vec::new() };
    if history.heal.is_none() {
        // What never came about is not healed; the other rules say what did not.
        return Vec::new();
    }
    let mismatches = |spell: &Spell| Some(recovery_mismatches(wanted, View(spell.document()?)));
    let mut found = at_end(history, &history.spells, Rule::Recovers, &wanted.to_string(), mismatches);
    for finding in &mut found {
        finding.rule = Rule::Recovers;
    }
    found
}

/// What comes back so often is said by turns with something else.
const BY_TURNS: usize = 4;

/// What the last of these spells says otherwise than expected, and since when.
fn at_end(
    history: &History,
    spells: &[Spell],
    rule: Rule,
    wanted: &str,
    mismatches: impl Fn(&Spell) -> Option<Vec<Mismatch>>,
) -> Vec<Finding> {
    let until = if rule == Rule::Recovers { history.end } else { history.judged_at() };
    let Some(last) = spells.last() else {
        let seen = "no answer from /api/status: nobody asked".to_owned();
        return vec![Finding { rule, expected: wanted.to_owned(), seen, when: String::new() }];
    };
    if let Said::Nothing(problem) = &last.said {
        let silent = same_since(spells, |spell| spell.document().is_some()).unwrap_or(last.from);
        let never = spells.iter().all(|spell| spell.document().is_none());
        let ever = if never { "not once an answer" } else { "no answer any more" };
        let seen = format!("{ever} from /api/status: {problem}");
        return vec![Finding { rule, expected: wanted.to_owned(), seen, when: history.since(silent, until) }];
    }
    let mut found = Vec::new();
    for mismatch in mismatches(last).unwrap_or_default() {
        let said: Vec<bool> =
            spells.iter().map(|spell| mismatches(spell).is_some_and(|all| all.contains(&mismatch))).collect();
        let last_stretch = said.iter().rev().take_while(|said| **said).count();
        let from = spells[spells.len() - last_stretch.max(1)].from;
        let stretches = said.chunk_by(|a, b| a == b).filter(|stretch| stretch[0]).count();
        let turns = if stretches < BY_TURNS { String::new() } else { format!(", {stretches} times in all") };
        let when = format!("{}{turns}", history.since(from, until));
        found.push(Finding { rule: mismatch.rule, expected: mismatch.expected, seen: mismatch.seen, when });
    }
    found
}

/// What the operator's command must have printed and how it must have ended.
pub(super) fn operator(timeline: &Timeline, scenario: &Scenario, history: &History) -> Vec<Finding> {
    let Some(wanted) = &scenario.expect.operator else { return Vec::new() };
    let end = timeline.events.iter().find_map(|event| match &event.what {
        What::OperatorEnded { end } => Some((*end, event.at)),
        _ => None,
    });
    let lines: Vec<(&str, Stream)> = timeline
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::Operator { text, stream } => Some((text.as_str(), *stream)),
            _ => None,
        })
        .collect();
    let last_line = || {
        let said =
            lines.iter().rev().find(|(text, stream)| *stream == Stream::Stderr && !text.trim().is_empty());
        let said = said.or_else(|| lines.iter().rev().find(|(text, _)| !text.trim().is_empty()));
        said.map_or("it printed nothing".to_owned(), |(text, _)| format!("its last word was `{text}`"))
    };
    let mut found = Vec::new();
    if let Some(exit) = wanted.exit {
        let fits = matches!((exit, end), (Exit::Success, Some((OperatorEnd::Exited(0), _))))
            || (exit == Exit::Failure && end.is_some_and(|(end, _)| end != OperatorEnd::Exited(0)));
        if !fits {
            let expected =
                if exit == Exit::Success { "the command to end well" } else { "the command to fail" };
            let (seen, when) = match end {
                Some((end, at)) => {
                    (format!("it {end}; {}", last_line()), format!("at {}", history.offset(at)))
                }
                None => {
                    (format!("it still ran; {}", last_line()), format!("at {}", history.offset(history.end)))
                }
            };
            found.push(Finding { rule: Rule::Operator, expected: expected.to_owned(), seen, when });
        }
    }
    for pattern in &wanted.prints {
        if !lines.iter().any(|(text, _)| pattern.matches(text)) {
            let expected = format!("the command to print {pattern}");
            let seen = format!("{} lines without it; {}", lines.len(), last_line());
            found.push(Finding { rule: Rule::Operator, expected, seen, when: String::new() });
        }
    }
    found
}

/// The token that the command prints is the one that the status page asks for: that one nobody may read here.
pub(super) fn printed_token(timeline: &Timeline, history: &History) -> Option<Finding> {
    let printed = |text: &str| text.trim().strip_prefix("Token:").map(|token| token.trim().to_owned());
    let (token, at) = timeline.events.iter().find_map(|event| match &event.what {
        What::Operator { text, .. } => Some((printed(text)?, event.at)),
        _ => None,
    })?;
    (token != MASK).then(|| Finding {
        rule: Rule::Operator,
        expected: "the command to print the token of the status page".to_owned(),
        seen: "another one".to_owned(),
        when: format!("at {}", history.offset(at)),
    })
}

/// Whether a document says all of it, for those who wait for that.
pub(crate) fn says(document: &Document, view: View<'_>) -> bool {
    document_mismatches(document, view).is_empty()
}
