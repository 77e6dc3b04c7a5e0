//! What a machine makes of the memory that it has.

use super::{Machine, Memory};

/// What Talos v1.11 asks of a control plane at least, and what it recommends, in MiB.
const LEAST: u64 = 1698;
const RECOMMENDED: u64 = 3946;
/// What a kernel keeps for itself, in MiB.
const KERNEL: u64 = 170;
/// An emulated machine that was watched had an etcd with 854 MiB, and no Kubernetes API within eleven minutes; with 1230 it had both.
const CONTROL_PLANE: u64 = 1000;

/// What a machine's memory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fits {
    /// Its own system and a control plane, be they slow.
    WithControlPlane,
    /// Its own system: a control plane reads the same pages from the disk again and again, and answers nobody.
    Alone,
}

impl Machine {
    /// Compares its memory with what Talos asks of a control plane, and says so.
    pub(super) fn count_memory(&self) -> Fits {
        let total = self.total_memory();
        let told: &[(&str, &str, u64)] = match total {
            ..LEAST => &[
                ("WARNING", "minimum memory size is", LEAST),
                ("WARNING", "recommended memory size is", RECOMMENDED),
                ("WARNING", "current total memory size is", total),
            ],
            LEAST..RECOMMENDED => &[
                ("NOTE", "recommended memory size is", RECOMMENDED),
                ("NOTE", "current total memory size is", total),
            ],
            RECOMMENDED.. => &[],
        };
        let task = "task memorySizeCheck (1/1):";
        if total < LEAST {
            self.0.journal.say(&format!("{task} WARNING: memory size is less than recommended"));
            self.0.journal.say(&format!("{task} WARNING: Talos may not work properly"));
        }
        for (weight, what, mebibytes) in told {
            self.0.journal.say(&format!("{task} {weight}: {what} {mebibytes} MiB"));
        }
        if told.is_empty() {
            self.0.journal.say(&format!("{task} memory size is OK"));
            self.0.journal.say(&format!("{task} memory size is {total} MiB"));
        }
        if total < CONTROL_PLANE { Fits::Alone } else { Fits::WithControlPlane }
    }

    /// As its kernel counts it, in MiB.
    fn total_memory(&self) -> u64 {
        let Memory(built_in) = self.now().memory;
        built_in.saturating_sub(KERNEL)
    }
}
