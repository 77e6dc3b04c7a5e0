//! The machine below Kubernetes, from its power button to its first node.

use super::super::kind::{FaultKind, HealKind, LeadsTo, Shows};
use super::super::params::{AHEAD, MACHINE_STAGE, MEBIBYTES};
use crate::world::Capability;

/// Nothing below Kubernetes has a status page yet.
const NO_PAGE: LeadsTo =
    LeadsTo::Nothing("there is no status page before there is a cluster; the command says it");

pub(super) static FAULTS: &[FaultKind] = &[
    FaultKind {
        name: "host.disk-image",
        summary: "The machine was started from a disk image: Talos is on its disk, and it asks for no installer.",
        params: &[],
        healed_by: &[],
        receipt: "the machine's console says that there is nothing to install",
        leads_to: LeadsTo::Nothing("many machines come like that, and are well"),
        shows: Shows::Operator,
        needs: Capability::Host,
    },
    FaultKind {
        name: "host.maintenance-silent",
        summary: "The machine's API takes connections and answers nobody.",
        params: &[],
        healed_by: &["host.restart"],
        receipt: "a connection to the machine's API was taken and not answered",
        leads_to: NO_PAGE,
        shows: Shows::Operator,
        needs: Capability::Host,
    },
    FaultKind {
        name: "host.network-lost",
        summary: "The cable of the machine's card is out.",
        params: &[],
        healed_by: &["host.plug-in"],
        receipt: "a connection to the machine's API was not answered",
        leads_to: NO_PAGE,
        shows: Shows::Operator,
        needs: Capability::Host,
    },
    FaultKind {
        name: "host.medium-left-in",
        summary: "The medium that the machine was started from stays in it; once it is installed, it is started from the medium again, and halts.",
        params: &[],
        healed_by: &["host.remove-medium"],
        receipt: "the machine's console says that it was started from another medium than its disk",
        leads_to: NO_PAGE,
        shows: Shows::Operator,
        needs: Capability::Host,
    },
    FaultKind {
        name: "host.installer-dns",
        summary: "The machine's resolver refuses while the machine pulls its installer.",
        params: &[],
        healed_by: &["host.restore-resolver"],
        receipt: "the machine's console says that a lookup of its installer's registry was refused",
        leads_to: NO_PAGE,
        shows: Shows::Operator,
        needs: Capability::Host,
    },
    FaultKind {
        name: "host.lost-credentials",
        summary: "The machine was configured before, with secrets that this site does not have.",
        params: &[],
        healed_by: &["host.wipe"],
        receipt: "a caller and the machine did not trust each other",
        leads_to: NO_PAGE,
        shows: Shows::Operator,
        needs: Capability::Host,
    },
    FaultKind {
        name: "host.foreign-credentials",
        summary: "The site's talosconfig is that of another machine.",
        params: &[],
        healed_by: &["host.remove-credentials"],
        receipt: "the machine was asked, not configured, and the file is what it was",
        leads_to: NO_PAGE,
        shows: Shows::Operator,
        needs: Capability::Host,
    },
    FaultKind {
        name: "host.disk-full",
        summary: "The machine's disk is so small that, once the machine is installed, it takes nothing of what the machine pulls.",
        params: &[],
        healed_by: &["host.free-disk"],
        receipt: "the machine's console says that no space is left",
        leads_to: NO_PAGE,
        shows: Shows::Operator,
        needs: Capability::Host,
    },
    FaultKind {
        name: "host.memory-short",
        summary: "The machine has less memory than Talos and a control plane need.",
        params: &[MEBIBYTES],
        healed_by: &["host.add-memory"],
        receipt: "the machine's console says how little memory it has",
        leads_to: NO_PAGE,
        shows: Shows::Operator,
        needs: Capability::Host,
    },
    FaultKind {
        name: "host.clock-ahead",
        summary: "The machine's clock is ahead of everybody's: its certificate is of the future.",
        params: &[AHEAD],
        healed_by: &["host.set-clock"],
        receipt: "a caller and the machine did not trust each other",
        leads_to: NO_PAGE,
        shows: Shows::Operator,
        needs: Capability::Host,
    },
    FaultKind {
        name: "host.reboot",
        summary: "The machine is started again in the middle of its installation.",
        params: &[MACHINE_STAGE],
        healed_by: &[],
        receipt: "the machine's console says that it starts again",
        leads_to: NO_PAGE,
        shows: Shows::Operator,
        needs: Capability::Host,
    },
];

pub(super) static HEALS: &[HealKind] = &[
    HealKind {
        name: "host.restart",
        summary: "Starts the machine again by its reset button; its API answers then.",
        params: &[],
        needs: Capability::Host,
    },
    HealKind {
        name: "host.plug-in",
        summary: "Puts the cable of the machine's card in again.",
        params: &[],
        needs: Capability::Host,
    },
    HealKind {
        name: "host.remove-medium",
        summary: "Takes the medium out of the machine, and starts it again from its disk.",
        params: &[],
        needs: Capability::Host,
    },
    HealKind {
        name: "host.wipe",
        summary: "Takes the machine back to its maintenance mode; what was on its disk is gone.",
        params: &[],
        needs: Capability::Host,
    },
    HealKind {
        name: "host.remove-credentials",
        summary: "Puts the talosconfig of another machine out of the site's folder.",
        params: &[],
        needs: Capability::Host,
    },
    HealKind {
        name: "host.free-disk",
        summary: "Makes room on the machine's disk.",
        params: &[],
        needs: Capability::Host,
    },
    HealKind {
        name: "host.add-memory",
        summary: "Gives the machine all of its memory, and starts it again.",
        params: &[],
        needs: Capability::Host,
    },
    HealKind {
        name: "host.set-clock",
        summary: "Sets the machine's clock right, and starts it again.",
        params: &[],
        needs: Capability::Host,
    },
    HealKind {
        name: "host.restore-resolver",
        summary: "The machine's resolver answers again.",
        params: &[],
        needs: Capability::Host,
    },
];
