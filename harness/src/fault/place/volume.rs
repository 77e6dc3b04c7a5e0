//! Files in volumes, and who provides them.

use super::super::kind::{FaultKind, HealKind, LeadsTo, Shows};
use super::super::params::KEEPER;
use crate::world::Capability;

/// A directory of a component that cannot be mounted.
const fn subpath(name: &'static str, summary: &'static str) -> FaultKind {
    FaultKind {
        name,
        summary,
        params: &[KEEPER],
        healed_by: &["volume.repair"],
        receipt: "the link lies in the volume, and a container that mounts it was not created",
        leads_to: LeadsTo::Blocker(&["postgres-storage", "storage-init"]),
        shows: Shows::Status,
        needs: Capability::Volumes,
    }
}

/// Something wrong with who provides volumes.
const fn provision(
    name: &'static str,
    summary: &'static str,
    healed_by: &'static [&'static str],
    receipt: &'static str,
) -> FaultKind {
    FaultKind {
        name,
        summary,
        params: &[],
        healed_by,
        receipt,
        leads_to: LeadsTo::Blocker(&["storage-class"]),
        shows: Shows::Status,
        needs: Capability::Volumes,
    }
}

pub(super) static FAULTS: &[FaultKind] = &[
    subpath(
        "volume.subpath-dangling",
        "Where a component's directory should be in its volume, there is a link that leads nowhere.",
    ),
    subpath(
        "volume.subpath-escapes",
        "Where a component's directory should be in its volume, there is a link out of the volume.",
    ),
    subpath(
        "volume.subpath-under-file",
        "Where a component's directory should be in its volume, the way leads through a file.",
    ),
    provision(
        "volume.no-storage-class",
        "The default StorageClass is deleted.",
        &["volume.restore-class", "bootstrap.retry"],
        "a claim waits for a StorageClass that does not exist",
    ),
    provision(
        "volume.two-provisioners",
        "A second local-path provisioner, the one that comes with a distribution, runs beside the appliance's.",
        &["volume.remove-provisioner"],
        "a container of the second provisioner was started",
    ),
    FaultKind {
        name: "volume.full",
        summary: "A component's volume has no room left.",
        params: &[KEEPER],
        healed_by: &["volume.enlarge"],
        receipt: "a program was refused room in the volume",
        leads_to: LeadsTo::Blocker(&["volume-full"]),
        shows: Shows::Status,
        needs: Capability::Volumes,
    },
];

pub(super) static HEALS: &[HealKind] = &[
    HealKind {
        name: "volume.repair",
        summary: "Puts a directory in the place of what is in its place in a component's volume.",
        params: &[KEEPER],
        needs: Capability::Volumes,
    },
    HealKind {
        name: "volume.restore-class",
        summary: "Makes the default StorageClass again.",
        params: &[],
        needs: Capability::Volumes,
    },
    HealKind {
        name: "volume.remove-provisioner",
        summary: "Removes the second local-path provisioner.",
        params: &[],
        needs: Capability::Volumes,
    },
    HealKind {
        name: "volume.enlarge",
        summary: "Gives a component's volume room again.",
        params: &[KEEPER],
        needs: Capability::Volumes,
    },
];
