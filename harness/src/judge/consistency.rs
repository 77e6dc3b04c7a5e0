//! What a status document may not say of itself: parts that contradict each other, or the contract, whatever happened.
//!
//! A part that a document does not have is not judged; an earlier generation has fewer.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::moments::lasted;
use super::{Finding, History, Rule, View};
use crate::scenario::{Component, Rollup, Tier};
use crate::timeline::Timeline;

/// A document may be so old when it is first seen: the pulse of a cluster in which nothing happens, six times.
const OLDEST: SignedDuration = SignedDuration::from_secs(60);
/// Clocks of two processes show the same second, or the next.
const AHEAD: SignedDuration = SignedDuration::from_secs(5);
const MOST_EVENTS: usize = 20;
const MOST_OPERATIONS: usize = 6;
const NO_PROGRESS: &str = "Kubernetes does not expose image pull byte progress.";
const NOT_FOUND: &str = "Resource not found or unavailable";
/// The size that the contract gives.
const LARGE: (&str, &str) = ("ghcr.io/nine-minds/alga-psa-ee", "1.8");

/// A contradiction: what must be, and what is said.
type Contradiction = (String, String);

/// Contradictions of a whole history, each once.
pub(super) fn contradictions(timeline: &Timeline, history: &History) -> Vec<Finding> {
    let login_url = timeline.header().and_then(|header| header.login_url.as_deref());
    let mut found: BTreeMap<String, (String, Timestamp, Timestamp)> = BTreeMap::new();
    for spell in &history.spells {
        let Some(document) = spell.document() else { continue };
        let mut all = within(document);
        all.extend(too_old(document, spell.from));
        all.extend(login_url.and_then(|url| leads_elsewhere(document, url)));
        for (expected, seen) in all {
            found.entry(expected).or_insert((seen, spell.from, spell.to)).2 = spell.to;
        }
    }
    let mut findings: Vec<Finding> = found
        .into_iter()
        .map(|(expected, (seen, from, to))| finding(expected, seen, lasted(history, from, to)))
        .collect();
    findings.extend(without_events(history));
    findings
}

fn finding(expected: String, seen: String, when: String) -> Finding {
    Finding { rule: Rule::Contract, expected, seen, when }
}

/// Everything that one document contradicts itself in.
fn within(document: &Value) -> Vec<Contradiction> {
    let mut found = Vec::new();
    said_once(document, &mut found);
    rollup(document, &mut found);
    tiers(document, &mut found);
    bootstrap(document, &mut found);
    components(document, &mut found);
    lists(document, &mut found);
    operations(document, &mut found);
    found
}

fn must(found: &mut Vec<Contradiction>, holds: bool, expected: &str, seen: impl FnOnce() -> String) {
    if !holds {
        found.push((expected.to_owned(), seen()));
    }
}

/// What stands in several places is the same in all of them.
fn said_once(document: &Value, found: &mut Vec<Contradiction>) {
    let pairs = [
        ("/status", "/rollup/state"),
        ("/currentPhase", "/rollup/state"),
        ("/nextAction", "/rollup/nextAction"),
        ("/loginUrl", "/urls/loginUrl"),
    ];
    for (one, other) in pairs {
        let (Some(left), Some(right)) = (document.pointer(one), document.pointer(other)) else { continue };
        must(found, left == right, &format!("{one} to be {other}"), || format!("{left} and {right}"));
    }
}

fn message(state: &str) -> Option<&'static str> {
    Some(match state {
        "installing" => "Appliance installation is in progress.",
        "failed_action_required" => "A core platform blocker requires action before login is available.",
        "ready_to_log_in" => "Alga is ready to log in.",
        "ready_with_background_issues" => "Alga is ready to log in. Background services need attention.",
        "fully_healthy" => "All selected services are healthy.",
        _ => return None,
    })
}

