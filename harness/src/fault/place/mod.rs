//! The table of faults and heal verbs: a file for each place at which something is broken and mended.

mod bootstrap;
mod dns;
mod flux;
mod host;
mod kubernetes;
mod login;
mod node;
mod pod;
mod registry;
mod release;
mod secret;
mod service_links;
mod status;
mod temporal;
mod time;
mod values;
mod volume;

pub(crate) use bootstrap::BOOTSTRAP_RETRY;
pub(crate) use time::TIME_PASS;

use super::kind::{FaultKind, HealKind};

const FAULTS: &[&[FaultKind]] = &[
    dns::FAULTS,
    registry::FAULTS,
    volume::FAULTS,
    node::FAULTS,
    kubernetes::FAULTS,
    flux::FAULTS,
    service_links::FAULTS,
    temporal::FAULTS,
    bootstrap::FAULTS,
    secret::FAULTS,
    pod::FAULTS,
    login::FAULTS,
    values::FAULTS,
    status::FAULTS,
    release::FAULTS,
    host::FAULTS,
];
const HEALS: &[&[HealKind]] = &[
    dns::HEALS,
    registry::HEALS,
    volume::HEALS,
    service_links::HEALS,
    temporal::HEALS,
    node::HEALS,
    kubernetes::HEALS,
    bootstrap::HEALS,
    secret::HEALS,
    status::HEALS,
    values::HEALS,
    pod::HEALS,
    flux::HEALS,
    time::HEALS,
    host::HEALS,
];

/// Every fault.
pub fn faults() -> impl Iterator<Item = &'static FaultKind> {
    FAULTS.iter().copied().flatten()
}

/// Every heal verb.
pub fn heals() -> impl Iterator<Item = &'static HealKind> {
    HEALS.iter().copied().flatten()
}

/// The fault of this name.
pub fn fault(name: &str) -> Option<&'static FaultKind> {
    faults().find(|fault| fault.name == name)
}

/// The heal verb of this name.
pub fn heal(name: &str) -> Option<&'static HealKind> {
    heals().find(|heal| heal.name == name)
}
