//! Parts of volumes, prepared as the kubelet does: never through a link out of the volume.

use std::path::{Component, Path, PathBuf};

use super::paths::{Found, follow};

/// Why a part of a volume cannot be mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SubPathError {
    /// It is missing and cannot be made.
    Create,
    /// It is there and may not be used.
    Prepare,
}

impl SubPathError {
    /// The kubelet's text, which names the volume and the container but never the path.
    pub(crate) fn text(self, volume: &str, container: &str) -> String {
        let what = match self {
            Self::Create => "failed to create subPath directory",
            Self::Prepare => "failed to prepare subPath",
        };
        format!("{what} for volumeMount \"{volume}\" of container \"{container}\"")
    }
}

/// The directory or file to mount for `part` of the volume at `volume`; a missing directory is made.
pub(crate) fn prepare(node_root: &Path, volume: &Path, part: &str) -> Result<PathBuf, SubPathError> {
    let part = Path::new(part);
    if part.components().any(|c| matches!(c, Component::ParentDir | Component::RootDir)) {
        return Err(SubPathError::Prepare);
    }
    match follow(node_root, volume, part) {
        Found::At(place) if place.starts_with(volume) => Ok(place),
        Found::At(_) | Found::Blocked => Err(SubPathError::Prepare),
        Found::Missing => make(node_root, volume, part),
    }
}

/// Makes the missing directories; links on the way must lead to directories of the volume.
fn make(node_root: &Path, volume: &Path, part: &Path) -> Result<PathBuf, SubPathError> {
    let mut at = volume.to_owned();
    for component in part.components() {
        let name = Path::new(component.as_os_str());
        let next = at.join(name);
        at = match std::fs::symlink_metadata(&next) {
            Err(_) => {
                std::fs::create_dir(&next).map_err(|_| SubPathError::Create)?;
                next
            }
            Ok(meta) if meta.is_dir() => next,
            Ok(meta) if meta.is_symlink() => match follow(node_root, &at, name) {
                Found::At(place) if place.starts_with(volume) => place,
                _ => return Err(SubPathError::Create),
            },
            Ok(_) => return Err(SubPathError::Create),
        };
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::{SubPathError, prepare};
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    struct Place {
        _dir: tempfile::TempDir,
        root: PathBuf,
        volume: PathBuf,
    }

    fn place() -> Place {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("node");
        let volume = root.join("var/pvc");
        std::fs::create_dir_all(&volume).unwrap();
        std::fs::create_dir(volume.join("dir")).unwrap();
        std::fs::write(volume.join("file"), "x").unwrap();
        symlink("/", volume.join("escape")).unwrap();
        symlink("dir", volume.join("inner")).unwrap();
        symlink("nowhere", volume.join("dangling")).unwrap();
        Place { _dir: dir, root, volume }
    }

    #[test]
    fn a_missing_directory_is_made() {
        let p = place();
        let made = prepare(&p.root, &p.volume, "data/pg").unwrap();
        assert!(made.is_dir());
        assert_eq!(made, p.volume.join("data/pg"));
    }

    #[test]
    fn files_and_inner_links_are_mounted_as_they_are() {
        let p = place();
        assert_eq!(prepare(&p.root, &p.volume, "file").unwrap(), p.volume.join("file"));
        assert_eq!(prepare(&p.root, &p.volume, "inner/new").unwrap(), p.volume.join("dir/new"));
    }

    #[test]
    fn a_dangling_link_cannot_be_made_a_directory() {
        let p = place();
        let error = prepare(&p.root, &p.volume, "dangling").unwrap_err();
        assert_eq!(
            error.text("db-data", "db"),
            "failed to create subPath directory for volumeMount \"db-data\" of container \"db\""
        );
    }

    #[test]
    fn links_out_of_the_volume_and_files_on_the_way_are_refused() {
        let p = place();
        std::fs::create_dir(p.root.join("etc")).unwrap();
        for part in ["escape", "escape/etc", "file/data", "../pvc/dir"] {
            assert_eq!(prepare(&p.root, &p.volume, part), Err(SubPathError::Prepare), "{part}");
        }
        assert_eq!(prepare(&p.root, &p.volume, "escape/none"), Err(SubPathError::Create));
    }
}
