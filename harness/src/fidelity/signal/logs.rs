//! Lines of containers' logs, and what the API says instead of a log.

use std::collections::{BTreeMap, BTreeSet};

use super::Class;
use crate::recording::Stream;

/// One line or refusal.
pub(super) struct Said {
    /// Name of the pod.
    pub(super) pod: String,
    /// The container, and whether it is a line or a refusal.
    pub(super) track: String,
    pub(super) class: Class,
    pub(super) words: String,
    pub(super) at: f64,
}

/// Every line once and every refusal once, in the order of the looks: how often one is met hangs on their seconds.
pub(super) fn said(stream: &Stream) -> Vec<Said> {
    let mut seen: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    let mut refused: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    let mut looks: Vec<_> = stream.logs.iter().collect();
    // What came before is read before what came after.
    looks.sort_by_key(|look| (look.at, std::cmp::Reverse(look.instance)));
    let mut found = Vec::new();
    for look in looks {
        let mut say = |class: Class, words: String| {
            let track = format!("{} of {}", class.name(), look.container);
            found.push(Said { pod: look.pod.clone(), track, class, words, at: f64::from(look.at) });
        };
        for line in look.text.lines() {
            if line.starts_with("[rc ") {
                if refused.insert((&look.pod, &look.container, line)) {
                    say(Class::Refusal, format!("logs of {}: {line}", look.container));
                }
                continue;
            }
            let text = without_time(line);
            if !seen.entry((&look.pod, &look.container)).or_default().insert(text) {
                continue;
            }
            say(Class::Log, format!("log of {}: {text}", look.container));
        }
    }
    found
}

/// The line without the time that the API puts before it.
fn without_time(line: &str) -> &str {
    match line.split_once(' ') {
        Some((time, text)) if time.parse::<jiff::Timestamp>().is_ok() => text,
        None if line.parse::<jiff::Timestamp>().is_ok() => "",
        _ => line,
    }
}
