//! Paths inside a container, walked component by component: nothing leads out of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cluster_node::{Access, Mount};

use super::{Files, read_only};
use crate::descriptor::{EACCES, ELOOP, ENOENT, ENOTDIR};

/// How many symbolic links a path may lead over.
const MOST_LINKS: usize = 40;

/// Whether a symbolic link at the end of a path is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follow {
    Yes,
    No,
}

/// Where a path leads. Its last component need not exist.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Where it really is.
    pub(crate) host: PathBuf,
    /// The path inside, without links.
    pub(crate) inside: String,
    access: Access,
}

impl Place {
    pub(crate) fn writable(&self) -> io::Result<()> {
        if self.inside.starts_with("/proc/") || self.inside.starts_with("/sys/") {
            return Err(io::Error::from_raw_os_error(EACCES));
        }
        if self.access == Access::ReadOnly { Err(read_only()) } else { Ok(()) }
    }
}

impl Files {
    /// Where a path leads.
    pub(crate) fn find(&self, cwd: &str, path: &str, follow: Follow) -> io::Result<Place> {
        if path.is_empty() {
            return Err(io::Error::from_raw_os_error(ENOENT));
        }
        let whole = if path.starts_with('/') { path.to_owned() } else { format!("{cwd}/{path}") };
        let mut ahead: Vec<String> = components(&whole);
        let must_be_directory = path.ends_with('/');
        let mut inside: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(name) = ahead.pop() {
            match name.as_str() {
                "." => continue,
                ".." => {
                    inside.pop();
                    continue;
                }
                _ => inside.push(name),
            }
            let is_last = ahead.is_empty();
            let (host, _) = self.host(&inside);
            match fs::symlink_metadata(&host) {
                Ok(found) if found.is_symlink() => {
                    if is_last && follow == Follow::No && !must_be_directory {
                        break;
                    }
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(io::Error::from_raw_os_error(ELOOP));
                    }
                    let target = fs::read_link(&host)?;
                    let target = target.to_string_lossy();
                    inside.pop();
                    if target.starts_with('/') {
                        inside.clear();
                    }
                    ahead.extend(components(&target));
                }
                Ok(found) if !found.is_dir() && (!is_last || must_be_directory) => {
                    return Err(io::Error::from_raw_os_error(ENOTDIR));
                }
                Ok(_) => {}
                Err(error) if is_last && error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let (host, access) = self.host(&inside);
        Ok(Place { host, access, inside: format!("/{}", inside.join("/")) })
    }

    fn host(&self, inside: &[String]) -> (PathBuf, Access) {
        let path = format!("/{}", inside.join("/"));
        match self.mount_of(&path) {
            Some((mount, rest)) if rest.as_os_str().is_empty() => (mount.host.clone(), mount.access),
            Some((mount, rest)) => (mount.host.join(rest), mount.access),
            None => (self.root.join(inside.join("/")), Access::ReadWrite),
        }
    }

    /// The mount that covers a path without links, and the rest of the path.
    pub(super) fn mount_of<'a>(&'a self, inside: &'a str) -> Option<(&'a Mount, &'a Path)> {
        let path = Path::new(inside);
        self.mounts.iter().rev().find_map(|mount| Some((mount, path.strip_prefix(&mount.path).ok()?)))
    }
}

/// The components of a path, the first one last.
fn components(path: &str) -> Vec<String> {
    path.split('/').rev().filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