/// The state follows from the login tier, full health and the blockers.
fn rollup(document: &Value, found: &mut Vec<Contradiction>) {
    let view = View(document);
    let Some(state) = view.rollup() else { return };
    let said = document.pointer("/rollup/message").and_then(Value::as_str);
    if let (Some(said), Some(message)) = (said, message(state)) {
        must(found, said == message, &format!("the message of {state}"), || format!("message `{said}`"));
    }
    let blockers = view.blockers();
    let blocked = blockers.iter().any(|blocker| blocker.login_blocking == Some(true));
    let rolled = || format!("rollup {state}");
    if let Some(login) = view.tier(Tier::Login) {
        let before = [Rollup::Installing.name(), Rollup::FailedActionRequired.name()].contains(&state);
        let expected = format!(
            "a rollup of {}",
            if login { "a login that is ready" } else { "a login that is not ready" }
        );
        must(found, before != login, &expected, rolled);
        let wanted = if blocked { Rollup::FailedActionRequired } else { Rollup::Installing };
        if before && !login {
            let why = if blocked { "a login-blocking blocker" } else { "no login-blocking blocker" };
            must(found, state == wanted.name(), &format!("rollup {wanted} with {why}"), rolled);
        }
        let issues = state == Rollup::ReadyWithBackgroundIssues.name();
        must(
            found,
            !login || before || blockers.is_empty() || issues,
            "a rollup with issues while a blocker stands",
            rolled,
        );
    }
    if let Some(full) = view.tier(Tier::FullHealth) {
        must(
            found,
            full == (state == Rollup::FullyHealthy.name()),
            "rollup fully_healthy exactly with tier fullHealth",
            || format!("rollup {state}, tier fullHealth {}", ready(full)),
        );
    }
}

/// A tier is not ready without what it consists of.
fn tiers(document: &Value, found: &mut Vec<Contradiction>) {
    let view = View(document);
    let tier = |tier: Tier| view.tier(tier) == Some(true);
    let lacks = |components: &[Component]| -> Vec<String> {
        let missing = components.iter().filter(|it| view.component(**it) == Some(false));
        missing.map(|it| format!("{it} not ready")).collect()
    };
    let needs = |it: Tier, tiers: &[Tier]| -> Vec<String> {
        let missing = tiers.iter().filter(|other| view.tier(**other) == Some(false));
        if tier(it) { missing.map(|other| format!("tier {other} not ready")).collect() } else { Vec::new() }
    };
    let mut judge = |it: Tier, missing: Vec<String>| {
        must(
            found,
            missing.is_empty() || !tier(it),
            &format!("tier {it} not ready without what it needs"),
            || missing.join(", "),
        );
    };
    judge(Tier::Core, lacks(&[Component::Db, Component::Redis, Component::Pgbouncer]));
    judge(Tier::Bootstrap, needs(Tier::Bootstrap, &[Tier::Core]));
    let mut login = needs(Tier::Login, &[Tier::Core, Tier::Bootstrap]);
    login.extend(lacks(&[Component::AlgaCore]));
    let probe = document.pointer("/loginProbe/reachable");
    login.extend((probe == Some(&Value::Bool(false))).then(|| "the login probe not reachable".to_owned()));
    login.extend((document.get("loginUrl") == Some(&Value::Null)).then(|| "no login URL".to_owned()));
    judge(Tier::Login, login);
    judge(Tier::FullHealth, needs(Tier::FullHealth, &[Tier::Login, Tier::Background]));
    let background: Vec<bool> = entries(document, "components")
        .filter(|it| it["tier"] == "background")
        .filter_map(|it| it["ready"].as_bool())
        .collect();
    if let Some(said) = view.tier(Tier::Background).filter(|_| !background.is_empty()) {
        let all = background.iter().all(|ready| *ready);
        must(found, said == all, "tier background ready exactly when its components are", || {
            format!("tier background {}", ready(said))
        });
    }
    for (name, tier) in document.get("tiers").and_then(Value::as_object).into_iter().flatten() {
        let (Some(ready), Some(status)) = (tier["ready"].as_bool(), tier["status"].as_str()) else {
            continue;
        };
        must(
            found,
            ready == (status == "healthy"),
            &format!("tier {name} healthy exactly when it is ready"),
            || format!("ready {ready}, status {status}"),
        );
    }
}

