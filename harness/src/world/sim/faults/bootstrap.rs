//! Causes in what the bootstrap job is given.

use std::rc::Rc;

use async_trait::async_trait;
use serde_json::json;

use super::{Cause, Ground, Set, Sighting, Start, failed, site, unsupported};
use crate::fault::FaultUse;

/// A seed directory that no image has.
const NO_SEEDS: &str = "/app/server/seeds/retired";

pub(super) fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    match fault.name() {
        "bootstrap.seed-missing" => {
            site::set(&ground.configuration, "alga-core", &["setup", "seedDirectory"], json!(NO_SEEDS))
                .map_err(|source| failed(fault.name(), source))?;
            Ok(Rc::new(SeedMissing))
        }
        other => Err(unsupported(other)),
    }
}

/// The seeds are not where they are said to be.
struct SeedMissing;

#[async_trait(?Send)]
impl Cause for SeedMissing {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let told = |start: &&Start| start.variable("SEED_DIRECTORY") == Some(NO_SEEDS);
        let starts = ground.starts.of("bootstrap");
        let how = format!("with SEED_DIRECTORY={NO_SEEDS}");
        starts.iter().filter(told).map(|start| Sighting::of(start, &how)).collect()
    }
}
