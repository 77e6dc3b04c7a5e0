//! What the command says: data and progress on standard output, trouble on standard error.

use std::error::Error;
use std::io::Write;

use crate::blocker::Blocker;
use crate::failure::{Failure, Layer};

/// Phase markers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Phase {
    Talos,
    Kubernetes,
    Storage,
    Flux,
    CoreApp,
    BackgroundServices,
    Helm,
}

impl Phase {
    const fn marker(self) -> &'static str {
        match self {
            Self::Talos => "[Talos]",
            Self::Kubernetes => "[Kubernetes]",
            Self::Storage => "[Storage]",
            Self::Flux => "[Flux]",
            Self::CoreApp => "[Core App]",
            Self::BackgroundServices => "[Background Services]",
            Self::Helm => "[Helm]",
        }
    }
}

/// A line on standard output, told at once.
pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that has gone away is no reason to stop installing.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// A step of a phase.
pub(crate) fn step(phase: Phase, text: &str) {
    line(&format!("{} {text}", phase.marker()));
}

/// What stands in the way of a phase, and what helps.
pub(crate) fn blocked(phase: Phase, blocker: &Blocker) {
    let Blocker { layer, component, reason, next_action } = blocker;
    step(phase, &format!("Blocked: {layer} ({component}): {reason}"));
    step(phase, &format!("Next action: {next_action}"));
}

/// Something that does not stop the command.
pub(crate) fn warning(text: &str) {
    line(&format!("Warning: {text}"));
}

/// Why the command ends, each cause told once.
pub(crate) fn failure(failure: &Failure) {
    let _ = writeln!(std::io::stderr().lock(), "{}", words(failure));
}

fn words(failure: &Failure) -> String {
    let mut text = String::new();
    if matches!(failure.layer, Layer::Usage | Layer::Refused) {
        text.push_str(&format_error(failure));
    } else {
        let layer = failure.layer_name();
        let seen = causes(failure);
        text.push_str(&format!("Failed at {failure} ({layer})"));
        if let Some(blocker) = failure.blocker() {
            text.push_str(&format!("\n  Cause: {}: {}", blocker.component, blocker.reason));
        }
        if !seen.is_empty() {
            let title = if failure.blocker().is_some() { "Seen" } else { "Cause" };
            text.push_str(&format!("\n  {title}: {seen}"));
        }
        text.push_str(&format!("\n  Failure layer: {layer}"));
    }
    if !failure.remedy.is_empty() {
        text.push_str(&format!("\n  Next: {}", failure.remedy));
    }
    text
}

fn format_error(failure: &Failure) -> String {
    let causes = causes(failure);
    if causes.is_empty() { format!("error: {failure}") } else { format!("error: {failure}: {causes}") }
}

fn causes(failure: &Failure) -> String {
    let mut told: Vec<String> = Vec::new();
    let mut source = failure.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !told.iter().any(|it| it.contains(&text)) {
            told.push(text);
        }
        source = cause.source();
    }
    told.join(": ")
}

#[cfg(test)]
mod tests {
    use super::words;
    use crate::blocker::Blocker;
    use crate::failure::{Failure, Layer};

    fn timed_out() -> Failure {
        Failure::new(Layer::Storage, "waiting for pod/storage-smoke", "Install a provisioner.")
            .because("timed out after 300 s: the pod is Pending")
            .open()
    }

    #[test]
    fn a_cause_that_was_found_stands_in_the_place_of_the_bare_time_out() {
        let blocker = Blocker {
            layer: "Platform DNS resolution".into(),
            component: "local-path-provisioner".into(),
            reason: "lookup docker.io: connection refused".into(),
            next_action: "Configure explicit DNS servers.".into(),
        };
        let expected = "Failed at waiting for pod/storage-smoke (Platform DNS resolution)\n  \
            Cause: local-path-provisioner: lookup docker.io: connection refused\n  \
            Seen: timed out after 300 s: the pod is Pending\n  \
            Failure layer: Platform DNS resolution\n  \
            Next: Configure explicit DNS servers.";
        assert_eq!(words(&timed_out().explained_by(blocker)), expected);
    }

    #[test]
    fn a_time_out_that_nothing_explains_says_what_was_seen() {
        let expected = "Failed at waiting for pod/storage-smoke (storage)\n  \
            Cause: timed out after 300 s: the pod is Pending\n  \
            Failure layer: storage\n  \
            Next: Install a provisioner.";
        assert_eq!(words(&timed_out()), expected);
    }
}
