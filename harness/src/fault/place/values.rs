//! The site's own values of releases.

use super::super::kind::HealKind;
use super::super::params::RELEASE;
use crate::world::Capability;

pub(super) static HEALS: &[HealKind] = &[HealKind {
    name: "values.restore",
    summary: "Takes away the site's own values of a release; `bootstrap.retry` applies what is left.",
    params: &[RELEASE],
    needs: Capability::Values,
}];
