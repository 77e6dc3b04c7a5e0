//! Whether the appliance said what it had to: a pure function of the timeline.
//!
//! ```text
//!   timeline ─┬─ history      status documents with their times, readable as a view
//!             ├─ milestones   first observations and the last moments before them
//!             └─ rules        one finding per thing that is not as expected
//!   + control, receipts ───── verdict
//! ```

mod blockers;
mod consistency;
mod contract;
mod control;
mod document;
mod finding;
mod history;
mod milestones;
mod moments;
mod receipts;
mod rules;
mod verdict;
mod view;

pub use blockers::blocker_mismatches;
pub use control::{Control, Shown};
pub use document::{Mismatch, document_mismatches, recovery_mismatches};
pub use finding::{Finding, Rule};
pub use history::History;
pub use milestones::{Milestones, Seen};
pub use verdict::{Judgement, Verdict};
pub use view::{SeenBlocker, View};

use crate::scenario::Scenario;
use crate::timeline::Timeline;

/// Judges a run. `control` is the same install without faults; a scenario without faults needs none.
pub fn judge(timeline: &Timeline, scenario: &Scenario, control: Option<&Control>) -> Judgement {
    let history = History::of(timeline);
    let milestones = Milestones::of(timeline, scenario);
    let mut invalid = receipts::missing(timeline, scenario, &history);
    invalid.extend(control.into_iter().flat_map(|control| control.contradictions(scenario)));
    let mut wrong = rules::eventually(&history, scenario);
    wrong.extend(rules::operator(timeline, scenario, &history));
    wrong.extend(moments::unlisted(&history, scenario));
    wrong.extend(contract::breaches(&history));
    wrong.extend(contract::open_door(timeline, &history));
    wrong.extend(consistency::contradictions(timeline, &history));
    wrong.extend(rules::printed_token(timeline, &history));
    wrong.extend(moments::at_moments(&history, scenario));
    wrong.extend(milestones.order(&scenario.expect.order, &history));
    wrong.extend(milestones.within(&scenario.expect.within, &history));
    wrong.extend(rules::recovers(&history, scenario));
    if let Some(never) = control.and_then(Control::never_installed) {
        // An appliance that does not install without faults either is not excused by a fault that could not land.
        invalid.clear();
        wrong.insert(0, never);
    }
    if wrong.is_empty() && invalid.is_empty() && scenario.recovers.is_some() && history.heal.is_none() {
        invalid.push(Finding::untried(&history));
    }
    Judgement::of(invalid, wrong)
}
