//! Differences that are no fault of the simulation, each with its reason. Nothing else may stand here.

use super::case::Family;
use super::signal::{Class, Signal};

/// On which side a difference shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Only the recording has it.
    Recorded,
    /// Only the simulation has it.
    Simulated,
}

/// A difference that is accepted wherever it shows.
#[derive(Debug, Clone, Copy)]
pub struct Accepted {
    /// Whose recordings it is about.
    pub family: Family,
    /// The side.
    pub side: Side,
    /// The sort of signal.
    pub class: Class,
    /// What its words contain.
    pub contains: &'static str,
    /// Why it is accepted.
    pub reason: &'static str,
}

/// The list.
pub const ACCEPTED: [Accepted; 0] = [];

impl Accepted {
    fn fits(&self, family: Family, side: Side, signal: &Signal) -> bool {
        self.family == family
            && self.side == side
            && self.class == signal.class
            && signal.words.contains(self.contains)
    }
}

/// Why a difference is accepted, if it is.
pub(super) fn reason(family: Family, side: Side, signal: &Signal) -> Option<&'static str> {
    ACCEPTED.iter().find(|accepted| accepted.fits(family, side, signal)).map(|accepted| accepted.reason)
}
