//! A timeline as a picture: what was said, when, and what happened to the world meanwhile.

use std::fmt::Write as _;

use super::html::escape;
use crate::judge::{History, View};
use crate::timeline::{Timeline, What, elapsed};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 10.0;

/// The picture of a timeline.
pub(super) fn picture(timeline: &Timeline) -> String {
    let history = History::of(timeline);
    let whole = history.end.duration_since(history.start).as_secs_f64().max(0.001);
    let x = |at: jiff::Timestamp| {
        let part = at.duration_since(history.start).as_secs_f64() / whole;
        LEFT + part.clamp(0.0, 1.0) * (WIDTH - 2.0 * LEFT)
    };
    let mut svg = String::new();
    // Writing to a String does not fail, here and below.
    let _ = write!(svg, "<svg viewBox=\"0 0 {WIDTH} 110\" role=\"img\" aria-label=\"timeline\">");
    for spell in &history.spells {
        let rollup = spell.document().and_then(|document| View(document).rollup()).unwrap_or("silent");
        let (from, to) = (x(spell.from), x(spell.to));
        let title = format!("{rollup} from {} to {}", history.offset(spell.from), history.offset(spell.to));
        let _ = write!(
            svg,
            "<rect class=\"{}\" x=\"{from:.1}\" y=\"40\" width=\"{:.1}\" height=\"22\"><title>{}</title></rect>",
            escape(rollup),
            (to - from).max(0.5),
            escape(&title),
        );
    }
    let mut lane = 0;
    for event in &timeline.events {
        let (class, text) = match &event.what {
            What::Phase { phase } => ("phase", phase.name().to_owned()),
            What::Milestone { milestone } => ("milestone", milestone.to_string()),
            What::Injected { fault, .. } => ("fault", fault.clone()),
            What::Acted { act } => ("heal", act.clone()),
            What::Healed { step } => ("heal", step.clone()),
            _ => continue,
        };
        let at = x(event.at);
        let y = if class == "phase" { 34 } else { 76 + lane % 3 * 12 };
        lane += i32::from(class != "phase");
        let anchor = if at > WIDTH * 0.8 { "end" } else { "start" };
        let _ = write!(
            svg,
            "<line class=\"{class}\" x1=\"{at:.1}\" y1=\"36\" x2=\"{at:.1}\" y2=\"66\"/>\
             <text class=\"{class}\" x=\"{at:.1}\" y=\"{y}\" text-anchor=\"{anchor}\">{}<title>{}</title></text>",
            escape(&text),
            history.offset(event.at),
        );
    }
    let _ = write!(
        svg,
        "<text x=\"{LEFT}\" y=\"12\">0</text><text x=\"{}\" y=\"12\" text-anchor=\"end\">{}</text></svg>",
        WIDTH - LEFT,
        elapsed(history.end.duration_since(history.start)),
    );
    svg
}