fn bootstrap(document: &Value, found: &mut Vec<Contradiction>) {
    let view = View(document);
    let failed = view.blockers().iter().any(|blocker| blocker.is("bootstrap-failed"));
    let done = view.tier(Tier::Bootstrap) == Some(true);
    let completed = document.pointer("/bootstrap/job/completed").and_then(Value::as_bool);
    must(found, !done || failed || completed != Some(false), "a completed job with tier bootstrap", || {
        "bootstrap.job not completed".to_owned()
    });
    let users = document.pointer("/bootstrap/seed/usersCount");
    must(
        found,
        !done || users.is_none_or(|users| users.as_u64().is_some_and(|users| users > 0)),
        "users with tier bootstrap",
        || format!("usersCount {}", users.unwrap_or(&Value::Null)),
    );
}

fn components(document: &Value, found: &mut Vec<Contradiction>) {
    let names: Vec<&str> = entries(document, "components").filter_map(|it| it["name"].as_str()).collect();
    let tiers = document.get("tiers").and_then(Value::as_object).is_some_and(|tiers| tiers.len() == 6);
    if tiers {
        let missing: Vec<&str> =
            Component::ALL.iter().map(|it| it.name()).filter(|it| !names.contains(it)).collect();
        must(found, missing.is_empty(), "every component", || format!("no {}", missing.join(", no ")));
    }
    for component in entries(document, "components") {
        let unknown = component["status"] == "unknown" || component["message"] == NOT_FOUND;
        let name = component["name"].as_str().unwrap_or_default();
        must(found, !unknown || component["ready"] != true, "no component ready that is unknown", || {
            format!("{name} ready, {}", component["message"])
        });
    }
}

fn lists(document: &Value, found: &mut Vec<Contradiction>) {
    for (list, most) in [("recentEvents", MOST_EVENTS), ("activeOperations", MOST_OPERATIONS)] {
        let count = entries(document, list).count();
        must(found, count <= most, &format!("at most {most} {list}"), || format!("{count} of them"));
    }
    for blocker in entries(document, "topBlockers") {
        let (Some(severity), Some(blocking)) =
            (blocker["severity"].as_str(), blocker["loginBlocking"].as_bool())
        else {
            continue;
        };
        must(
            found,
            blocking == (severity == "critical"),
            "severity critical exactly where a blocker is login-blocking",
            || format!("severity {severity}, loginBlocking {blocking}"),
        );
    }
}

fn operations(document: &Value, found: &mut Vec<Contradiction>) {
    for operation in entries(document, "activeOperations").filter(|it| it["operation"] == "pulling_image") {
        let honest = operation["progressPercent"].is_null()
            && operation["progressAvailable"] != true
            && operation["progressReason"] == NO_PROGRESS;
        must(found, honest, "no progress of a pull, and why", || {
            format!("progressPercent {}", operation["progressPercent"])
        });
        let large = operation["image"].as_str().is_some_and(|image| image.starts_with(LARGE.0));
        let size = operation["estimatedSizeHuman"].as_str().unwrap_or_default();
        must(
            found,
            !large || size.contains(LARGE.1),
            &format!("about {} GB of {}", LARGE.1, LARGE.0),
            || format!("size `{size}`"),
        );
    }
}

