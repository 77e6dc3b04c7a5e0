//! A directory per world, whose name says whose it is: what a killed runner left is found and removed by the next one.
//!
//! ```text
//!   <base>/<pid>.<start time>.<number>/     one world: kubeconfig, volumes, sockets
//!                                processes  a line per process group that could outlive the runner: `<pid> <start time>`
//! ```
//! A pid is used again; a pid with its start time is not.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::statvfs::statvfs;
use nix::unistd::{Pid, Uid};

const PROCESSES: &str = "processes";
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A run directory cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Somebody else's.
    #[error("use run directory {}: it belongs to user {owner}; set SMOKE_RUN_DIR to another", path.display())]
    Foreign {
        /// Which.
        path: PathBuf,
        /// Whose.
        owner: u32,
    },
    /// Not usable.
    #[error("use run directory {}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// In memory, where a machine has a place for that.
const IN_MEMORY: &str = "/dev/shm";
/// What must be free there, in bytes; a world needs some thousandths of it.
const ROOM: u64 = 1 << 30;

/// The system's directory for what does not last. Worlds write small files by the hundred, which is four times faster in
/// memory; who has set `TMPDIR` has chosen.
fn temporary() -> PathBuf {
    let chosen = std::env::var_os("TMPDIR").is_some();
    let free = statvfs(IN_MEMORY).map_or(0, |it| it.blocks_available().saturating_mul(it.fragment_size()));
    if !chosen && free >= ROOM { PathBuf::from(IN_MEMORY) } else { std::env::temp_dir() }
}

/// This user's directory in a temporary one.
fn own_name() -> String {
    format!("appliance-smoke-{}", Uid::current())
}

/// The base and, where nobody has named it, the places in which the base of another day may have been: what is free, and what
/// `TMPDIR` says, change between two runs.
fn places(base: &Path) -> Vec<PathBuf> {
    let mut places = vec![base.to_owned()];
    if base.file_name().is_some_and(|name| *name == *own_name()) {
        let others = [PathBuf::from(IN_MEMORY), PathBuf::from("/tmp"), std::env::temp_dir()];
        places.extend(others.map(|folder| folder.join(own_name())));
        places.retain(|place| {
            fs::metadata(place).is_ok_and(|it| it.is_dir() && it.uid() == Uid::current().as_raw())
        });
        places.sort();
        places.dedup();
    }
    places
}

