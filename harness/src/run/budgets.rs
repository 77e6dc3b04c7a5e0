//! How long a run waits, and for what.

use std::time::Duration;

use crate::world::Speed;

/// How long a run waits; field time unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// Unchanged for this long is settled, once it says what is expected.
    pub quiet: Duration,
    /// Unchanged for this long is settled, whatever it says. Longer than the 30 minutes after which a release gives up.
    pub patience: Duration,
    /// Silent for this long is settled: a service that does not answer is not waited for as long as one that works.
    pub silence: Duration,
    /// Longer than this no phase takes.
    pub ceiling: Duration,
    /// Longer than this on the machine's clock a run is broken.
    pub machine: Duration,
}

impl Budgets {
    /// The budgets of a real cluster, in which a second is a second (decision 10).
    pub const fn real() -> Self {
        Self {
            quiet: Duration::from_secs(10),
            // Flux looks at a source every five minutes, at a release every ten.
            patience: Duration::from_secs(660),
            silence: Duration::from_secs(300),
            ceiling: Duration::from_secs(900),
            machine: Duration::from_secs(1800),
        }
    }

    /// The budgets of a machine that may be interpreted: its install has limits of its own, up to 15 minutes for a step
    /// (CONTRACT §7), and an interpreter is ten times slower.
    pub const fn machine() -> Self {
        Self {
            // There is no status page before there is a cluster.
            silence: Duration::from_secs(3600),
            ceiling: Duration::from_secs(2 * 3600),
            machine: Duration::from_secs(4 * 3600),
            ..Self::real()
        }
    }

    /// The budgets of a world that runs at this speed.
    pub fn at(speed: Speed) -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let ceiling = minutes(120);
        // Two phases, each as long as it may be, take that much longer where field time is slow.
        let slow = if speed.0.is_finite() { (2.0 * ceiling.as_secs_f64() / speed.0).min(1e6) } else { 0.0 };
        Self {
            quiet: Duration::from_secs(30),
            patience: minutes(35),
            silence: minutes(5),
            ceiling,
            machine: minutes(10) + Duration::from_secs_f64(slow),
        }
    }
}
