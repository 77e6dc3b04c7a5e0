//! What the contract gives every blocker, at every recorded moment: its layer and its next action.

use jiff::Timestamp;

use super::moments::lasted;
use super::{Finding, History, Rule, SeenBlocker, View};
use crate::scenario::{BlockerCode, CODES};
use crate::timeline::{Answer, Target, Timeline, What};

/// Something that is said otherwise than the contract gives it, for as long as it was said.
struct Breach {
    expected: String,
    seen: String,
    from: Timestamp,
    to: Timestamp,
}

/// A status document that anybody gets, without the token.
pub(super) fn open_door(timeline: &Timeline, history: &History) -> Option<Finding> {
    let open = timeline.events.iter().find_map(|event| match &event.what {
        What::Probe {
            target: Target::Unsigned,
            answer: Answer::Status { code: code @ 200..=299, .. },
            ..
        } => Some((*code, event.at)),
        _ => None,
    });
    open.map(|(code, at)| Finding {
        rule: Rule::Contract,
        expected: "/api/status to ask for the token".to_owned(),
        seen: format!("an answer of {code} to who had none"),
        when: format!("at {}", history.offset(at)),
    })
}

/// Blockers whose layer or next action is not their code's.
pub(super) fn breaches(history: &History) -> Vec<Finding> {
    let mut found: Vec<Breach> = Vec::new();
    for spell in &history.spells {
        let Some(document) = spell.document() else { continue };
        for blocker in View(document).blockers() {
            for (expected, seen) in otherwise(&blocker) {
                match found.iter_mut().find(|it| it.expected == expected && it.seen == seen) {
                    Some(known) => known.to = spell.to,
                    None => found.push(Breach { expected, seen, from: spell.from, to: spell.to }),
                }
            }
        }
    }
    let finding = |breach: Breach| Finding {
        rule: Rule::Contract,
        expected: breach.expected,
        seen: breach.seen,
        when: lasted(history, breach.from, breach.to),
    };
    found.into_iter().map(finding).collect()
}

/// Pairs of expected and seen, where they differ. A code that nobody knows is for other rules.
fn otherwise(blocker: &SeenBlocker<'_>) -> Vec<(String, String)> {
    let rows: Vec<&BlockerCode> = CODES.iter().filter(|row| blocker.is(row.name)).collect();
    let mut found = Vec::new();
    if rows.is_empty() {
        return found;
    }
    let title = blocker.title();
    if !rows.iter().any(|row| row.layers.contains(&blocker.layer)) {
        let mut layers: Vec<String> =
            rows.iter().flat_map(|row| row.layers).map(|layer| format!("`{layer}`")).collect();
        layers.dedup();
        let expected = format!("{title} with layer {}", layers.join(" or "));
        found.push((expected, format!("layer `{}`", blocker.layer)));
    }
    let said = blocker.next_action;
    // Where it goes by cause, anything is better than nothing.
    let fits = |row: &&BlockerCode| !said.trim().is_empty() && said.starts_with(row.next_action);
    if !rows.iter().any(fits) {
        let begins: Vec<&str> = rows.iter().map(|row| row.next_action).filter(|it| !it.is_empty()).collect();
        let wanted = match begins.first() {
            Some(begin) => format!("that begins `{begin}`"),
            None => "of any kind".to_owned(),
        };
        let seen =
            if said.is_empty() { "no next action".to_owned() } else { format!("next action `{said}`") };
        found.push((format!("{title} with a next action {wanted}"), seen));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::otherwise;
    use crate::judge::View;

    fn breaches(blocker: &Value) -> Vec<(String, String)> {
        let document = json!({ "topBlockers": [blocker] });
        View(&document).blockers().iter().flat_map(otherwise).collect()
    }

    #[test]
    fn a_next_action_may_go_on_after_the_sentence_of_its_code() {
        let blocker = json!({
            "code": "helm", "component": "temporal", "layer": "Helm release failure",
            "nextAction": "Inspect the release's first failing workload, then reconcile the release.",
        });
        assert_eq!(breaches(&blocker), []);
    }

    #[test]
    fn a_next_action_of_another_code_and_a_layer_of_another_code_are_breaches() {
        let blocker = json!({
            "code": "dns", "component": "alga-core", "layer": "Storage", "nextAction": "Free or enlarge the named volume.",
        });
        let expected = [
            ("dns of alga-core with layer `Platform DNS resolution`", "layer `Storage`"),
            (
                "dns of alga-core with a next action that begins `Configure explicit DNS servers`",
                "next action `Free or enlarge the named volume.`",
            ),
        ];
        assert_eq!(breaches(&blocker), expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn where_the_next_action_goes_by_cause_there_must_be_one() {
        let blocker =
            json!({ "code": "scheduling", "component": "db", "layer": "Scheduling", "nextAction": " " });
        let found = breaches(&blocker);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, "scheduling of db with a next action of any kind");
    }

    #[test]
    fn a_blocker_without_a_code_is_judged_by_its_layer() {
        let blocker = json!({ "component": "db", "layer": "Release", "nextAction": "Run Repair Release." });
        assert_eq!(breaches(&blocker), []);
    }
}
