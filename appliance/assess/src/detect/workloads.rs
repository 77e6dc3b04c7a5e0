//! Workloads that do not come up, where nothing more exact is known.

use appliance_status_model::{Component, ComponentTier, WorkloadKind};

use crate::detect::{absent, configuration::names_missing_object, graces, services, volumes::is_of_subpath};
use crate::facts::{ContainerFact, ContainerState, ObjectKey, Termination, WorkloadFact, condition};
use crate::finding::Subject;
use crate::view::{ASLEEP, PodView, View, waiting};
use crate::{Detector, Finding};

pub(super) fn core(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let mut found = troubles(view, detector, |tier| tier != ComponentTier::Background);
    found.extend(platform(view, detector));
    found.extend(absent::platform(view, detector));
    found.extend(absent::controllers(view, detector));
    found
}

/// What the appliance stands on: storage, Flux, the status page.
fn platform(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for (pod, container) in view.containers() {
        let Subject::Platform(name) = &pod.subject else { continue };
        let key = ObjectKey::new(pod.key.namespace.as_str(), name.as_str());
        let workload = view.known.workloads.get(&(WorkloadKind::Deployment, key));
        if workload.is_none_or(WorkloadFact::is_ready) || found.iter().any(|it| it.subject == pod.subject) {
            continue;
        }
        let crash = crash(view, detector, pod, container);
        found.extend(crash.or_else(|| unready(view, detector, pod, container)));
    }
    found
}

pub(super) fn background(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    troubles(view, detector, |tier| tier == ComponentTier::Background)
}

/// A container that is ready by its probe and says that it does nothing any more.
fn asleep(
    view: &View<'_>,
    detector: &Detector,
    pod: &PodView<'_>,
    container: &ContainerFact,
) -> Option<Finding> {
    let log = view.log(pod.key, &container.name).filter(|it| it.run == container.restarts)?;
    let line = log.lines.iter().rfind(|line| line.contains(ASLEEP)).filter(|_| container.ready)?;
    let reason = format!(
        "Container {} of {} is ready and does nothing: {}",
        container.name,
        pod.key.name,
        line.trim()
    );
    let advice = format!(
        "{}, repair what failed before it fell asleep, then restart the workload.",
        detector.next_action.trim_end_matches('.')
    );
    Some(detector.finding(pod.subject.clone(), reason, None).advise(advice).after(&graces::ASLEEP))
}

fn troubles(view: &View<'_>, detector: &Detector, of: fn(ComponentTier) -> bool) -> Vec<Finding> {
    let mut found = Vec::new();
    for component in Component::ALL.into_iter().filter(|it| of(it.tier()) && !view.is_ready(*it)) {
        let own = || view.containers().filter(|(pod, _)| pod.subject == Subject::Component(component));
        let finding = own()
            .find_map(|(pod, container)| crash(view, detector, pod, container))
            .or_else(|| own().find_map(|(pod, container)| asleep(view, detector, pod, container)))
            .or_else(|| own().find_map(|(pod, container)| unready(view, detector, pod, container)))
            .or_else(|| waits_on(view, detector, component))
            .or_else(|| absent::component(view, detector, component));
        found.extend(finding);
    }
    found.extend(services::astray(view, detector, of));
    found
}

/// A container that ends again and again.
fn crash(
    view: &View<'_>,
    detector: &Detector,
    pod: &PodView<'_>,
    container: &ContainerFact,
) -> Option<Finding> {
    let state = waiting(container).map(|(reason, _)| reason);
    let broken_start =
        matches!(state, Some("RunContainerError" | "CreateContainerError")) || misconfigured(container);
    let loops = state == Some("CrashLoopBackOff") || (container.restarts >= 2 && !container.ready);
    if !broken_start && !loops {
        return None;
    }
    let grace = if ended_thrice(container) { &graces::CRASHES_ON } else { &graces::CRASH };
    let log = view.log(pod.key, &container.name);
    let last_line = log.and_then(|it| it.lines.iter().rfind(|line| !line.trim().is_empty()));
    let name = format!("Container {} of {}", container.name, pod.key.name);
    let reason = match (container.last_end(), waiting(container)) {
        (_, Some((_, message))) if misconfigured(container) => format!("{name} cannot start: {message}"),
        (Some(end), _) => format!("{name} ended with {}", ending(end, last_line)),
        (None, Some((_, message))) => format!("{name} cannot start: {message}"),
        (None, None) => format!("{name} has restarted {} times", container.restarts),
    };
    let out_of_memory = container.last_end().is_some_and(|end| end.reason == "OOMKilled");
    let advice = if out_of_memory {
        "Inspect the named container's log, and raise its memory limit or give the node more memory."
    } else {
        detector.next_action
    };
    let advice = view.with_reconcile(advice, &pod.subject);
    Some(detector.finding(pod.subject.clone(), reason, None).advise(advice).after(grace))
}

