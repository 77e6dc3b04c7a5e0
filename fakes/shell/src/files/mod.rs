//! The files of a container: its own root, and the mounts.

mod path;
mod root;

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use cluster_node::Mount;
use field_clock::Clock;

use crate::descriptor::{Descriptor, EBUSY, EROFS, OpenFile};
use crate::memory::{Memory, MemoryUse, Quota};

pub(crate) use path::{Follow, Place};
pub(crate) use root::Identity;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    Read,
    Write,
    Append,
    ReadWrite,
}

/// A container's files.
pub(crate) struct Files {
    root: PathBuf,
    mounts: Vec<Mount>,
    clock: Clock,
    memory: Arc<Memory>,
    quota: Arc<Quota>,
}

impl Files {
    /// Makes a fresh root below `directory`.
    pub(crate) fn create(
        directory: PathBuf,
        mounts: &[Mount],
        identity: &Identity<'_>,
        memory: &Arc<Memory>,
        clock: &Clock,
    ) -> io::Result<Self> {
        let mut mounts = mounts.to_vec();
        mounts.sort_by_key(|mount| mount.path.components().count());
        // Who mounts may say it by a link; from here on it is the directory to which the link leads.
        for mount in &mut mounts {
            if mount.host.is_symlink() {
                mount.host = std::fs::canonicalize(&mount.host)?;
            }
        }
        root::make(&directory, identity)?;
        let files = Self {
            root: directory,
            mounts,
            clock: clock.clone(),
            memory: Arc::clone(memory),
            quota: Arc::default(),
        };
        root::mount_points(&files);
        Ok(files)
    }

    /// Opens a file; `cwd` is where relative paths begin, `umask` what a new file is not given.
    pub(crate) fn open(&self, cwd: &str, path: &str, how: Open, umask: u32) -> io::Result<Descriptor> {
        let place = self.find(cwd, path, Follow::Yes)?;
        if let Some(special) = self.special(&place.inside) {
            return Ok(special);
        }
        if how != Open::Read {
            place.writable()?;
        }
        let mut options = fs::OpenOptions::new();
        match how {
            Open::Read => options.read(true),
            Open::Write => options.write(true).create(true).truncate(true),
            Open::Append => options.append(true).create(true),
            Open::ReadWrite => options.read(true).write(true).create(true).truncate(false),
        };
        let is_new = how != Open::Read && fs::symlink_metadata(&place.host).is_err();
        let file = options.open(&place.host)?;
        if is_new {
            file.set_permissions(fs::Permissions::from_mode(0o666 & !umask))?;
        }
        let memory = place.inside.starts_with("/dev/shm/").then(|| MemoryUse::of_file(&self.memory));
        Ok(Descriptor::File(Arc::new(OpenFile {
            file: Mutex::new(file),
            clock: self.clock.clone(),
            quota: Arc::clone(&self.quota),
            memory,
        })))
    }

    fn special(&self, inside: &str) -> Option<Descriptor> {
        Some(match inside {
            "/dev/null" => Descriptor::Null,
            "/dev/zero" => Descriptor::Zero,
            "/dev/full" => Descriptor::Full,
            "/dev/random" | "/dev/urandom" => Descriptor::Random,
            "/proc/uptime" => {
                let seconds = self.clock.now().as_millisecond() % 10_000_000;
                Descriptor::text(format!("{}.{:02} 0.00\n", seconds / 1000, seconds % 1000 / 10))
            }
            "/proc/meminfo" => {
                let (total, used) = (self.memory.limit() >> 10, self.memory.used() >> 10);
                let free = total.saturating_sub(used);
                Descriptor::text(format!(
                    "MemTotal:       {total:>8} kB\nMemFree:        {free:>8} kB\nMemAvailable:   {free:>8} kB\n"
                ))
            }
            _ => return None,
        })
    }

