//! Readiness in steps.

use serde::{Deserialize, Serialize};

/// How a tier is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TierHealth {
    /// All of it is ready.
    Healthy,
    /// On its way.
    Progressing,
    /// Something of it failed.
    Degraded,
}

/// One tier in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierState {
    /// Whether all of it is ready.
    pub ready: bool,
    /// How it is doing.
    pub status: TierHealth,
}

impl TierState {
    /// A tier that is ready.
    pub const HEALTHY: Self = Self { ready: true, status: TierHealth::Healthy };
    /// A tier on its way.
    pub const PROGRESSING: Self = Self { ready: false, status: TierHealth::Progressing };
    /// A tier with a failure.
    pub const DEGRADED: Self = Self { ready: false, status: TierHealth::Degraded };
}

/// All tiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tiers {
    /// Node, DNS, storage, Flux.
    pub platform: TierState,
    /// Databases and their volumes.
    pub core: TierState,
    /// The database is set up.
    pub bootstrap: TierState,
    /// People can log in.
    pub login: TierState,
    /// Everything beside login.
    pub background: TierState,
    /// Nothing is left to wish for.
    pub full_health: TierState,
}