/// News are not of long ago. Whoever cannot read says so, and has no newer time.
fn too_old(document: &Value, seen: Timestamp) -> Option<Contradiction> {
    let blind =
        View(document).blockers().iter().any(|blocker| blocker.is("kubernetes") || blocker.is("node"));
    let said: Timestamp = document.get("timestamp")?.as_str()?.parse().ok()?;
    let age = seen.duration_since(said);
    let fits = age <= OLDEST && age >= -AHEAD;
    (!blind && !fits).then(|| {
        (
            "news with the time at which they are told".to_owned(),
            format!("a timestamp {} s away", age.as_secs()),
        )
    })
}

fn leads_elsewhere(document: &Value, url: &str) -> Option<Contradiction> {
    let said = document.get("loginUrl")?.as_str()?;
    let same = said.trim_end_matches('/') == url.trim_end_matches('/');
    (!same).then(|| ("a login URL that leads to the application".to_owned(), format!("`{said}`")))
}

/// An install is full of events; a service that shows none at any moment does not look.
fn without_events(history: &History) -> Option<Finding> {
    let lists = |document: &Value| document.get("recentEvents").and_then(Value::as_array).map(Vec::len);
    let mut counts = history.spells.iter().filter_map(|spell| spell.document().and_then(lists)).peekable();
    counts.peek()?;
    let ready = history
        .spells
        .iter()
        .any(|spell| spell.document().is_some_and(|it| View(it).tier(Tier::Login) == Some(true)));
    (ready && counts.all(|count| count == 0)).then(|| {
        let when = format!("until {}", history.offset(history.end));
        finding("some of the install's events".to_owned(), "no event at any moment".to_owned(), when)
    })
}

fn entries<'d>(document: &'d Value, list: &str) -> impl Iterator<Item = &'d Value> {
    document.get(list).and_then(Value::as_array).into_iter().flatten()
}

fn ready(ready: bool) -> &'static str {
    if ready { "ready" } else { "not ready" }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn contradicts(document: Value) -> Vec<String> {
        within(&document).into_iter().map(|(expected, _)| expected).collect()
    }

    #[test]
    fn a_document_that_says_little_contradicts_nothing() {
        assert_eq!(contradicts(json!({})), [""; 0]);
        assert_eq!(contradicts(json!({ "rollup": { "state": "installing" } })), [""; 0]);
    }

    #[test]
    fn a_login_without_its_probe_or_its_core_is_not_ready() {
        let document = json!({ "tiers": { "core": { "ready": false }, "login": { "ready": true } }, "loginProbe": { "reachable": false } });
        assert_eq!(contradicts(document), ["tier login not ready without what it needs"]);
    }

    #[test]
    fn full_health_and_its_state_go_together() {
        let document = json!({ "rollup": { "state": "ready_to_log_in" }, "tiers": { "login": { "ready": true }, "fullHealth": { "ready": true } } });
        assert_eq!(contradicts(document), ["rollup fully_healthy exactly with tier fullHealth"]);
    }

    #[test]
    fn news_are_not_old_unless_the_cluster_is_not_heard() {
        let seen: Timestamp = "2026-11-21T10:10:00Z".parse().unwrap();
        let old = json!({ "timestamp": "2026-11-21T10:00:00Z", "topBlockers": [] });
        assert!(too_old(&old, seen).is_some());
        let blind = json!({ "timestamp": "2026-11-21T10:00:00Z", "topBlockers": [{ "code": "kubernetes" }] });
        assert_eq!(too_old(&blind, seen), None);
        assert_eq!(too_old(&json!({ "timestamp": null }), seen), None);
    }

    #[test]
    fn a_login_url_leads_to_the_application() {
        assert_eq!(
            leads_elsewhere(&json!({ "loginUrl": "http://10.0.2.15:3000/" }), "http://10.0.2.15:3000"),
            None
        );
        assert!(
            leads_elsewhere(&json!({ "loginUrl": "http://192.0.2.1:3000" }), "http://10.0.2.15:3000")
                .is_some()
        );
        assert_eq!(leads_elsewhere(&json!({ "loginUrl": null }), "http://10.0.2.15:3000"), None);
    }
}
