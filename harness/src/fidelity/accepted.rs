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
pub const ACCEPTED: [Accepted; 4] = [
    Accepted {
        family: Family::Kubernetes,
        side: Side::Recorded,
        class: Class::Event,
        contains: "failed to sync configmap cache: timed out waiting for the condition",
        reason: "chance: the first pod of a new namespace came before the kubelet's cache, in 2 of 24 recordings",
    },
    Accepted {
        family: Family::Kubernetes,
        side: Side::Recorded,
        class: Class::Event,
        contains: "cgroup v1 support is in maintenance mode",
        reason: "the recording machine's kernel, not the cluster",
    },
    Accepted {
        family: Family::Kubernetes,
        side: Side::Recorded,
        class: Class::Refusal,
        contains: "the server could not find the requested resource ( pods/log",
        reason: "chance: the kubelet's answer in the moment in which it makes the pod known to itself",
    },
    Accepted {
        family: Family::Kubernetes,
        side: Side::Recorded,
        class: Class::Log,
        contains: "unable to retrieve container logs for containerd://",
        reason: "chance: whether a look meets the second between a container's end and the next status",
    },
];

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
