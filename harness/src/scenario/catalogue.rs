//! `scenarios/README.md`: what there is and what can be broken, printed from scenarios and tables.

use std::fmt::Write as _;

use super::Scenario;
use crate::fault::{Need, Param, Shows, faults, heals};

/// The page, for these scenarios.
pub fn catalogue(scenarios: &[Scenario]) -> String {
    let mut page = String::from(
        "# Scenarios\n\nOne file per scenario: what breaks, what the appliance must then say, what heals it. \
         This page is printed by `smoke list --markdown`; a test fails when it is old.\n\n\
         | scenario | story | breaks | must say |\n|---|---|---|---|\n",
    );
    for scenario in scenarios {
        let breaks: Vec<String> = scenario.faults.iter().map(|fault| format!("`{fault}`")).collect();
        let breaks = if breaks.is_empty() { "nothing".to_owned() } else { breaks.join(", ") };
        let mut says: Vec<String> =
            scenario.expect.blockers.iter().map(|b| format!("`{}`", b.code)).collect();
        says.extend(scenario.expect.eventually.rollup.map(|rollup| format!("`{rollup}`")));
        let name = &scenario.name;
        row(&mut page, &[&format!("[{name}]({name}.yaml)"), &scenario.story, &breaks, &says.join(", ")]);
    }
    page.push_str("\n## Faults\n\n| fault | what it does | parameters | leads to | shows in | receipt | healed by |\n|---|---|---|---|---|---|---|\n");
    for fault in faults() {
        let leads_to = fault.leads_to.to_string();
        let shows = match fault.shows {
            Shows::Status => "status",
            Shows::Operator => "operator's command",
        };
        let healed: Vec<String> = fault.healed_by.iter().map(|verb| format!("`{verb}`")).collect();
        let name = format!("`{}`", fault.name);
        let cells = [
            &name,
            fault.summary,
            &params(fault.params),
            &leads_to,
            shows,
            fault.receipt,
            &healed.join(", "),
        ];
        row(&mut page, &cells);
    }
    page.push_str("\n## Heal verbs\n\n| verb | what it does | parameters |\n|---|---|---|\n");
    for heal in heals() {
        row(&mut page, &[&format!("`{}`", heal.name), heal.summary, &params(heal.params)]);
    }
    page
}

fn params(params: &[Param]) -> String {
    let one = |param: &Param| {
        let optional = if param.needed == Need::Optional { ", may be left out" } else { "" };
        format!("`{}`: {}{optional}", param.name, param.doc)
    };
    if params.is_empty() { "none".to_owned() } else { params.iter().map(one).collect::<Vec<_>>().join("; ") }
}

fn row(page: &mut String, cells: &[&str]) {
    for cell in cells {
        // Writing to a String does not fail.
        let _ = write!(page, "| {} ", cell.replace('|', "\\|").replace('\n', " "));
    }
    page.push_str("|\n");
}
