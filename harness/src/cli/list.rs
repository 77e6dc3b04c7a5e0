//! `smoke list`.

use serde_json::json;

use crate::scenario::Scenario;

pub(super) fn table(scenarios: &[Scenario]) -> String {
    let width = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or_default();
    scenarios.iter().map(|scenario| format!("{:width$}  {}\n", scenario.name, scenario.story)).collect()
}

pub(super) fn json(scenarios: &[Scenario]) -> String {
    let entries: Vec<_> = scenarios
        .iter()
        .map(|scenario| {
            json!({
                "name": scenario.name,
                "story": scenario.story,
                "path": scenario.path,
                "release": scenario.release,
                "profile": scenario.profile,
                "requires": scenario.needs().into_iter().map(|need| need.name()).collect::<Vec<_>>(),
                "faults": scenario.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "blockers": scenario.expect.blockers.iter().map(|blocker| blocker.code).collect::<Vec<_>>(),
                "heal": scenario.heal.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        })
        .collect();
    format!("{:#}\n", json!({ "version": 1, "scenarios": entries }))
}
