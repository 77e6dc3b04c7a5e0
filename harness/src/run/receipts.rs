//! Asks the world for receipts as the run goes on.

use super::watch::Landed;
use crate::fault::FaultUse;
use crate::scenario::Scenario;
use crate::timeline::{Journal, ReceiptNote, What};
use crate::world::World;

/// Which faults have been seen to happen.
pub(super) struct Receipts<'s> {
    scenario: &'s Scenario,
    landed: Vec<bool>,
}

impl<'s> Receipts<'s> {
    pub(super) fn new(scenario: &'s Scenario) -> Self {
        Self { scenario, landed: vec![false; scenario.faults.len()] }
    }

    pub(super) async fn update(&mut self, world: &dyn World, journal: &Journal) -> Landed {
        for (index, fault) in self.scenario.faults.iter().enumerate() {
            if !self.landed[index] {
                self.landed[index] = note(world, journal, index, fault).await;
            }
        }
        // What another fault masks cannot have happened yet.
        let due = self.landed.iter().zip(&self.scenario.faults);
        let mut due = due.filter(|(_, fault)| !self.scenario.is_masked(fault));
        if due.all(|(landed, _)| *landed) { Landed::All } else { Landed::NotAll }
    }

    /// How often everything happened in the end.
    pub(super) async fn last(&self, world: &dyn World, journal: &Journal) {
        for (index, fault) in self.scenario.faults.iter().enumerate() {
            note(world, journal, index, fault).await;
        }
    }
}

async fn note(world: &dyn World, journal: &Journal, index: usize, fault: &FaultUse) -> bool {
    let receipt = world.receipt(fault).await;
    if !receipt.landed() {
        return false;
    }
    let fault = fault.to_string();
    let (count, first, evidence) = (receipt.count, receipt.first, receipt.evidence);
    journal.note(What::Receipt(ReceiptNote { index, fault, count, first, evidence }));
    true
}
