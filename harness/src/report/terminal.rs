//! Lines for the person in front of the terminal; readable without colour, nothing moves.

use std::io::Write;
use std::time::Duration;

use jiff::SignedDuration;

use super::replay::replay;
use crate::judge::Verdict;
use crate::run::{Kept, Outcome, Plan, Summary, Voice};
use crate::timeline::elapsed;

/// Writes lines to `W`, usually standard error.
pub struct Terminal<W> {
    out: W,
    plan: Option<Plan>,
}

impl<W: Write> Terminal<W> {
    /// A terminal that has said nothing yet.
    pub fn new(out: W) -> Self {
        Self { out, plan: None }
    }

    /// Where it writes to.
    pub fn output(&self) -> &W {
        &self.out
    }

    /// The last lines: what came of it, where the report is, what to do next.
    pub fn summary(&mut self, plan: &Plan, summary: &Summary) {
        let mut counts = Vec::new();
        for name in ["passed", "failed", "broken", "invalid", "skipped"] {
            let count = summary.count(name);
            if count > 0 || (name == "passed" && summary.outcomes.is_empty()) {
                counts.push(format!("{count} {name}"));
            }
        }
        self.line("");
        self.verb("Summary", &format!("{} in {}", counts.join(", "), time(summary.duration)));
        for remark in &summary.remarks {
            self.more(remark);
        }
        if let Some((all, beyond)) = summary.diagnosis() {
            self.verb("Diagnosis", &format!("{} blockers: {all}; beyond their graces: {beyond}", all.count));
        }
        self.verb("Matrix", &summary.matrix.totals().to_string());
        self.verb("Report", &plan.report.join("index.html").display().to_string());
        let bad = |outcome: &&Outcome| !matches!(outcome.verdict, Verdict::Passed | Verdict::Skipped(_));
        let next = match summary.outcomes.iter().find(bad) {
            Some(outcome) => replay(plan, outcome),
            None if summary.count("passed") == 0 => "smoke list   (nothing was run)".to_owned(),
            None => "nothing; to look around in a world: smoke run NAME --keep always".to_owned(),
        };
        self.verb("Next", &next);
    }

    fn verb(&mut self, verb: &str, text: &str) {
        self.line(&format!("{verb:>12} {text}"));
    }

    fn line(&mut self, text: &str) {
        // A terminal that is gone is not a reason to stop.
        let _ = writeln!(self.out, "{text}");
    }

    fn more(&mut self, text: &str) {
        self.line(&format!("{:>12} {text}", ""));
    }
}

impl<W: Write> Voice for Terminal<W> {
    fn begin(&mut self, plan: &Plan, runs: usize) {
        let noun = if runs == 1 { "scenario" } else { "scenarios" };
        let text = format!("{runs} {noun} in {} worlds, {} at once", plan.world, plan.jobs);
        self.verb("Running", &text);
        self.plan = Some(plan.clone());
    }

    fn slow(&mut self, name: &str, duration: Duration, last: &str) {
        self.verb("Slow", &format!("{name} has been running for {}; last: {last}", time(duration)));
    }

    fn ended(&mut self, outcome: &Outcome) {
        let name = if outcome.turn > 1 {
            format!("{} #{}", outcome.name, outcome.turn)
        } else {
            outcome.name.clone()
        };
        let verb = match outcome.verdict {
            Verdict::Passed => "Passed",
            Verdict::Failed => "FAILED",
            Verdict::Broken(_) => "BROKEN",
            Verdict::Invalid => "INVALID",
            Verdict::Skipped(_) => "Skipped",
        };
        let took = match &outcome.verdict {
            Verdict::Skipped(_) => String::new(),
            _ => format!("  {} ({} of field time)", time(outcome.duration), time(outcome.field)),
        };
        self.verb(verb, &format!("{name}{took}"));
        match &outcome.verdict {
            Verdict::Passed => {
                let proof = self.plan.as_ref().map(|plan| proof(plan, outcome)).unwrap_or_default();
                self.more(&proof);
            }
            Verdict::Broken(reason) | Verdict::Skipped(reason) => self.more(reason),
            Verdict::Failed | Verdict::Invalid => {}
        }
        for finding in &outcome.findings {
            self.more(&finding.to_string());
        }
        for remark in &outcome.remarks {
            self.more(remark);
        }
        if !matches!(outcome.verdict, Verdict::Passed | Verdict::Skipped(_)) {
            self.more(&format!("see {}", outcome.directory.display()));
        }
    }

    fn kept(&mut self, kept: &[(String, Kept)]) {
        for (name, kept) in kept {
            self.line("");
            self.verb("Kept", name);
            self.line(&format!("export KUBECONFIG={}", kept.kubeconfig.display()));
            let token = kept.token.as_deref().map(|token| format!("/?token={token}")).unwrap_or_default();
            self.line(&format!("status page: {}{token}", kept.status_url));
            self.line(&format!("application: {}", kept.app_url));
        }
        self.line("");
        self.verb("Waiting", "for Ctrl-C; until then kubectl works in another terminal");
    }
}

/// What a scenario that passed has proved.
fn proof(plan: &Plan, outcome: &Outcome) -> String {
    let mut parts = Vec::new();
    for receipt in &outcome.receipts {
        parts.push(format!("{} landed {}x", receipt.fault, receipt.count));
    }
    for (milestone, took) in &outcome.milestones {
        parts.push(format!("{milestone} after {}", time(*took)));
    }
    if let Some(scenario) = plan.scenarios.iter().find(|scenario| scenario.name == outcome.name) {
        parts.extend(scenario.expect.eventually.rollup.map(|rollup| format!("said {rollup}")));
        parts.extend(scenario.expect.blockers.iter().map(|blocker| {
            let of =
                blocker.component.as_ref().map(|component| format!(" of {component}")).unwrap_or_default();
            format!("named {}{of}", blocker.code)
        }));
        parts.extend(scenario.recovers.as_ref().map(|document| format!("recovered to {document}")));
    }
    parts.join(", ")
}

fn time(duration: Duration) -> String {
    elapsed(SignedDuration::try_from(duration).unwrap_or_default())
}
