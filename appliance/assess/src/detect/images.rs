//! Pulls that failed.

use appliance_status_model::BlockerCode;

use crate::detect::graces;
use crate::detect::signals::{PullTrouble, RegistryAnswer, classify_pull, dns_part, registry_trouble};
use crate::facts::ContainerFact;
use crate::finding::{Extent, Subject};
use crate::view::{PULL_REASONS, PodView, View, waiting};
use crate::{Detector, Finding};

/// A pull that failed.
struct FailedPull<'a, 'v> {
    pod: &'v PodView<'a>,
    container: &'a ContainerFact,
    text: String,
    trouble: PullTrouble,
}

/// Every pull that stands failed at this moment.
fn failed_pulls<'a, 'v>(view: &'v View<'a>) -> impl Iterator<Item = FailedPull<'a, 'v>> {
    view.containers().filter_map(move |(pod, container)| {
        let (reason, message) = waiting(container)?;
        let text = match reason {
            "ContainerCreating" | "PodInitializing" => ahead_of_status(view, pod, container)?,
            reason if PULL_REASONS.contains(&reason) => cause_of(view, pod, container, message),
            _ => return None,
        };
        let trouble = match reason {
            "InvalidImageName" | "ErrImageNeverPull" => PullTrouble::NotFound,
            _ => classify_pull(&text),
        };
        let trouble = match trouble {
            PullTrouble::Interrupted if was_not_found(view, pod, container) => PullTrouble::NotFound,
            other => other,
        };
        Some(FailedPull { pod, container, text, trouble })
    })
}

/// The status lags the event by a sync of the kubelet: until then the event is all there is.
fn ahead_of_status(view: &View<'_>, pod: &PodView<'_>, container: &ContainerFact) -> Option<String> {
    let image = format!("\"{}\"", container.image);
    let mut pulls = view.events_of(pod.pod).iter().rev();
    let last = pulls.find(|it| it.message.contains(&image) && it.message.contains("ull"))?;
    last.message.starts_with("Failed to pull image").then(|| last.message.clone())
}

/// The status says the cause since 1.34; before, the newest event does.
fn cause_of(view: &View<'_>, pod: &PodView<'_>, container: &ContainerFact, message: &str) -> String {
    let bare = message.is_empty()
        || (message.starts_with("Back-off pulling image") && !message.contains("ErrImagePull"));
    if !bare {
        return message.to_owned();
    }
    pull_events(view, pod, container).last().map_or_else(|| message.to_owned(), ToOwned::to_owned)
}

fn pull_events<'a>(
    view: &View<'a>,
    pod: &PodView<'a>,
    container: &ContainerFact,
) -> impl Iterator<Item = &'a str> {
    let head = format!("Failed to pull image \"{}\"", container.image);
    view.events_of(pod.pod).iter().map(|it| it.message.as_str()).filter(move |it| it.starts_with(&head))
}

/// An interruption does not unsay that the registry had answered "not found".
fn was_not_found(view: &View<'_>, pod: &PodView<'_>, container: &ContainerFact) -> bool {
    pull_events(view, pod, container).any(|text| classify_pull(text) == PullTrouble::NotFound)
}

pub(super) fn not_found(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    failed_pulls(view)
        .filter(|pull| pull.trouble == PullTrouble::NotFound)
        .map(|pull| {
            let subject = pull.pod.subject.clone();
            let advice = view.with_reconcile(detector.next_action, &subject);
            let reason = format!("Image tag not found: {}", pull.container.image);
            detector.finding(subject, reason, None).advise(advice).identified(&pull.container.image)
        })
        .collect()
}

pub(super) fn registry(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let pulls = failed_pulls(view).filter_map(|pull| match pull.trouble {
        PullTrouble::Registry(answer) => Some((pull, answer)),
        _ => None,
    });
    let of_pods = pulls.map(|(pull, answer)| {
        let subject = pull.pod.subject.clone();
        let image = &pull.container.image;
        let reason = format!("{} {image}: {}", headline(answer), last_clause(&pull.text));
        let advice = view.with_reconcile(advice(answer), &subject);
        let finding = detector.finding(subject, reason, None).advise(advice);
        told_by(finding, answer, image)
    });
    of_pods.chain(of_flux(view, detector)).collect()
}

/// The registry also holds charts and the source artifact.
fn of_flux(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let mut found = Vec::new();
    for kind in ["OCIRepository", "HelmRelease"] {
        for (key, failure) in view.failed(kind) {
            let Some(answer) = registry_trouble(&failure.message) else { continue };
            let subject = match kind {
                "HelmRelease" => Subject::Release(key.name.clone()),
                _ => Subject::Platform("source".into()),
            };
            let clause = failure.message.rfind(": G").or_else(|| failure.message.rfind(": g"));
            let clause = clause.map_or(failure.message.as_str(), |at| &failure.message[at + 2..]);
            let reason = format!("{} {kind} {}: {clause}", headline(answer), key.name);
            let finding = detector
                .finding(subject, reason, failure.since)
                .advise(advice(answer))
                .after(&graces::ARTIFACT);
            found.push(told_by(finding, answer, &key.name));
        }
    }
    found
}

