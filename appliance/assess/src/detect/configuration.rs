//! What pods are configured with: objects, keys, passwords.

use appliance_status_model::{BlockerCode, Component, RELEASES};
use jiff::Timestamp;

use crate::detect::{bootstrap, graces, logs};
use crate::facts::Presence;
use crate::finding::{Extent, Subject};
use crate::flux::{FluxFailure, FluxState};
use crate::view::{PodView, View, waiting};
use crate::{Detector, Finding};

pub(super) fn config_missing(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let mut found: Vec<Finding> = absent(view, detector, "redis-credentials").into_iter().collect();
    found.extend(values(view, detector));
    for (pod, container) in view.containers() {
        let Some((reason, message)) = waiting(container) else { continue };
        if reason == "CreateContainerConfigError" && names_missing_object(message) {
            let reason = format!("Container {} of {}: {message}", container.name, pod.key.name);
            found.push(of_object(detector.finding(pod.subject.clone(), reason, None), message));
        }
    }
    for pod in view.pods.iter().filter(|it| it.pod.phase == "Pending") {
        // Repeats tell a missing object from a kubelet that has not fetched it yet.
        let missing = view.events_of(pod.pod).iter().rfind(|event| {
            event.reason == "FailedMount" && event.count > 1 && names_missing_object(&event.message)
        });
        if let Some(event) = missing {
            let reason = format!("Pod {}: {}", pod.key.name, event.message);
            let finding = detector.finding(pod.subject.clone(), reason, event.first);
            found.push(of_object(finding, &event.message));
        }
    }
    found
}

/// Values that a release is made from, and that are gone: seen before Flux looks for them, and as it says it.
fn values(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let finding = |release: &str, identity: String, reason: String, since: Option<Timestamp>| {
        let it = detector.finding(Subject::Release(release.to_owned()), reason, since);
        it.identified(identity).after(&graces::VALUES)
    };
    let mut found = Vec::new();
    for release in RELEASES.iter().filter(|it| view.release(it.name).is_some()) {
        let name = format!("appliance-values-{}", release.name);
        if view.is_read("configmaps in alga-system") && !view.known.values.contains_key(release.name) {
            let reason = format!(
                "ConfigMap alga-system/{name} does not exist, and release {} takes its values from it",
                release.name
            );
            found.push(finding(release.name, format!("values {}", release.name), reason, None));
        }
    }
    for (key, failure) in view.failed("HelmRelease").filter(|(_, it)| is_of_values(it)) {
        let reason = format!("HelmRelease {}: {}", key.name, failure.message);
        found.push(finding(&key.name, format!("values {}", key.name), reason, failure.since));
    }
    found
}

/// Whether a release fails over an object or a key that its values come from.
pub(super) fn is_of_values(failure: &FluxFailure) -> bool {
    failure.reason == "ValuesError" && failure.message.contains("not found")
}

/// An object that is missing is one cause, whoever wants it.
fn of_object(finding: Finding, message: &str) -> Finding {
    match missing_object(message) {
        Some(object) => finding.identified(object).reaching(Extent::Shared),
        None => finding,
    }
}

/// Kind and name of the object that a message misses, or misses a key in.
fn missing_object(message: &str) -> Option<String> {
    let named = |kind: &str, mark: &str, end: char| {
        let (_, rest) = message.split_once(mark)?;
        let name = rest.split([end, ' ', ',']).next()?;
        Some(format!("{kind} {}", name.rsplit('/').next()?))
    };
    named("secret", "secret \"", '"')
        .or_else(|| named("configmap", "configmap \"", '"'))
        .or_else(|| named("secret", " in Secret ", ' '))
        .or_else(|| named("configmap", " in ConfigMap ", ' '))
}

/// A Secret that every install makes, and that is gone. Before its release has made anything it is only to come.
fn absent(view: &View<'_>, detector: &Detector, name: &str) -> Option<Finding> {
    let component = if name == "db-credentials" { Component::Db } else { Component::Redis };
    let made =
        view.workload(component).is_some() || view.release(component.release()) == Some(&FluxState::Ready);
    if !made || view.known.secrets.get(name) != Some(&Presence::Absent) {
        return None;
    }
    let reason = format!("Secret msp/{name} does not exist: secret \"{name}\" not found");
    let finding = detector.finding(Subject::Component(component), reason, None).after(&graces::LOOKED_FOR);
    Some(finding.identified(format!("secret {name}")).reaching(Extent::Shared))
}