/// Whether a container has ended three times within the kubelet's memory: it waits, and not for the first time.
fn ended_thrice(container: &ContainerFact) -> bool {
    waiting(container).is_some_and(|(reason, message)| {
        reason == "CrashLoopBackOff" && container.restarts >= 2 && !message.contains(FIRST_BACK_OFF)
    })
}

/// What the kubelet says when it waits for the first time: after the second end, since the first restart comes at once.
const FIRST_BACK_OFF: &str = "back-off 10s ";

/// A container that is configured as it cannot run, where no missing object or volume is to blame.
fn misconfigured(container: &ContainerFact) -> bool {
    waiting(container).is_some_and(|(reason, message)| {
        reason == "CreateContainerConfigError" && !names_missing_object(message) && !is_of_subpath(message)
    })
}

fn ending(end: &Termination, last_line: Option<&String>) -> String {
    let why = match end.reason.as_str() {
        "" | "Error" => String::new(),
        reason => format!(" ({reason})"),
    };
    let words = last_line.map(|line| line.trim()).or(Some(end.message.trim()).filter(|it| !it.is_empty()));
    let words = words.map(|line| format!(": {line}")).unwrap_or_default();
    format!("exit code {}{why}{words}", end.exit_code)
}

/// An application that goes on waiting for what is long done.
fn waits_on(view: &View<'_>, detector: &Detector, component: Component) -> Option<Finding> {
    let (pod, container) = view.waits_in_vain().filter(|_| component == Component::AlgaCore)?;
    let said = view.log(pod.key, &container.name).and_then(|it| it.lines.last());
    let said = said.map(|line| format!("; it said last: {}", line.trim())).unwrap_or_default();
    let reason = format!(
        "Container {} of {} waits although bootstrap has finished{said}",
        container.name, pod.key.name
    );
    Some(detector.finding(pod.subject.clone(), reason, None).after(&graces::WAITS_ON))
}

/// Whether something that the component needs is not ready either.
fn waits_for_another(view: &View<'_>, pod: &PodView<'_>) -> bool {
    let component = pod.subject.component();
    component
        .is_some_and(|it| Component::ALL.into_iter().any(|need| it.depends_on(need) && !view.is_ready(need)))
}

/// A container that runs and does not get ready.
fn unready(
    view: &View<'_>,
    detector: &Detector,
    pod: &PodView<'_>,
    container: &ContainerFact,
) -> Option<Finding> {
    if container.init || container.ready {
        return None;
    }
    let ContainerState::Running { since } = container.state else { return None };
    let given_up = pod.subject.release().and_then(|it| view.release_failure(it.name)).is_some();
    let events = view.events_of(pod.pod);
    let probe = events.iter().rfind(|it| it.reason == "Unhealthy").map(|it| it.message.as_str());
    let probe = probe.map(|it| format!(": {it}")).unwrap_or_default();
    let log = view.log(pod.key, &container.name).filter(|it| it.run == container.restarts);
    let said = log.and_then(|it| it.lines.iter().rfind(|line| !line.trim().is_empty()));
    let said = said.map(|line| format!("; it said last: {}", line.trim())).unwrap_or_default();
    let reason =
        format!("Container {} of {} runs and is not ready{probe}{said}", container.name, pod.key.name);
    // Readiness that was lost counts from its loss.
    let lost = condition(&pod.pod.conditions, "Ready")
        .and_then(|it| it.since)
        .filter(|it| since.is_none_or(|run| *it > run));
    let grace = match (given_up, lost) {
        (true, _) => &graces::GIVEN_UP,
        (false, _) if waits_for_another(view, pod) => &graces::WAITS,
        (false, Some(_)) => &graces::LOST_READINESS,
        (false, None) => &graces::STARTING,
    };
    Some(detector.finding(pod.subject.clone(), reason, since.max(lost)).after(grace))
}

#[cfg(test)]
mod tests {
    use appliance_status_model::{BlockerCode, Component};

    use crate::facts::ContainerFact;
    use crate::samples::{break_component, codes, ended, healthy, look_after, waiting};

    fn crashed(restarts: i32, said: &str) -> ContainerFact {
        ContainerFact { state: waiting("CrashLoopBackOff", said), ..ended(1, restarts, "Error") }
    }

    #[test]
    fn the_third_end_is_told_sooner_than_the_second_after_which_a_program_may_still_run() {
        let of = |container: ContainerFact, seconds: i64| {
            let mut known = healthy();
            break_component(&mut known, Component::Db, container);
            codes(&look_after(&known, seconds)) == [(BlockerCode::Workload, "db")]
        };
        let second = "back-off 10s restarting failed container=db pod=db-0_msp(uid)";
        let third = "back-off 20s restarting failed container=db pod=db-0_msp(uid)";
        assert_eq!([of(crashed(1, second), 14), of(crashed(1, second), 15)], [false, true]);
        assert_eq!([of(crashed(2, third), 4), of(crashed(2, third), 5)], [false, true]);
        // One that ran well for days after two ends of long ago crashes for the second time today.
        assert_eq!([of(crashed(4, second), 14), of(crashed(4, second), 15)], [false, true]);
    }
}