    /// Reads a whole file.
    pub(crate) fn read(&self, cwd: &str, path: &str) -> io::Result<Vec<u8>> {
        match self.open(cwd, path, Open::Read, 0)? {
            Descriptor::File(file) => {
                let mut bytes = Vec::new();
                let mut file = file.file.lock().unwrap_or_else(PoisonError::into_inner);
                io::Read::read_to_end(&mut *file, &mut bytes)?;
                Ok(bytes)
            }
            Descriptor::Text(text) => {
                Ok(text.lock().unwrap_or_else(PoisonError::into_inner).get_ref().clone())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// What is there, symbolic links followed.
    pub(crate) fn metadata(&self, cwd: &str, path: &str) -> io::Result<fs::Metadata> {
        fs::symlink_metadata(self.find(cwd, path, Follow::Yes)?.host)
    }

    /// What is there; a symbolic link is itself.
    pub(crate) fn link_metadata(&self, cwd: &str, path: &str) -> io::Result<fs::Metadata> {
        fs::symlink_metadata(self.find(cwd, path, Follow::No)?.host)
    }

    /// The names in a directory, sorted.
    pub(crate) fn list(&self, cwd: &str, path: &str) -> io::Result<Vec<String>> {
        let place = self.find(cwd, path, Follow::Yes)?;
        let mut names = Vec::new();
        for entry in fs::read_dir(&place.host)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    pub(crate) fn make_directory(&self, cwd: &str, path: &str, umask: u32) -> io::Result<()> {
        let place = self.find(cwd, path, Follow::No)?;
        if fs::symlink_metadata(&place.host).is_err() {
            place.writable()?;
        }
        fs::create_dir(&place.host)?;
        fs::set_permissions(&place.host, fs::Permissions::from_mode(0o777 & !umask))?;
        self.touch(&place)
    }

    pub(crate) fn remove_file(&self, cwd: &str, path: &str) -> io::Result<()> {
        let place = self.removable(cwd, path)?;
        fs::remove_file(&place.host)
    }

    pub(crate) fn remove_directory(&self, cwd: &str, path: &str) -> io::Result<()> {
        let place = self.removable(cwd, path)?;
        fs::remove_dir(&place.host)
    }

    fn removable(&self, cwd: &str, path: &str) -> io::Result<Place> {
        let place = self.find(cwd, path, Follow::No)?;
        fs::symlink_metadata(&place.host)?;
        if self.is_mount_point(&place.inside) {
            return Err(io::Error::from_raw_os_error(EBUSY));
        }
        place.writable()?;
        Ok(place)
    }

    pub(crate) fn rename(&self, cwd: &str, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.removable(cwd, from)?, self.find(cwd, to, Follow::No)?);
        to.writable()?;
        fs::rename(&from.host, &to.host)
    }

    pub(crate) fn symlink(&self, cwd: &str, target: &str, path: &str) -> io::Result<()> {
        let place = self.find(cwd, path, Follow::No)?;
        place.writable()?;
        std::os::unix::fs::symlink(target, &place.host)
    }

    pub(crate) fn hard_link(&self, cwd: &str, target: &str, path: &str) -> io::Result<()> {
        let (target, place) = (self.find(cwd, target, Follow::Yes)?, self.find(cwd, path, Follow::No)?);
        place.writable()?;
        fs::hard_link(&target.host, &place.host)
    }

    /// Gives a file the present as its time.
    pub(crate) fn touch(&self, place: &Place) -> io::Result<()> {
        let now = self.clock.now().into();
        fs::File::open(&place.host)?.set_times(fs::FileTimes::new().set_modified(now).set_accessed(now))
    }

    /// Whether a path without links lies in a volume.
    pub(crate) fn is_in_volume(&self, inside: &str) -> bool {
        self.mount_of(inside).is_some()
    }

    fn is_mount_point(&self, inside: &str) -> bool {
        self.mounts.iter().any(|mount| mount.path.as_os_str() == inside)
    }

    /// The mounts, as `mount` and `df` list them.
    pub(crate) fn mounts(&self) -> &[Mount] {
        &self.mounts
    }
}

pub(crate) fn read_only() -> io::Error {
    io::Error::from_raw_os_error(EROFS)
}
