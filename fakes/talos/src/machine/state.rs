//! In which of a few states the parts of a machine are.

/// How a machine treats those who connect to its API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// As it should.
    Clear,
    /// It takes connections, and says nothing.
    Silent,
}

/// Whether the medium is in a machine that it was started from first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// It was taken out in time, or the machine prefers its disk.
    Out,
    /// It is in, and the machine prefers it.
    LeftIn,
}

/// Whether a machine's disk takes what it pulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// It does.
    Enough,
    /// It is full.
    None,
}

/// How much memory a machine has, in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Memory(pub u64);

/// A moment on a machine's way that others can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It has a configuration and writes itself to its disk.
    Installing,
    /// Its services start, and it knows those who call it.
    Booting,
    /// It was told to make its cluster.
    Bootstrapped,
}

/// Where a machine is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No power, or before its API is there.
    Down,
    /// It waits for a configuration.
    Maintenance,
    /// It writes itself to its disk. Nobody can talk to it.
    Installing,
    /// Services start.
    Booting,
    /// All are there.
    Running,
}

impl Stage {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Down => "unknown",
            Self::Maintenance => "maintenance",
            Self::Installing => "installing",
            Self::Booting => "booting",
            Self::Running => "running",
        }
    }
}

/// What a machine finds on its disk when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnDisk {
    /// Nothing: it is started from a medium, and writes itself to the disk.
    Nothing,
    /// Talos, that nobody has configured yet.
    Talos,
    /// Talos and a configuration.
    Configured,
}

/// Whether there is a cluster's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Etcd {
    /// It cannot be had yet: nothing runs that could make one.
    Absent,
    /// It waits until somebody makes this machine the first.
    Awaited,
    /// Its data is on the disk.
    There,
}
