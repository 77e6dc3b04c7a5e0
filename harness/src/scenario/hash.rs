//! By what two runs know that they are of the same scenario.

use sha2::{Digest as _, Sha256};

use super::model::Scenario;

/// SHA-256 of the scenario's file: the same in every world in which the same file was played. Nothing where it cannot be read.
pub fn file_hash(scenario: &Scenario) -> Option<String> {
    std::fs::read(&scenario.path).ok().map(|bytes| hash(&bytes))
}

/// SHA-256 of what a scenario expects, however its file is laid out.
pub fn expectation_hash(scenario: &Scenario) -> String {
    hash(format!("{:?} {:?}", scenario.expect, scenario.recovers).as_bytes())
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
