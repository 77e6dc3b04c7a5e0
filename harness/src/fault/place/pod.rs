//! Pods.

use super::super::kind::HealKind;
use super::super::params::KEEPER;
use crate::world::Capability;

pub(super) static HEALS: &[HealKind] = &[HealKind {
    name: "pod.restart",
    summary: "Deletes the pods of a component with a volume; their controller makes new ones.",
    params: &[KEEPER],
    needs: Capability::Volumes,
}];