/// A registry that is down is down for everybody; one that denies, denies an image.
fn told_by(finding: Finding, answer: RegistryAnswer, subject: &str) -> Finding {
    match answer {
        RegistryAnswer::RateLimited
        | RegistryAnswer::ServerError
        | RegistryAnswer::Untrusted
        | RegistryAnswer::Unreachable => finding.identified(format!("{answer:?}")).reaching(Extent::Shared),
        _ => finding.identified(subject),
    }
}

pub(super) fn interrupted(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    failed_pulls(view)
        .filter(|pull| pull.trouble == PullTrouble::Interrupted)
        .map(|pull| {
            let image = &pull.container.image;
            let reason = format!("Pull of {image} was interrupted: {}", last_clause(&pull.text));
            detector.finding(pull.pod.subject.clone(), reason, None).identified(image)
        })
        .collect()
}

/// Pulls that failed because a name could not be resolved.
pub(super) fn unresolved(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    failed_pulls(view)
        .filter(|pull| pull.trouble == PullTrouble::Dns)
        .map(|pull| {
            let image = &pull.container.image;
            let reason = format!("Image {image} cannot be pulled: {}", dns_part(&pull.text));
            detector.finding(pull.pod.subject.clone(), reason, None)
        })
        .collect()
}

/// Why a pull failed, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullCause {
    /// What happened.
    pub reason: String,
    /// What helps.
    pub next_action: &'static str,
}

/// Reads the text of a pull that failed outside of a cluster's sight, as that of a machine that is about to be one. Nothing
/// where the text tells of an interruption, which is no cause.
#[must_use]
pub fn explain_pull(text: &str) -> Option<PullCause> {
    let advice_of = |code| crate::DETECTORS.iter().find(|it| it.code == code).map_or("", |it| it.next_action);
    let (reason, next_action) = match classify_pull(text) {
        PullTrouble::Dns => {
            let part = dns_part(text);
            // What the runtime adds for its own log.
            let part = part.split(" host=").next().unwrap_or(part);
            (
                format!("An image cannot be pulled: {}", part.trim_end_matches('"')),
                advice_of(BlockerCode::Dns),
            )
        }
        PullTrouble::NotFound => {
            (format!("Image tag not found: {}", last_clause(text)), advice_of(BlockerCode::ImageNotFound))
        }
        PullTrouble::Registry(answer) => {
            (format!("{} an image: {}", headline(answer), last_clause(text)), advice(answer))
        }
        PullTrouble::Interrupted => return None,
    };
    Some(PullCause { reason, next_action })
}

fn headline(answer: RegistryAnswer) -> &'static str {
    match answer {
        RegistryAnswer::Denied => "The registry refuses",
        RegistryAnswer::RateLimited => "The registry limits pulls of",
        RegistryAnswer::ServerError => "The registry fails to serve",
        RegistryAnswer::BadDigest => "The registry served wrong bytes for",
        RegistryAnswer::Untrusted => "The registry's certificate is not trusted for",
        RegistryAnswer::Unreachable => "The registry cannot be reached for",
        RegistryAnswer::Other => "The registry did not serve",
    }
}

fn advice(answer: RegistryAnswer) -> &'static str {
    match answer {
        RegistryAnswer::Denied => "Grant this site access to the image's repository, then restart the pod.",
        RegistryAnswer::RateLimited => {
            "Wait until the registry's rate limit is over, or pull with an account."
        }
        RegistryAnswer::ServerError => "Wait for the registry to recover; pulls are retried automatically.",
        RegistryAnswer::BadDigest => "Publish the image again; its content does not match its digest.",
        RegistryAnswer::Untrusted => {
            "Make the node trust the registry's certificate, or correct the address that its name resolves to, then restart the pod."
        }
        RegistryAnswer::Unreachable | RegistryAnswer::Other => {
            "Make the registry reachable from the node (firewall, proxy, routing, the address that its name resolves to); pulls are retried automatically."
        }
    }
}

/// What the last wrapping says.
fn last_clause(text: &str) -> &str {
    ["failed to do request: ", "failed to resolve reference \""]
        .iter()
        .find_map(|mark| text.rfind(mark).map(|at| &text[at..]))
        .or_else(|| text.rfind("\": ").map(|at| &text[at + 3..]))
        .unwrap_or(text)
}
