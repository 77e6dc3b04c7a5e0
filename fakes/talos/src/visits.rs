//! Who came to a machine's API, and what became of them.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use field_clock::Clock;
use jiff::Timestamp;

/// What became of somebody who connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visit {
    /// The connection was taken, and nothing was said.
    Unanswered,
    /// One of the two did not trust the other.
    Distrusted,
    /// A method was called.
    Called(String),
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unanswered => f.write_str("a connection was taken and not answered"),
            Self::Distrusted => f.write_str("a caller and the machine did not trust each other"),
            Self::Called(method) => write!(f, "{method} was called"),
        }
    }
}

/// All visits, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Visits(Mutex<Vec<(Timestamp, Visit)>>);

impl Visits {
    pub(crate) fn note(&self, clock: &Clock, visit: Visit) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((clock.now(), visit));
    }

    pub(crate) fn all(&self) -> Vec<(Timestamp, Visit)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
