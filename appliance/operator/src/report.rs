//! What the command says: data and progress on standard output, trouble on standard error.

use std::error::Error;
use std::io::Write;

use crate::failure::{Failure, Layer};

/// Phase markers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Phase {
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

/// Something that does not stop the command.
pub(crate) fn warning(text: &str) {
    line(&format!("Warning: {text}"));
}

/// Why the command ends, each cause told once.
pub(crate) fn failure(failure: &Failure) {
    let mut text = String::new();
    if failure.layer == Layer::Usage {
        text.push_str(&format_error(failure));
    } else {
        text.push_str(&format!("Failed at {} ({})", failure.operation, failure.layer.as_str()));
        let causes = causes(failure);
        if !causes.is_empty() {
            text.push_str(&format!("\n  Cause: {causes}"));
        }
        text.push_str(&format!("\n  Failure layer: {}", failure.layer.as_str()));
    }
    if !failure.remedy.is_empty() {
        text.push_str(&format!("\n  Next: {}", failure.remedy));
    }
    let _ = writeln!(std::io::stderr().lock(), "{text}");
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
