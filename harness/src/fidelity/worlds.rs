//! The same scenarios in two worlds: what was seen in both, and what in one of them only.
//!
//! Both sides are report directories; nothing is read but their timelines. What is compared is what people see: the verdict, the
//! milestones in their order, every blocker with its layer and its reason, the rollup when all was settled and in the end, what the
//! operator's command printed. Names, addresses, times and digests are taken out of the texts.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::normal::Normaliser;
use crate::judge::{Verdict, judge};
use crate::scenario::Scenario;
use crate::timeline::{Phase, Timeline, TimelineError, What};

/// A difference that is no fault of the simulation, with its reason.
struct Accepted {
    /// The scenarios in which it is; empty where it may be in all.
    scenarios: &'static [&'static str],
    /// What the signal holds.
    words: &'static str,
    /// Why neither world is wrong.
    reason: &'static str,
}

/// Nothing else may stand here.
const ACCEPTED: [Accepted; 7] = [
    Accepted {
        scenarios: &[],
        words: "The Kubernetes API has not answered for more than 20 s: ServiceError: client error (Connect)",
        reason: "how a connection to an API that is down fails depends on what stands before it: a published port cuts it, as in \
                 the recording i-apiserver-down, and the address itself refuses it",
    },
    Accepted {
        scenarios: &["dns-refused", "dns-nxdomain-background"],
        words: "blocker dns of source,",
        reason: "the source asks once a minute: whether it asks while the resolver refuses depends on for how long the pulls and \
                 the judge need it to refuse, which a real node makes longer than a minute",
    },
    Accepted {
        scenarios: &["sleeping-worker"],
        words: "milestone ",
        reason: "the worker is told of after a grace of 15 s and all is healthy when a tier looks again: two clocks that nothing \
                 ties to each other, seconds apart",
    },
    Accepted {
        scenarios: &["fresh-over-existing-data"],
        words: "milestone ",
        reason: "the bootstrap job refuses what it finds within a second or two, and the application's image is there within a \
                 second or two: which is seen first depends on the pulls",
    },
    Accepted { scenarios: &["bootstrap-seed-missing"], words: "operator: [Core App]", reason: SETTLED },
    Accepted { scenarios: &["two-provisioners"], words: "when settled", reason: SETTLED },
    Accepted {
        scenarios: &["two-provisioners"],
        words: "blocker storage-class of storage, Storage, in the background",
        reason: SETTLED,
    },
];

/// Of what one world shows only because it is healed later.
const SETTLED: &str = "a real cluster counts as settled after ten seconds of quiet and the simulated one after thirty: what comes \
                       between the two is seen in one of them only";

/// What two worlds said of one scenario.
#[derive(Debug)]
pub struct Agreement {
    /// Its name.
    pub scenario: String,
    /// How many signals both have.
    pub same: usize,
    /// What only the first world showed.
    pub first_only: Vec<String>,
    /// What only the second world showed.
    pub second_only: Vec<String>,
}

impl Agreement {
    /// Of all signals, how many both have.
    #[must_use]
    pub fn share(&self) -> f64 {
        let all = self.same + self.first_only.len() + self.second_only.len();
        // There are never so many that it matters.
        if all == 0 { 1.0 } else { self.same as f64 / all as f64 }
    }

    /// Whether both worlds showed the same, but for what is accepted.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.first_only.is_empty() && self.second_only.is_empty()
    }

    /// For programs; the worlds' names say whose a signal is.
    #[must_use]
    pub fn json(&self, names: [&str; 2]) -> Value {
        json!({
            "share": self.share(),
            "same": self.same,
            "only": { names[0]: self.first_only, names[1]: self.second_only },
        })
    }
}

/// Compares two reports, scenario by scenario; those that only one of them has are not compared.
///
/// # Errors
/// When a timeline cannot be read.
pub fn agreements(
    scenarios: &[Scenario],
    first: &Path,
    second: &Path,
) -> Result<Vec<Agreement>, TimelineError> {
    let mut found = Vec::new();
    for scenario in scenarios {
        let path = |report: &Path| report.join(&scenario.name).join("timeline.jsonl");
        if !(path(first).is_file() && path(second).is_file()) {
            continue;
        }
        let first = signals(&Timeline::read(&path(first))?, scenario);
        let second = signals(&Timeline::read(&path(second))?, scenario);
        let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| -> Vec<String> {
            one.difference(other).filter(|it| accepted(&scenario.name, it).is_none()).cloned().collect()
        };
        found.push(Agreement {
            scenario: scenario.name.clone(),
            same: first.intersection(&second).count(),
            first_only: only(&first, &second),
            second_only: only(&second, &first),
        });
    }
    Ok(found)
}

