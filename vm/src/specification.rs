//! A wish that was checked, and the arguments that QEMU gets for it.

mod arguments;

use std::path::{Path, PathBuf};

use crate::network::Network;
use crate::wish::{Boot, Disk, Mebibytes, Wish};

/// A guest with less does not get as far as a console.
const LEAST_MEMORY: Mebibytes = Mebibytes(16);
/// The PCI slots that a board has left for disks.
const MOST_DISKS: usize = 16;

/// A wish that no machine could be like.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WishError {
    /// A name that cannot be one of a directory, a node or a device.
    #[error(
        "name {what} {name:?}: only small letters, digits and `-` are possible, and a letter comes first"
    )]
    Name {
        /// What was to be named so.
        what: &'static str,
        /// How.
        name: String,
    },
    /// Two disks of one name.
    #[error("name disk {0:?}: another disk of the machine has the same name")]
    TwoDisks(String),
    /// More disks than a board takes.
    #[error("attach {0} disks: {MOST_DISKS} are the most")]
    ManyDisks(usize),
    /// Too little memory.
    #[error("give the machine {given} MiB: {} MiB are the least", LEAST_MEMORY.0)]
    Memory {
        /// How much was wished for.
        given: u32,
    },
    /// The BIOS boots from disks, and there is none.
    #[error("boot from firmware: the machine has no disk; give it one, or a kernel")]
    NothingToBoot,
    /// Something wrong with a disk that nobody writes to.
    #[error("break disk {0:?}: it is only read, and only writes can fail")]
    Unwritten(String),
    /// A service where the guest cannot reach it, or two at one address.
    #[error("offer a service at {at}: {reason}")]
    Service {
        /// Where the guest would see it.
        at: std::net::SocketAddrV4,
        /// Why not.
        reason: &'static str,
    },
    /// A port of the guest's, twice.
    #[error("forward port {0} of the guest: it is forwarded already")]
    TwoForwards(u16),
}

/// A wish that was checked: everything about a machine but where it runs.
#[derive(Debug, Clone)]
pub struct Specification {
    wish: Wish,
}

impl Specification {
    pub(crate) fn of(wish: Wish) -> Result<Self, WishError> {
        name("machine", &wish.name)?;
        if wish.memory < LEAST_MEMORY {
            return Err(WishError::Memory { given: wish.memory.0 });
        }
        disks(&wish.disks)?;
        let has_own_boot = matches!(wish.boot, Boot::Kernel { .. });
        if !has_own_boot && wish.disks.is_empty() {
            return Err(WishError::NothingToBoot);
        }
        if let Network::User(network) = &wish.network {
            network.check()?;
        }
        Ok(Self { wish })
    }

    /// The machine's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.wish.name
    }

    pub(crate) fn wish(&self) -> &Wish {
        &self.wish
    }

    /// The files that must be there before the machine is.
    #[must_use]
    pub fn files(&self) -> Vec<&Path> {
        let disks = self.wish.disks.iter().filter_map(Disk::file);
        self.wish.boot.files().into_iter().chain(disks).collect()
    }

    /// The disks whose contents a snapshot holds, by the names that QEMU knows; the first one also holds the memory.
    #[must_use]
    pub fn snapshot_nodes(&self) -> Vec<String> {
        let disks = self.wish.disks.iter().filter(|disk| disk.is_written()).map(|disk| disk.name.clone());
        let variables = matches!(self.wish.boot, Boot::Uefi { .. }).then(|| VARIABLES.to_owned());
        disks.chain(variables).collect()
    }
}

/// The node of the firmware's variables.
pub(crate) const VARIABLES: &str = "firmware-variables";

/// Where a running machine has its sockets and files. Nothing in it is checked: it is only written into arguments.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) directory: PathBuf,
}

impl Layout {
    pub(crate) fn qmp(&self) -> PathBuf {
        self.directory.join("qmp")
    }

    pub(crate) fn console(&self) -> PathBuf {
        self.directory.join("console")
    }

    pub(crate) fn recording(&self) -> PathBuf {
        self.directory.join("console.log")
    }

    pub(crate) fn guest_wire(&self) -> PathBuf {
        self.directory.join("guest.wire")
    }

    pub(crate) fn outside_wire(&self) -> PathBuf {
        self.directory.join("outside.wire")
    }

    pub(crate) fn words(&self) -> PathBuf {
        self.directory.join("qemu.log")
    }

    /// A disk that lives here.
    pub(crate) fn disk(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.qcow2"))
    }
}

fn name(what: &'static str, name: &str) -> Result<(), WishError> {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let good = name.bytes().all(letters) && name.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
    if good { Ok(()) } else { Err(WishError::Name { what, name: name.to_owned() }) }
}

fn disks(disks: &[Disk]) -> Result<(), WishError> {
    if disks.len() > MOST_DISKS {
        return Err(WishError::ManyDisks(disks.len()));
    }
    for (number, disk) in disks.iter().enumerate() {
        name("disk", &disk.name)?;
        if disk.name == VARIABLES || disks[..number].iter().any(|other| other.name == disk.name) {
            return Err(WishError::TwoDisks(disk.name.clone()));
        }
        if disk.trouble.is_some() && !disk.is_written() {
            return Err(WishError::Unwritten(disk.name.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wish::DiskTrouble;

    fn wish() -> Wish {
        Wish::new("node", Boot::kernel("vmlinuz", ""))
    }

    #[test]
    fn a_machine_needs_a_name_that_a_directory_can_have() {
        for bad in ["", "Node", "a/b", "-a", "a b", "1st"] {
            let error = Wish::new(bad, Boot::kernel("vmlinuz", "")).specify().unwrap_err();
            assert_eq!(error, WishError::Name { what: "machine", name: bad.to_owned() });
        }
        assert!(wish().specify().is_ok());
    }

    #[test]
    fn two_disks_are_told_apart_by_their_names() {
        let two = wish().disk(Disk::blank("a", Mebibytes(1))).disk(Disk::medium("a", "x.iso"));
        assert_eq!(two.specify().unwrap_err(), WishError::TwoDisks("a".into()));
        let taken = wish().disk(Disk::blank(VARIABLES, Mebibytes(1)));
        assert_eq!(taken.specify().unwrap_err(), WishError::TwoDisks(VARIABLES.into()));
    }

    #[test]
    fn what_nobody_writes_to_cannot_be_full() {
        let disc = wish().disk(Disk::medium("a", "x.iso").with(DiskTrouble::NoRoom));
        assert_eq!(disc.specify().unwrap_err(), WishError::Unwritten("a".into()));
    }

    #[test]
    fn firmware_needs_something_to_boot_from_and_a_kernel_does_not() {
        assert_eq!(Wish::new("node", Boot::Bios).specify().unwrap_err(), WishError::NothingToBoot);
        assert!(Wish::new("node", Boot::Bios).disk(Disk::medium("a", "x.iso")).specify().is_ok());
    }

    #[test]
    fn memory_has_a_least() {
        assert_eq!(wish().memory(Mebibytes(15)).specify().unwrap_err(), WishError::Memory { given: 15 });
    }

    #[test]
    fn snapshots_hold_every_disk_that_is_written_and_the_firmwares_variables() {
        let boot = Boot::Uefi { code: "code.fd".into(), variables: "vars.fd".into() };
        let wish = Wish::new("node", boot)
            .disk(Disk::medium("disc", "x.iso"))
            .disk(Disk::kept("root", "root.qcow2"))
            .disk(Disk::blank("data", Mebibytes(1)));
        assert_eq!(wish.specify().unwrap().snapshot_nodes(), ["root", "data", VARIABLES]);
    }
}
