//! The bootstrap job, and the operator who runs the command again.

use super::super::kind::{FaultKind, HealKind, LeadsTo, Param, Shows};
use super::super::params::{DNS_SERVERS, MIGRATION, MODE, PACKAGE, VERSION};
use crate::world::Capability;

/// Runs the operator's command again; the play does this one, since it hears the command.
pub(crate) const BOOTSTRAP_RETRY: &str = "bootstrap.retry";

const FAILED: LeadsTo = LeadsTo::Blocker(&["bootstrap-failed"]);
const MISSING: LeadsTo = LeadsTo::Blocker(&["bootstrap-missing"]);

/// Something that the site's values say.
const fn values(name: &'static str, summary: &'static str, receipt: &'static str, to: LeadsTo) -> FaultKind {
    FaultKind {
        name,
        summary,
        params: &[],
        healed_by: &["values.restore"],
        receipt,
        leads_to: to,
        shows: Shows::Status,
        needs: Capability::Values,
    }
}

/// A build of the application's image whose job does not do.
const fn build(
    name: &'static str,
    summary: &'static str,
    params: &'static [Param],
    leads_to: LeadsTo,
) -> FaultKind {
    FaultKind {
        name,
        summary,
        params,
        healed_by: &["registry.publish-tag", "pod.pull-again"],
        receipt: "the bootstrap job was started from that build",
        leads_to,
        shows: Shows::Status,
        needs: Capability::Registry,
    }
}

pub(super) static FAULTS: &[FaultKind] = &[
    values(
        "bootstrap.seed-missing",
        "The site's values name a seed directory that the application's image does not have.",
        "the bootstrap job was started with that directory",
        FAILED,
    ),
    values(
        "bootstrap.no-users",
        "The site's values name seeds that bring reference data and nobody who could log in.",
        "the bootstrap job was started with those seeds",
        FAILED,
    ),
    values(
        "bootstrap.never-created",
        "The site's values make the bootstrap job a hook, as earlier charts did: Helm waits for the application before it makes the job, and the application waits for the job.",
        "the application's pod waits for bootstrap, and there is no job",
        MISSING,
    ),
    build(
        "bootstrap.migration-fails",
        "The application's image is published with a migration that this database refuses.",
        &[MIGRATION],
        FAILED,
    ),
    build(
        "bootstrap.module-missing",
        "The application's image is published without a package that its bootstrap job needs.",
        &[PACKAGE],
        FAILED,
    ),
    build(
        "bootstrap.hangs",
        "The application's image is published with a bootstrap job that waits for what never comes.",
        &[],
        FAILED,
    ),
    FaultKind {
        name: "bootstrap.existing-data",
        summary: "The volume of an earlier install, with its data and the Secret that belongs to it, is still there.",
        params: &[],
        healed_by: &["bootstrap.retry"],
        receipt: "the database was started on that data",
        leads_to: FAILED,
        shows: Shows::Status,
        needs: Capability::Volumes,
    },
];

pub(super) static HEALS: &[HealKind] = &[HealKind {
    name: BOOTSTRAP_RETRY,
    summary: "Runs the operator's command again, to its end.",
    params: &[MODE, VERSION, DNS_SERVERS],
    needs: Capability::Values,
}];