pub(super) fn names_missing_object(message: &str) -> bool {
    let object = message.contains("configmap \"") || message.contains("secret \"");
    (object && message.contains("not found"))
        || message.contains("couldn't find key")
        || message.contains("references non-existent config key")
        || message.contains("references non-existent secret key")
}

/// Lines that say a password is wrong.
const REFUSED: &[&str] = &[
    "password authentication failed",
    "no password supplied",
    "SASL authentication failed",
    "PostgreSQL authentication failed for",
];

pub(super) fn credentials(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    // One cause with the refusals to make it anew, and with the passwords that no longer fit.
    let gone = absent(view, detector, "db-credentials").map(|it| it.identified(""));
    let mut found: Vec<Finding> = gone.into_iter().collect();
    for (key, failure) in view.failed("HelmRelease") {
        if let Some(at) = failure.message.find("Refusing to generate ") {
            let reason = failure.message[at..].to_owned();
            found.push(detector.finding(Subject::Release(key.name.clone()), reason, failure.since));
        }
    }
    for (pod, container) in view.containers() {
        if !logs::is_in_trouble(view, pod, container) || is_database(pod) {
            continue;
        }
        let lines = view.log(pod.key, &container.name).map(|log| log.lines.as_slice()).unwrap_or_default();
        if let Some(line) = last_word(lines) {
            let reason = format!("Container {} of {}: {line}", container.name, pod.key.name);
            found.push(refused(detector, pod, reason));
        }
    }
    found.extend(locked_out(view, detector));
    let said = bootstrap::removed_with(view);
    if let Some(line) = said.filter(|line| REFUSED.iter().any(|signal| line.contains(signal))) {
        found.push(detector.finding(Subject::Bootstrap, line, None));
    }
    found
}

/// An application that waits for a database which is set up, and does not let it in.
fn locked_out(view: &View<'_>, detector: &Detector) -> Option<Finding> {
    let (pod, container) = view.waits_in_vain()?;
    // Before there was a role it was refused, too: only what it says now counts.
    let line = view.log(pod.key, &container.name)?.lines.iter().rfind(|line| !line.trim().is_empty())?;
    if !REFUSED.iter().any(|signal| line.contains(signal)) {
        return None;
    }
    let reason = format!("Container {} of {}: {line}", container.name, pod.key.name);
    Some(refused(detector, pod, reason).after(&graces::WAITS_ON))
}

/// A program keeps the password that it was started with.
fn refused(detector: &Detector, pod: &PodView<'_>, reason: String) -> Finding {
    let sentence = detector.next_action.trim_end_matches('.');
    let advice = format!("{sentence}; then restart the pods that were started with the other one.");
    detector.finding(pod.subject.clone(), reason, None).advise(advice)
}

/// The database says whom it refused, which may have been anybody; who was refused says so itself.
fn is_database(pod: &PodView<'_>) -> bool {
    pod.subject == Subject::Component(Component::Db)
}

/// The last refusal, unless the program got in after it.
fn last_word(lines: &[String]) -> Option<&String> {
    let at = lines.iter().rposition(|line| REFUSED.iter().any(|signal| line.contains(signal)))?;
    let admitted = lines[at..].iter().any(|line| line.contains("connected to database"));
    (!admitted).then(|| &lines[at])
}

/// Whether a code names a cause that all components share, so that it is told once.
#[must_use]
pub fn is_shared(code: BlockerCode) -> bool {
    matches!(code, BlockerCode::Dns | BlockerCode::Credentials | BlockerCode::Node | BlockerCode::Kubernetes)
}

/// Which of two components is told first where both have the same cause.
pub(crate) fn importance(subject: &Subject) -> usize {
    let order =
        [Component::Db, Component::Redis, Component::AlgaCore, Component::Pgbouncer, Component::Temporal];
    match subject {
        Subject::Platform(_) => 0,
        Subject::Kustomization(_) => 1,
        Subject::Component(component) => {
            2 + order.iter().position(|it| it == component).unwrap_or(order.len())
        }
        Subject::Bootstrap => 5,
        Subject::Release(_) => 20,
        Subject::Other(_) => 30,
    }
}

#[cfg(test)]
mod tests {
    use appliance_status_model::{BlockerCode, Component, RollupState};

    use super::missing_object;
    use crate::facts::{Knowledge, LogExcerpt, ObjectKey, Presence, Truth};
    use crate::samples::{
        break_component, codes, container, flux, healthy, look, look_after, put_release, running, waiting,
    };

    fn without(name: &str) -> Knowledge {
        let mut known = healthy();
        known.secrets.insert(name.into(), Presence::Absent);
        known
    }

