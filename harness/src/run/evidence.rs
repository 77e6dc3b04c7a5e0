//! What is kept of a run that did not pass.

use std::path::Path;

use super::play::chain;
use crate::timeline::{Timeline, What};
use crate::world::{Concealed, World, WorldError};

/// Collects what helps to understand a failure; what could not be had is a remark.
pub(super) async fn collect(
    world: &dyn World,
    directory: &Path,
    timeline: Option<&Timeline>,
) -> Option<String> {
    let directory = directory.join("evidence");
    let collected = async {
        std::fs::create_dir_all(&directory)?;
        if let Some(timeline) = timeline {
            std::fs::write(directory.join("operator.log"), operator_log(timeline))?;
            std::fs::write(directory.join("status.json"), last_status(timeline))?;
        }
        // Half of it is as secret as the whole.
        let written = world.evidence(&directory).await;
        conceal(&world.secrets().await, &directory)?;
        written
    };
    collected.await.err().map(|error| format!("evidence is not complete: {}", chain(&*error)))
}

/// Objects and logs may quote what nobody may read.
fn conceal(secrets: &Concealed, directory: &Path) -> Result<(), WorldError> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        // Logs hold whatever programs print.
        let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
        if secrets.is_in(&text) {
            std::fs::write(&path, secrets.mask(&text))?;
        }
    }
    Ok(())
}

fn operator_log(timeline: &Timeline) -> String {
    let mut log = String::new();
    for event in &timeline.events {
        if let What::Operator { text, .. } = &event.what {
            log.push_str(&crate::timeline::offset(timeline.start(), event.at));
            log.push('\t');
            log.push_str(text);
            log.push('\n');
        }
    }
    log
}

fn last_status(timeline: &Timeline) -> String {
    let last = timeline.events.iter().rev().find_map(|event| match &event.what {
        What::Status { document, .. } => Some(document),
        _ => None,
    });
    last.map(|document| format!("{document:#}\n")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_in_a_log_that_is_no_text_throughout() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("pod-logs.txt");
        std::fs::write(&log, b"\xff\xfe signed in with hunter2hunter2\n").unwrap();
        conceal(&Concealed::new(["hunter2hunter2".to_owned()]), directory.path()).unwrap();
        let kept = std::fs::read_to_string(&log).unwrap();
        assert!(kept.ends_with("signed in with [secret]\n"), "{kept}");
    }
}
