//! What is kept of a run that did not pass.

use std::path::Path;

use super::play::chain;
use crate::timeline::{Timeline, What};
use crate::world::World;

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
        world.evidence(&directory).await
    };
    collected.await.err().map(|error| format!("evidence is not complete: {}", chain(&*error)))
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
