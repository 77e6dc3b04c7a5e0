//! What the scheduler says.

use std::collections::BTreeMap;

use super::fit::Misfit;

/// There is no node at all.
pub(super) const NO_NODES: &str = "no nodes available to schedule pods";

/// Something is wrong before any node is looked at.
pub(super) fn before_nodes(nodes: usize, why: &str) -> String {
    format!("0/{nodes} nodes are available: {why}. not found")
}

/// No node fits.
pub(super) fn misfits(nodes: usize, misfits: &[Misfit]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in misfits.iter().flat_map(|misfit| &misfit.reasons) {
        *counts.entry(reason).or_default() += 1;
    }
    let mut reasons: Vec<String> = counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    reasons.sort();
    let hopeless = misfits.iter().filter(|misfit| misfit.is_final).count();
    let mut preemption = Vec::new();
    if hopeless < misfits.len() {
        preemption.push(format!("{} No preemption victims found for incoming pod", misfits.len() - hopeless));
    }
    if hopeless > 0 {
        preemption.push(format!("{hopeless} Preemption is not helpful for scheduling"));
    }
    format!(
        "0/{nodes} nodes are available: {}. no new claims to deallocate, preemption: 0/{nodes} nodes are available: {}.",
        reasons.join(", "),
        preemption.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::misfits;
    use crate::scheduler::fit::Misfit;

    #[test]
    fn two_shortages_read_as_recorded() {
        let reasons = vec!["Insufficient memory".to_owned(), "Insufficient cpu".to_owned()];
        assert_eq!(
            misfits(1, &[Misfit { reasons, is_final: true }]),
            "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
        );
    }
}
