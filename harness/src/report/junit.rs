//! `junit.xml`.

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use crate::judge::Verdict;
use crate::run::{Outcome, Summary};

pub(super) fn junit(summary: &Summary) -> Result<String, SerializeError> {
    let mut suite = TestSuite::new("smoke");
    suite.set_time(summary.duration);
    suite.add_test_cases(summary.outcomes.iter().map(case));
    let mut report = Report::new("smoke");
    report.set_time(summary.duration);
    report.add_test_suite(suite);
    report.to_string()
}

fn case(outcome: &Outcome) -> TestCase {
    let findings: Vec<String> = outcome.findings.iter().map(ToString::to_string).collect();
    let first = findings.first().cloned().unwrap_or_default();
    let mut status = match &outcome.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Failed => with(NonSuccessKind::Failure, &first),
        Verdict::Invalid => with(NonSuccessKind::Error, &first),
        Verdict::Broken(reason) => with(NonSuccessKind::Error, reason),
        Verdict::Skipped(reason) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason.as_str());
            status
        }
    };
    if !findings.is_empty() {
        status.set_description(findings.join("\n"));
    }
    let name =
        if outcome.turn > 1 { format!("{} ({})", outcome.name, outcome.turn) } else { outcome.name.clone() };
    let mut case = TestCase::new(name, status);
    case.set_classname(format!("smoke.{}", outcome.world));
    case.set_time(outcome.duration);
    case
}

fn with(kind: NonSuccessKind, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message).set_type(match kind {
        NonSuccessKind::Failure => "failed",
        NonSuccessKind::Error => "error",
    });
    status
}