    #[test]
    fn a_secret_that_somebody_deleted_is_told_although_the_app_still_answers() {
        let known = without("redis-credentials");
        assert!(look(&known).top_blockers.is_empty());
        let document = look_after(&known, 20);
        assert_eq!(codes(&document), [(BlockerCode::ConfigMissing, "redis")]);
        assert_eq!(document.status, RollupState::FailedActionRequired);
        assert_eq!(document.next_action, "Restore the named object and key.");
        assert!(document.top_blockers[0].reason.contains("msp/redis-credentials"));
    }

    #[test]
    fn the_secret_of_the_database_is_credentials_and_so_is_what_misses_it() {
        let mut known = without("db-credentials");
        for component in [Component::Pgbouncer, Component::AlgaCore] {
            let state = waiting("CreateContainerConfigError", "secret \"db-credentials\" not found");
            break_component(&mut known, component, container("main", "img:1", state));
        }
        let refused = "Refusing to generate db-credentials because PVC msp/x already exists";
        put_release(&mut known, flux("alga-core").with("Ready", Truth::False, "UpgradeFailed", refused));
        let document = look_after(&known, 20);
        assert_eq!(codes(&document), [(BlockerCode::Credentials, "db")]);
        assert!(document.next_action.starts_with("Restore the db-credentials Secret"));
    }

    #[test]
    fn a_secret_that_is_not_made_yet_or_cannot_be_asked_for_is_no_fault() {
        let mut known = without("redis-credentials");
        known.workloads.remove(&(Component::Redis.kind(), ObjectKey::new("msp", "redis")));
        let text = "Running 'install' action with timeout of 30m0s";
        put_release(&mut known, flux("alga-core").with("Ready", Truth::Unknown, "Progressing", text));
        assert!(look_after(&known, 3600).top_blockers.is_empty());
        let mut known = healthy();
        known.secrets.insert("redis-credentials".into(), Presence::Unknown("403".into()));
        assert!(look_after(&known, 3600).top_blockers.is_empty());
    }

    #[test]
    fn an_application_that_is_not_let_in_is_told_although_nothing_has_ended() {
        let mut known = healthy();
        let mut wait = container("wait-for-bootstrap", "img:1", running());
        (wait.init, wait.ready) = (true, false);
        break_component(&mut known, Component::AlgaCore, wait);
        assert!(look(&known).top_blockers.is_empty());
        assert_eq!(codes(&look_after(&known, 30)), [(BlockerCode::Workload, "alga-core")]);
        let line = "the application database is not ready: FATAL:  password authentication failed for user \"app_user\"";
        let key = (ObjectKey::new("msp", "alga-core-sebastian-0"), "wait-for-bootstrap".to_owned());
        known.logs.insert(key, LogExcerpt { lines: vec![line.into()], ..LogExcerpt::default() });
        assert_eq!(codes(&look_after(&known, 30)), [(BlockerCode::Credentials, "alga-core")]);
        let later = "Waiting for the bootstrap job: the application database is not ready".to_owned();
        known.logs.values_mut().for_each(|log| log.lines.push(later.clone()));
        assert_eq!(codes(&look_after(&known, 30)), [(BlockerCode::Workload, "alga-core")]);
        known.logs.values_mut().for_each(|log| log.lines.truncate(1));
        known.bootstrap_result = None;
        assert!(look_after(&known, 3600).top_blockers.iter().all(|it| it.code != BlockerCode::Credentials));
    }

    #[test]
    fn one_object_is_one_blocker_whoever_misses_it() {
        let mut known = without("redis-credentials");
        for component in [Component::AlgaCore, Component::EmailService] {
            let state = waiting("CreateContainerConfigError", "secret \"redis-credentials\" not found");
            break_component(&mut known, component, container("main", "img:1", state));
        }
        let document = look_after(&known, 20);
        assert_eq!(codes(&document), [(BlockerCode::ConfigMissing, "redis")]);
        assert_eq!(document.top_blockers[0].consequences.len(), 2);
    }

    #[test]
    fn the_missing_object_is_read_from_the_message() {
        let cases = [
            ("secret \"a\" not found", Some("secret a")),
            ("MountVolume.SetUp failed for volume \"v\" : configmap \"b\" not found", Some("configmap b")),
            ("couldn't find key K in Secret msp/c", Some("secret c")),
            ("references non-existent config key: K", None),
        ];
        for (message, object) in cases {
            assert_eq!(missing_object(message).as_deref(), object, "{message}");
        }
    }
}
