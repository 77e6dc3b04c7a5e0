//! The list of faults that are in force.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One injected fault; heal it with this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultId(u64);

impl fmt::Display for FaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault-{}", self.0)
    }
}

/// How often a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Times {
    /// Until it is healed.
    #[default]
    Always,
    /// The first so many requests that it fits, and never again.
    First(u32),
}

/// Faults in the order in which they were injected.
#[derive(Debug)]
pub(crate) struct FaultBook<F> {
    last: u64,
    entries: Vec<Entry<F>>,
}

#[derive(Debug)]
struct Entry<F> {
    id: FaultId,
    fault: F,
    left: Option<u32>,
}

impl<F> Default for FaultBook<F> {
    fn default() -> Self {
        Self { last: 0, entries: Vec::new() }
    }
}

impl<F> FaultBook<F> {
    pub(crate) fn add(&mut self, fault: F, times: Times) -> FaultId {
        self.last += 1;
        let id = FaultId(self.last);
        let left = match times {
            Times::Always => None,
            Times::First(count) => Some(count),
        };
        self.entries.push(Entry { id, fault, left });
        id
    }

    pub(crate) fn remove(&mut self, id: FaultId) -> Option<F> {
        let at = self.entries.iter().position(|entry| entry.id == id)?;
        Some(self.entries.remove(at).fault)
    }

    /// The oldest fault that `pick` takes and that may still strike; this counts as one strike.
    pub(crate) fn strike<T>(&mut self, mut pick: impl FnMut(&F) -> Option<T>) -> Option<(FaultId, T)> {
        for entry in &mut self.entries {
            if entry.left == Some(0) {
                continue;
            }
            if let Some(picked) = pick(&entry.fault) {
                entry.left = entry.left.map(|left| left - 1);
                return Some((entry.id, picked));
            }
        }
        None
    }
}

impl<F: Clone> FaultBook<F> {
    pub(crate) fn list(&self) -> Vec<(FaultId, F)> {
        self.entries.iter().map(|entry| (entry.id, entry.fault.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{FaultBook, Times};

    #[test]
    fn the_oldest_fault_strikes_until_it_is_spent() {
        let mut book = FaultBook::default();
        let first = book.add("once", Times::First(1));
        let second = book.add("always", Times::Always);
        assert_eq!(book.strike(|fault| Some(*fault)), Some((first, "once")));
        assert_eq!(book.strike(|fault| Some(*fault)), Some((second, "always")));
        assert_eq!(book.remove(second), Some("always"));
        assert_eq!(book.strike(|fault| Some(*fault)), None);
    }
}
