//! The way to the login page.

use super::super::kind::{FaultKind, LeadsTo, Param, Shows};
use super::super::params::{FOREIGN_HOST, PAGE_STATUS};
use crate::world::Capability;

const fn values(
    name: &'static str,
    summary: &'static str,
    params: &'static [Param],
    receipt: &'static str,
) -> FaultKind {
    FaultKind {
        name,
        summary,
        params,
        healed_by: &["values.restore"],
        receipt,
        leads_to: LeadsTo::Blocker(&["login-probe"]),
        shows: Shows::Status,
        needs: Capability::Values,
    }
}

pub(super) static FAULTS: &[FaultKind] = &[
    values(
        "login.http-500",
        "The site's values leave the application in maintenance: it is well, and answers every page with an HTTP error.",
        &[PAGE_STATUS],
        "the application was started so",
    ),
    values(
        "login.foreign-redirect",
        "The site's values name another host as the place to sign in: the application sends people there.",
        &[FOREIGN_HOST],
        "the application was started with that address",
    ),
    values(
        "login.refused",
        "The site's values take the application's port from the node: it is well, and nobody reaches it.",
        &[],
        "the application runs without a port of the node",
    ),
];
