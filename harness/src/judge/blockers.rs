//! The exact set of blockers, root first.

use super::{Mismatch, Rule, SeenBlocker, View};
use crate::scenario::{Blocker, Consequence};

/// Every difference between the expected blockers and a document's.
pub fn blocker_mismatches(wanted: &[Blocker], view: View<'_>) -> Vec<Mismatch> {
    let seen = view.blockers();
    let list = titles(&seen);
    let mut found = Vec::new();
    let mut taken: Vec<usize> = Vec::new();
    let mut differs =
        |expected: String, seen: String| found.push(Mismatch { rule: Rule::Blockers, expected, seen });
    for blocker in wanted {
        let fits = |(index, seen): &(usize, &SeenBlocker<'_>)| !taken.contains(index) && names(blocker, seen);
        match seen.iter().enumerate().find(fits) {
            Some((index, seen)) => {
                taken.push(index);
                for (expected, seen) in parts(blocker, seen) {
                    differs(expected, seen);
                }
            }
            None => differs(format!("blocker {blocker}"), list.clone()),
        }
    }
    for (index, extra) in seen.iter().enumerate() {
        if !taken.contains(&index) {
            let reason = if extra.reason.is_empty() { String::new() } else { format!(" ({})", extra.reason) };
            let expected =
                if wanted.is_empty() { "no blocker".to_owned() } else { format!("only {}", wishes(wanted)) };
            differs(expected, format!("also {}{reason}", extra.title()));
        }
    }
    if taken.len() == wanted.len() && !taken.is_sorted() {
        differs(format!("blockers in the order {}", wishes(wanted)), list);
    }
    found
}

fn names(wanted: &Blocker, seen: &SeenBlocker<'_>) -> bool {
    seen.is(wanted.code) && wanted.component.as_ref().is_none_or(|component| seen.component == component)
}

/// Pairs of expected and seen, where they differ.
fn parts(wanted: &Blocker, seen: &SeenBlocker<'_>) -> Vec<(String, String)> {
    let title = seen.title();
    let mut found = Vec::new();
    if let Some(expected) = wanted.login_blocking
        && seen.login_blocking != Some(expected)
    {
        let said = seen.login_blocking.map_or("nothing".to_owned(), |said| said.to_string());
        found.push((format!("{title} with loginBlocking {expected}"), format!("loginBlocking {said}")));
    }
    if let Some(pattern) = &wanted.reason
        && !pattern.matches(seen.reason)
    {
        found.push((format!("{title} with reason {pattern}"), format!("reason `{}`", seen.reason)));
    }
    if let Some(pattern) = &wanted.next_action
        && !pattern.matches(seen.next_action)
    {
        found.push((
            format!("{title} with nextAction {pattern}"),
            format!("nextAction `{}`", seen.next_action),
        ));
    }
    if let Some(layer) = &wanted.layer
        && layer != seen.layer
    {
        found.push((format!("{title} with layer `{layer}`"), format!("layer `{}`", seen.layer)));
    }
    if let (Some(expected), Some(said)) = (&wanted.consequences, &seen.consequences) {
        let fits = |wish: &Consequence, (code, component): &(&str, &str)| {
            wish.code == *code && wish.component.as_ref().is_none_or(|wanted| wanted == component)
        };
        let same = expected.len() == said.len()
            && expected.iter().all(|wish| said.iter().any(|got| fits(wish, got)));
        if !same {
            let wishes =
                expected.iter().map(|c| title_of(c.code, c.component.as_deref().unwrap_or_default()));
            let got = said.iter().map(|(code, component)| title_of(code, component));
            found.push((
                format!("{title} with consequences {}", list(wishes)),
                format!("consequences {}", list(got)),
            ));
        }
    }
    found
}

fn title_of(code: &str, component: &str) -> String {
    if component.is_empty() { code.to_owned() } else { format!("{code} of {component}") }
}

fn list(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

fn wishes(wanted: &[Blocker]) -> String {
    list(
        wanted.iter().map(|blocker| title_of(blocker.code, blocker.component.as_deref().unwrap_or_default())),
    )
}

fn titles(seen: &[SeenBlocker<'_>]) -> String {
    if seen.is_empty() {
        return "no blocker".to_owned();
    }
    let parts: Vec<String> = seen.iter().map(SeenBlocker::title).collect();
    format!("blockers {}", parts.join(", "))
}
