//! Which jobs there are, and in which order.

use std::sync::Arc;

use super::controls::{Key, control_for, is_control, needs_control};
use super::job::{Job, Role};
use super::{Plan, Stop};
use crate::scenario::{Bootstrap, Milestone, Scenario};
use crate::world::{Beginning, Capability, WorldFactory};

/// What is to be done, and what cannot be done with the reason.
pub(super) struct Schedule {
    pub(super) jobs: Vec<Job>,
    pub(super) unable: Vec<(Job, String)>,
}

/// Faultless scenarios first, for they are controls; then controls that nobody else provides; then the rest.
pub(super) fn schedule(plan: &Plan, factory: &dyn WorldFactory) -> Schedule {
    let able = factory.capabilities();
    let mut unable = Vec::new();
    let mut scenarios: Vec<Arc<Scenario>> = Vec::new();
    for scenario in plan.scenarios.iter().cloned().map(Arc::new) {
        let lacks: Vec<Capability> =
            scenario.needs().into_iter().filter(|need| !able.contains(need)).collect();
        if lacks.is_empty() {
            scenarios.push(scenario);
        } else {
            let names: Vec<&str> = lacks.iter().map(|it| it.name()).collect();
            let why = lacks.iter().find_map(|it| factory.lacks(*it));
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            let reason = format!("a {} world has no {}{why}", plan.world, names.join(", no "));
            unable.push((job(0, Role::Scenario { turn: 1 }, scenario, plan), reason));
        }
    }
    let (faultless, others): (Vec<_>, Vec<_>) =
        scenarios.into_iter().partition(|scenario| is_control(scenario));
    let mut provided: Vec<Key> = faultless.iter().map(|scenario| Key::of(scenario)).collect();
    let mut controls = Vec::new();
    for scenario in others.iter().filter(|scenario| needs_control(scenario)) {
        let key = Key::of(scenario);
        if !provided.contains(&key) {
            provided.push(key);
            controls.push((Role::Control, Arc::new(control_for(scenario))));
        }
    }
    // Those that can begin with an install come while one stands.
    let (later, own): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|scenario| beginning(scenario) == Beginning::Installed);
    let others: Vec<_> = later.into_iter().chain(own).collect();
    let turns = |list: &[Arc<Scenario>]| -> Vec<(Role, Arc<Scenario>)> {
        let turn =
            |turn: u32| list.iter().map(move |scenario| (Role::Scenario { turn }, Arc::clone(scenario)));
        (1..=plan.repeat.max(1)).flat_map(turn).collect()
    };
    let all = turns(&faultless).into_iter().chain(controls).chain(turns(&others));
    let jobs = all.enumerate().map(|(id, (role, scenario))| job(id, role, scenario, plan)).collect();
    Schedule { jobs, unable }
}

/// What a scenario can begin with: one in which nothing is different until all is healthy needs no install of its own.
pub(super) fn beginning(scenario: &Scenario) -> Beginning {
    let late = |milestone| milestone == Some(Milestone::FullyHealthy);
    let faults = !scenario.faults.is_empty() && scenario.faults.iter().all(|fault| late(fault.at));
    let acts = scenario.acts.iter().all(|act| late(Some(act.at)));
    if scenario.needs().contains(&Capability::Host) {
        Beginning::Machine
    } else if faults && acts && scenario.bootstrap == Bootstrap::default() {
        Beginning::Installed
    } else {
        Beginning::Empty
    }
}

fn job(id: usize, role: Role, scenario: Arc<Scenario>, plan: &Plan) -> Job {
    let (part, turn) = match role {
        Role::Scenario { turn: 1 } => (scenario.name.clone(), 1),
        Role::Scenario { turn } => (format!("{}.{turn}", scenario.name), turn),
        Role::Control => (scenario.name.clone(), 1),
    };
    let directory = plan.report.join(part);
    let seed = plan.seed.wrapping_add(u64::from(turn - 1));
    Job { id, role, scenario, directory, seed, stop: Stop::default() }
}
