//! `index.html`: one page, no script, readable without a network.

use std::fmt::Write as _;

use super::replay::replay;
use super::svg::picture;
use crate::judge::Verdict;
use crate::matrix::Matrix;
use crate::run::{Outcome, Plan, Summary};
use crate::timeline::elapsed;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}\
h2{margin-top:2.5rem}code,pre{font-family:ui-monospace,monospace;font-size:13px}pre{background:#f3f4f6;padding:.6rem;overflow:auto}\
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #d6d9de;padding:.3rem .6rem;text-align:left;vertical-align:top}\
svg{width:100%;font:10px system-ui,sans-serif}svg rect{fill:#9aa3ad}rect.installing{fill:#7aa7d9}rect.failed_action_required{fill:#d06a5f}\
rect.ready_with_background_issues{fill:#e0b04c}rect.ready_to_log_in{fill:#9cc98b}rect.fully_healthy{fill:#4f9d5b}\
line{stroke:#1b1f24}line.fault,line.heal{stroke-dasharray:2}";

/// The page.
pub(super) fn page(plan: &Plan, summary: &Summary) -> String {
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Smoke report</title><style>",
    );
    page.push_str(STYLE);
    page.push_str("</style><h1>Smoke report</h1><table><tr><th>scenario</th><th>verdict</th><th>took</th><th>field time</th></tr>");
    for outcome in &summary.outcomes {
        let anchor = escape(&anchor(outcome));
        // Writing to a String does not fail, here and below.
        let _ = write!(
            page,
            "<tr><td><a href=\"#{anchor}\">{anchor}</a></td><td>{}</td><td>{}</td><td>{}</td></tr>",
            outcome.verdict,
            time(outcome.duration),
            time(outcome.field),
        );
    }
    page.push_str("</table>");
    if let Some((all, beyond)) = summary.diagnosis() {
        let _ = write!(
            page,
            "<p>Time to diagnosis, of {} blockers: {all}; beyond the graces: {beyond}</p>",
            all.count
        );
    }
    confusion(&mut page, &summary.matrix);
    for outcome in &summary.outcomes {
        section(&mut page, plan, outcome);
    }
    page.push_str("</html>\n");
    page
}

fn confusion(page: &mut String, matrix: &Matrix) {
    let _ =
        write!(page, "<h2 id=\"matrix\">Fault × blocker</h2><p>{}</p>", escape(&matrix.totals().to_string()));
    page.push_str("<table><tr><th>fault</th><th>blocker</th><th>expected</th><th>found</th><th>missing</th><th>extra</th></tr>");
    for (faults, code, cell) in matrix.cells() {
        let (missing, extra) = (escape(&cell.missing.join(", ")), escape(&cell.extra.join(", ")));
        let _ = write!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{} {missing}</td><td>{} {extra}</td></tr>",
            escape(faults),
            escape(code),
            cell.expected,
            cell.found,
            cell.missing.len(),
            cell.extra.len(),
        );
    }
    page.push_str("</table>");
    for run in matrix.unjudged() {
        let _ = write!(page, "<p>Not counted: {}: {}</p>", escape(&run.scenario), escape(&run.reason));
    }
}

fn section(page: &mut String, plan: &Plan, outcome: &Outcome) {
    let anchor = escape(&anchor(outcome));
    let story =
        plan.scenarios.iter().find(|s| s.name == outcome.name).map(|s| s.story.as_str()).unwrap_or_default();
    let _ = write!(page, "<h2 id=\"{anchor}\">{anchor}: {}</h2><p>{}</p>", outcome.verdict, escape(story));
    if let Verdict::Broken(reason) | Verdict::Skipped(reason) = &outcome.verdict {
        let _ = write!(page, "<p><b>{}</b></p>", escape(reason));
    }
    if let Some(timeline) = &outcome.timeline {
        page.push_str(&picture(timeline));
    }
    if !outcome.findings.is_empty() {
        page.push_str("<table><tr><th>rule</th><th>expected</th><th>last seen</th><th>when</th></tr>");
        for finding in &outcome.findings {
            let cells = [
                finding.rule.to_string(),
                finding.expected.clone(),
                finding.seen.clone(),
                finding.when.clone(),
            ];
            page.push_str("<tr>");
            for cell in cells {
                let _ = write!(page, "<td>{}</td>", escape(&cell));
            }
            page.push_str("</tr>");
        }
        page.push_str("</table>");
    }
    for it in &outcome.diagnoses {
        let _ = write!(
            page,
            "<p>Diagnosis of <code>{}</code>: {} after the write of {}, {} beyond the grace of {}</p>",
            escape(&it.code),
            elapsed(it.took()),
            escape(&it.object),
            elapsed(it.beyond_grace()),
            elapsed(it.grace),
        );
    }
    for receipt in &outcome.receipts {
        let evidence = receipt.evidence.join("\n");
        let _ = write!(
            page,
            "<p>Receipt of <code>{}</code>, {} times:</p>",
            escape(&receipt.fault),
            receipt.count
        );
        let _ = write!(page, "<pre>{}</pre>", escape(&evidence));
    }
    for remark in &outcome.remarks {
        let _ = write!(page, "<p>{}</p>", escape(remark));
    }
    let folder =
        outcome.directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let folder = escape(&folder);
    let _ = write!(page, "<p><a href=\"{folder}/timeline.jsonl\">timeline</a>");
    if outcome.directory.join("evidence").exists() {
        let _ = write!(page, " · <a href=\"{folder}/evidence/\">evidence</a>");
    }
    let _ = write!(page, "</p><pre>{}</pre>", escape(&replay(plan, outcome)));
}

fn anchor(outcome: &Outcome) -> String {
    if outcome.turn > 1 { format!("{} ({})", outcome.name, outcome.turn) } else { outcome.name.clone() }
}

fn time(duration: std::time::Duration) -> String {
    elapsed(jiff::SignedDuration::try_from(duration).unwrap_or_default())
}

/// Text as HTML shows it.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_an_appliance_says_is_no_markup() {
        assert_eq!(super::escape("<b>\"a\" & b</b>"), "&lt;b&gt;&quot;a&quot; &amp; b&lt;/b&gt;");
    }
}