/// Why a difference is accepted, if it is.
fn accepted(scenario: &str, signal: &str) -> Option<&'static str> {
    let is_of = |it: &&Accepted| it.scenarios.is_empty() || it.scenarios.contains(&scenario);
    ACCEPTED.iter().filter(is_of).find(|it| signal.contains(it.words)).map(|it| it.reason)
}

/// A table for people, with every difference below its scenario.
#[must_use]
pub fn table(agreements: &[Agreement], names: [&str; 2]) -> String {
    let mut text = String::new();
    for agreement in agreements {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{:<44} {:.3}  {} the same",
            agreement.scenario,
            agreement.share(),
            agreement.same
        );
        for (name, only) in names.iter().zip([&agreement.first_only, &agreement.second_only]) {
            for signal in only {
                let _ = writeln!(text, "    only {name:<5} {signal}");
            }
        }
    }
    let exact = agreements.iter().filter(|it| it.share() >= 1.0).count();
    let _ = writeln!(text, "{} scenarios in both, {exact} without a difference", agreements.len());
    text
}

fn signals(timeline: &Timeline, scenario: &Scenario) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let words = Normaliser::default();
    found.insert(format!("verdict {}", verdict(timeline, scenario)));
    let mut before = Vec::new();
    let mut document: Option<&Value> = None;
    for event in &timeline.events {
        match &event.what {
            What::Milestone { milestone } => {
                found.insert(format!("milestone {milestone} after {}", before.join(", ")));
                before.push(milestone.to_string());
            }
            What::Status { document: said, .. } => {
                document = Some(said);
                for blocker in said["topBlockers"].as_array().into_iter().flatten() {
                    found.insert(told(blocker, &words));
                }
            }
            What::Operator { text, .. } => {
                found.insert(format!("operator: {}", plain(&words.text(text))));
            }
            What::Phase { phase } if matches!(phase, Phase::Settled | Phase::End) => {
                let rollup = document.map_or("none", |it| it["rollup"]["state"].as_str().unwrap_or("none"));
                found.insert(format!("rollup {rollup} when {}", phase.name()));
            }
            _ => {}
        }
    }
    found
}

fn verdict(timeline: &Timeline, scenario: &Scenario) -> &'static str {
    let verdict: Verdict = judge(timeline, scenario, None).verdict;
    verdict.name()
}

fn told(blocker: &Value, words: &Normaliser) -> String {
    let text = |field: &str| blocker[field].as_str().unwrap_or_default();
    let blocking = if blocker["loginBlocking"] == true { "blocks the login" } else { "in the background" };
    let reason = plain(&words.text(text("reason")));
    format!("blocker {} of {}, {}, {blocking}: {reason}", text("code"), text("component"), text("layer"))
}

/// Where the operator has the site's own values.
const VALUES: &str = "/config/appliance/";

/// What the node is called and where the operator's files lie differ from world to world.
fn plain(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let node =
            bare == "appliance" || bare.starts_with("appliance-smoke-") && bare.ends_with("-control-plane");
        match word {
            _ if node => word.replace(bare, "<node>"),
            path if path.ends_with("/kubeconfig") => "<kubeconfig>".to_owned(),
            path if path.starts_with('/') && path.contains(VALUES) => {
                let inner = path.split_once(VALUES).map_or("", |(_, inner)| inner);
                format!("<values>/{inner}")
            }
            word => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_costs_its_share_and_the_name_of_a_node_or_a_directory_is_none() {
        let agreement = Agreement {
            scenario: "x".to_owned(),
            same: 3,
            first_only: vec!["a".to_owned()],
            second_only: Vec::new(),
        };
        assert!((agreement.share() - 0.75).abs() < 1e-9);
        let told = "node appliance-smoke-1-2-3-control-plane, not ready";
        assert_eq!(plain(told), "node <node>, not ready");
        assert_eq!(plain("node appliance, not ready"), plain(told));
        let down = "blocker kubernetes of kubernetes: The Kubernetes API has not answered for more than 20 s: ServiceError: client";
        assert!(accepted("any", &format!("{down} error (Connect): tls handshake eof")).is_some());
        assert!(accepted("any", &format!("{down} error (SendRequest): timed out")).is_none());
        let order = "milestone blocker after status-page";
        assert!(accepted("sleeping-worker", order).is_some() && accepted("any", order).is_none());
        let values = |home: &str| format!("Values of db from {home}/config/appliance/values/db.yaml");
        assert_eq!(plain(&values("/tmp/1.2.3")), "Values of db from <values>/values/db.yaml");
        assert_eq!(plain(&values("/tmp/1.2.3")), plain(&values("/dev/shm/reused/site")));
        assert!(table(&[agreement], ["sim", "kind"]).contains("only sim   a"));
    }
}