/// Where worlds have their directories: `SMOKE_RUN_DIR`, or one of this user's in the system's directory for such things.
///
/// # Errors
/// When it cannot be made, or is not this user's.
pub fn base() -> Result<PathBuf, DirectoryError> {
    let given = std::env::var_os("SMOKE_RUN_DIR").filter(|given| !given.is_empty()).map(PathBuf::from);
    let uid = Uid::current().as_raw();
    let path = given.unwrap_or_else(|| temporary().join(own_name()));
    let failed = |source| DirectoryError::Io { path: path.clone(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(failed)?;
    let owner = fs::metadata(&path).map_err(failed)?.uid();
    if owner != uid {
        return Err(DirectoryError::Foreign { path, owner });
    }
    fs::canonicalize(&path).map_err(failed)
}

/// A world's directory; removed when dropped, with every process that was recorded in it.
#[derive(Debug)]
pub struct WorldDirectory {
    path: PathBuf,
}

impl WorldDirectory {
    /// A new one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(base: &Path) -> Result<Self, DirectoryError> {
        let pid = std::process::id();
        let start = start_time(pid).unwrap_or_default();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = base.join(format!("{pid}.{start}.{number}"));
        match fs::create_dir(&path) {
            Ok(()) => Ok(Self { path }),
            Err(source) => Err(DirectoryError::Io { path, source }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for WorldDirectory {
    fn drop(&mut self) {
        clear(&self.path);
    }
}

/// Records a process group that could outlive the runner, by its leader.
///
/// # Errors
/// When it cannot be written down.
pub fn record_process(directory: &Path, leader: u32) -> io::Result<()> {
    let start = start_time(leader).unwrap_or_default();
    let mut file = OpenOptions::new().create(true).append(true).open(directory.join(PROCESSES))?;
    file.write_all(format!("{leader} {start}\n").as_bytes())
}

/// What a sweep found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Directories of dead owners, removed.
    pub directories: usize,
    /// Their process groups, killed.
    pub groups: usize,
    /// Directories of owners that live, left alone.
    pub living: usize,
}

/// Removes what dead runners left: their processes, then their directories; also where the base would have been under other
/// circumstances.
///
/// # Errors
/// When such a place cannot be read.
pub fn sweep(base: &Path) -> Result<Swept, DirectoryError> {
    let mut swept = Swept::default();
    for place in places(base) {
        sweep_one(&place, &mut swept)?;
    }
    Ok(swept)
}

fn sweep_one(place: &Path, swept: &mut Swept) -> Result<(), DirectoryError> {
    let failed = |source| DirectoryError::Io { path: place.to_owned(), source };
    for entry in fs::read_dir(place).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some((pid, start)) = owner(&path) else { continue };
        if lives(pid, start) {
            swept.living += 1;
            continue;
        }
        remove(&path, swept);
    }
    Ok(())
}

/// Removes a dead runner's directory. One whose runner ended a moment ago, and took it along, was left by nobody.
fn remove(path: &Path, swept: &mut Swept) {
    let left = path.exists();
    swept.groups += clear(path);
    swept.directories += usize::from(left && !path.exists());
}

/// Kills what is recorded in a directory and removes it; returns how many groups were killed.
fn clear(path: &Path) -> usize {
    let mut killed = 0;
    for (pid, start) in
        fs::read_to_string(path.join(PROCESSES)).unwrap_or_default().lines().filter_map(recorded)
    {
        if lives(pid, start)
            && i32::try_from(pid).is_ok_and(|pid| killpg(Pid::from_raw(pid), Signal::SIGKILL).is_ok())
        {
            killed += 1;
        }
    }
    killed += unrecorded(path).into_iter().filter(|pid| kill(*pid, Signal::SIGKILL).is_ok()).count();
    // Somebody may sweep at the same time; what is gone is gone.
    let _ = fs::remove_dir_all(path);
    killed
}

/// Processes that a runner had started and not yet recorded when it was killed: those that live in a world by the variables
/// that only a world gives. People who look around in a world have its kubeconfig, and none of these.
fn unrecorded(world: &Path) -> Vec<Pid> {
    let homes =
        ["HOME", "SERVICE_ACCOUNT_DIR"].map(|name| format!("{name}={}", world.display()).into_bytes());
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process that is gone, or is somebody else's, has nothing to read.
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        let lives_here = |variable: &[u8]| {
            homes.iter().any(|home| {
                variable.strip_prefix(home.as_slice()).is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
            })
        };
        if environment.split(|byte| *byte == 0).any(lives_here) {
            found.push(Pid::from_raw(pid));
        }
    }
    found
}

fn recorded(line: &str) -> Option<(u32, u64)> {
    let (pid, start) = line.split_once(' ')?;
    Some((pid.parse().ok()?, start.parse().ok()?))
}

fn owner(path: &Path) -> Option<(u32, u64)> {
    let name = path.file_name()?.to_str()?;
    let mut parts = name.split('.');
    let found = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next()?.parse::<u32>().ok()?;
    parts.next().is_none().then_some(found)
}

/// Whether this very process lives: its pid and its start time.
pub(crate) fn lives(pid: u32, start: u64) -> bool {
    match start_time(pid) {
        Some(now) => now == start,
        // Where the system does not tell start times, a pid that is in use may be the same.
        None if start == 0 => {
            i32::try_from(pid).is_ok_and(|pid| kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH))
        }
        None => false,
    }
}

/// This process, as others find out whether it lives.
pub(crate) fn myself() -> String {
    let pid = std::process::id();
    format!("{pid} {}", start_time(pid).unwrap_or_default())
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
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_living_runners_directory_is_left_alone() {
        let base = tempfile::tempdir().unwrap();
        let mine = WorldDirectory::create(base.path()).unwrap();
        assert_eq!(sweep(base.path()).unwrap(), Swept { living: 1, ..Swept::default() });
        assert!(mine.path().exists());
    }

    #[test]
    fn what_a_runner_took_along_when_it_ended_is_not_counted_as_left() {
        let base = tempfile::tempdir().unwrap();
        let mut swept = Swept::default();
        remove(&base.path().join("1.1.0"), &mut swept);
        assert_eq!(swept, Swept::default());
    }

    #[test]
    fn what_a_dead_runner_left_is_killed_and_removed() {
        let base = tempfile::tempdir().unwrap();
        let dead = base.path().join("1.1.0");
        fs::create_dir(&dead).unwrap();
        let mut child = std::os::unix::process::CommandExt::process_group(&mut Command::new("sleep"), 0)
            .arg("600")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        record_process(&dead, child.id()).unwrap();
        let swept = sweep(base.path()).unwrap();
        assert_eq!(swept, Swept { directories: 1, groups: 1, living: 0 });
        assert!(!child.wait().unwrap().success());
        assert!(!dead.exists());
    }

    #[test]
    fn a_base_that_nobody_named_is_swept_with_the_others_and_a_named_one_alone() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(places(home.path()), [home.path()]);
        let base = home.path().join(own_name());
        fs::create_dir(&base).unwrap();
        let all = places(&base);
        assert!(all.contains(&base) && all.iter().all(|place| place.ends_with(own_name())), "{all:?}");
        let other = std::env::temp_dir().join(own_name());
        assert_eq!(all.contains(&other), other.is_dir());
    }

    #[test]
    fn a_process_that_was_not_recorded_yet_is_found_by_its_home() {
        let base = tempfile::tempdir().unwrap();
        let dead = base.path().join("1.1.0");
        fs::create_dir(&dead).unwrap();
        let mut child = Command::new("sleep").arg("600").env("HOME", &dead).spawn().unwrap();
        let mut guest =
            Command::new("sleep").arg("600").env("KUBECONFIG", dead.join("kubeconfig")).spawn().unwrap();
        // A process shows its environment a moment after it has been started.
        let shown = || fs::read(format!("/proc/{}/environ", child.id())).unwrap();
        let home = dead.as_os_str().as_encoded_bytes();
        while !shown().windows(home.len()).any(|it| it == home) {
            std::thread::yield_now();
        }
        assert_eq!(sweep(base.path()).unwrap(), Swept { directories: 1, groups: 1, living: 0 });
        assert!(!child.wait().unwrap().success());
        assert!(guest.try_wait().unwrap().is_none(), "who looks around is left alone");
        guest.kill().unwrap();
        guest.wait().unwrap();
    }

    #[test]
    fn a_pid_that_somebody_else_has_now_is_not_killed() {
        let base = tempfile::tempdir().unwrap();
        let dead = base.path().join("1.1.0");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(PROCESSES), format!("{} 1\n", std::process::id())).unwrap();
        assert_eq!(sweep(base.path()).unwrap().groups, 0);
    }
}
