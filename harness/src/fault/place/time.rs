//! Time.

use super::super::kind::HealKind;
use super::super::params::FOR;
use crate::world::Capability;

/// Lets time pass; the play does this one.
pub(crate) const TIME_PASS: &str = "time.pass";

pub(super) static HEALS: &[HealKind] = &[HealKind {
    name: TIME_PASS,
    summary: "Lets time pass, for who comes back later.",
    params: &[FOR],
    needs: Capability::Flux,
}];
