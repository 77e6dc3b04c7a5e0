//! Paths followed as the node follows them: its root directory is not the machine's.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// To something that exists, all links resolved.
    At(PathBuf),
    /// To nothing.
    Missing,
    /// Through something that is no directory, or round in circles.
    Blocked,
}

const MOST_LINKS: usize = 40;

/// Follows `path` from `start`; absolute links lead to `root`.
pub(super) fn follow(root: &Path, start: &Path, path: &Path) -> Found {
    let mut at = start.to_owned();
    let mut open: VecDeque<OsString> = parts(path);
    let mut links = 0;
    while let Some(part) = open.pop_front() {
        if part == ".." {
            if at != root {
                at.pop();
            }
            continue;
        }
        let next = at.join(&part);
        let meta = match std::fs::symlink_metadata(&next) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Missing,
            Err(_) => return Found::Blocked,
        };
        if !meta.is_symlink() {
            at = next;
            continue;
        }
        links += 1;
        let Ok(target) = std::fs::read_link(&next) else { return Found::Blocked };
        if links > MOST_LINKS {
            return Found::Blocked;
        }
        if target.is_absolute() {
            root.clone_into(&mut at);
        }
        for part in parts(&target).into_iter().rev() {
            open.push_front(part);
        }
    }
    if std::fs::symlink_metadata(&at).is_ok() { Found::At(at) } else { Found::Missing }
}

fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        })
        .collect()
}
