//! A directory per machine, whose name says whose it is: what a killed process left is found and removed by the next one.
//!
//! ```text
//!   <base>/<pid>.<start time>.<number>/     one machine: sockets, disks, console.log
//!                              processes    a line per process group: `<leader> <start time>`
//! ```
//! Everything that lives in a machine has its directory as `HOME`: by that even a process is found that was not recorded, or
//! whose group has lost its leader; and the harness, which knows its worlds' processes in the same way, finds the machine of a
//! world whose directory holds the base.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

const PROCESSES: &str = "processes";
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A directory for machines cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("use directory {}", path.display())]
pub struct DirectoryError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// A machine's directory; removed when dropped. Whoever runs something in it ends that before.
#[derive(Debug)]
pub(crate) struct MachineDirectory {
    path: PathBuf,
}

impl MachineDirectory {
    pub(crate) fn create(base: &Path) -> Result<Self, DirectoryError> {
        let pid = std::process::id();
        let start = start_time(pid).unwrap_or_default();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let failed = |source| DirectoryError { path: base.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(base).map_err(failed)?;
        let path = fs::canonicalize(base).map_err(failed)?.join(format!("{pid}.{start}.m{number}"));
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => Ok(Self { path }),
            Err(source) => Err(DirectoryError { path, source }),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for MachineDirectory {
    fn drop(&mut self) {
        // The guard may do the same at the same time.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Records a process group that could outlive us, by its leader.
pub(crate) fn record_process(directory: &Path, leader: u32) -> io::Result<()> {
    let start = start_time(leader).unwrap_or_default();
    let mut file = OpenOptions::new().create(true).append(true).open(directory.join(PROCESSES))?;
    file.write_all(format!("{leader} {start}\n").as_bytes())
}

/// What a sweep found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Directories of dead owners, removed.
    pub directories: usize,
    /// Their process groups, and processes without one, killed.
    pub groups: usize,
    /// Directories of owners that live, left alone.
    pub living: usize,
}

/// Removes what dead owners left in `base`: their processes, then their directories. A base that is not there holds nothing.
///
/// # Errors
/// The base cannot be read.
pub fn sweep(base: &Path) -> Result<Swept, DirectoryError> {
    let mut swept = Swept::default();
    let entries = match fs::read_dir(base) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(swept),
        Err(source) => return Err(DirectoryError { path: base.to_owned(), source }),
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        match owner(&path) {
            Some((pid, start)) if lives(pid, start) => swept.living += 1,
            Some(_) => {
                swept.groups += clear(&path);
                swept.directories += usize::from(!path.exists());
            }
            None => {}
        }
    }
    Ok(swept)
}

/// Kills what is recorded in a directory and removes it; returns how many groups were killed.
fn clear(path: &Path) -> usize {
    let recorded = fs::read_to_string(path.join(PROCESSES)).unwrap_or_default();
    let mut killed = 0;
    for (leader, start) in recorded.lines().filter_map(pair) {
        let leads = lives(leader, start);
        let group = i32::try_from(leader).map(Pid::from_raw);
        killed += usize::from(leads && group.is_ok_and(|group| killpg(group, Signal::SIGKILL).is_ok()));
    }
    killed += inhabitants(path).into_iter().filter(|pid| kill(*pid, Signal::SIGKILL).is_ok()).count();
    // Somebody may clear at the same time; what is gone is gone.
    let _ = fs::remove_dir_all(path);
    killed
}

/// Processes whose home this is. Where the system does not show environments there are none.
fn inhabitants(home: &Path) -> Vec<Pid> {
    let wanted = format!("HOME={}", home.display()).into_bytes();
    let lives_here = |pid: &i32| {
        // A process that is gone, or is somebody else's, has nothing to read.
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted)
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(lives_here).map(Pid::from_raw).collect()
}

fn pair(line: &str) -> Option<(u32, u64)> {
    let (pid, start) = line.split_once(' ')?;
    Some((pid.parse().ok()?, start.parse().ok()?))
}

fn owner(path: &Path) -> Option<(u32, u64)> {
    let mut parts = path.file_name()?.to_str()?.split('.');
    let found = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next()?.strip_prefix('m')?.parse::<u32>().ok()?;
    parts.next().is_none().then_some(found)
}

/// Whether this very process lives: its pid and its start time.
fn lives(pid: u32, start: u64) -> bool {
    match start_time(pid) {
        Some(now) => now == start,
        // Where the system does not tell start times, a pid that is in use may be the same.
        None if start == 0 => {
            i32::try_from(pid).is_ok_and(|pid| kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH))
        }
        None => false,
    }
}

/// When a process started, in ticks since boot; nothing for one that is not there or is a zombie.
fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; what follows the last one does not.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    if matches!(fields.first(), Some(&"Z" | &"X")) {
        return None;
    }
    fields.get(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command};

    use super::*;

    #[test]
    fn a_living_owners_machine_is_left_alone_and_goes_with_its_owner() {
        let base = tempfile::tempdir().unwrap();
        let mine = MachineDirectory::create(base.path()).unwrap();
        assert_eq!(sweep(base.path()).unwrap(), Swept { living: 1, ..Swept::default() });
        let path = mine.path().to_owned();
        drop(mine);
        assert!(!path.exists());
    }

    /// A process that sleeps; it does not outlive its test.
    struct Sleeper(Child);

    impl Sleeper {
        fn start(prepare: impl FnOnce(&mut Command) -> &mut Command) -> Self {
            Self(prepare(Command::new("sleep").arg("600")).spawn().unwrap())
        }

        fn was_killed(&mut self) -> bool {
            !self.0.wait().unwrap().success()
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn what_a_dead_owner_left_is_killed_and_removed() {
        let base = tempfile::tempdir().unwrap();
        let dead = base.path().join("1.1.m0");
        fs::create_dir(&dead).unwrap();
        let mut left = Sleeper::start(|command| command.process_group(0));
        record_process(&dead, left.0.id()).unwrap();
        assert_eq!(sweep(base.path()).unwrap(), Swept { directories: 1, groups: 1, living: 0 });
        assert!(left.was_killed());
        assert!(!dead.exists());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn who_was_not_recorded_is_found_by_its_home() {
        let base = tempfile::tempdir().unwrap();
        let dead = base.path().join("1.1.m0");
        fs::create_dir(&dead).unwrap();
        let mut left = Sleeper::start(|command| command.env("HOME", &dead));
        // A process that has just been started shows its environment a moment later.
        while inhabitants(&dead).is_empty() {
            std::thread::yield_now();
        }
        assert_eq!(sweep(base.path()).unwrap().groups, 1);
        assert!(left.was_killed());
    }

    #[test]
    fn what_is_no_machines_directory_is_not_touched() {
        let base = tempfile::tempdir().unwrap();
        for name in ["1.1", "1.1.0", "kept", "1.1.m0.old"] {
            fs::create_dir(base.path().join(name)).unwrap();
        }
        assert_eq!(sweep(base.path()).unwrap(), Swept::default());
        assert_eq!(sweep(&base.path().join("nowhere")).unwrap(), Swept::default());
    }
}
