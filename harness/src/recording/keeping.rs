//! Keeps a recording: a directory that is whole and without secrets, or none.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::files::StreamError;
use super::tape::Taken;
use crate::world::Concealed;

/// A recording could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepingError {
    /// A file or directory of it.
    #[error("keep recording {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Its streams.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// A secret of the site stands in it.
    #[error("keep recording {path}: a secret of the site is in {file}; hint: a scenario file must name none")]
    Secret {
        /// The recording.
        path: PathBuf,
        /// The file of it.
        file: String,
    },
}

/// Whether a recording may go there: nothing is there, or an empty directory.
pub(crate) fn is_free(place: &Path) -> io::Result<bool> {
    match fs::read_dir(place) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Writes a recording with its description and its scenario beside `place`, looks for secrets, and moves it there.
pub(super) fn keep(
    taken: &Taken,
    description: &Value,
    scenario: &Path,
    place: &Path,
) -> Result<(), KeepingError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| KeepingError::File { path, source }
    };
    let parent = place.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(failed(parent))?;
    let everybodys = fs::Permissions::from_mode(0o755);
    let half = tempfile::Builder::new().prefix(".recording-").permissions(everybodys).tempdir_in(parent);
    let half = half.map_err(failed(parent))?;
    taken.stream.write_without(&taken.secrets, half.path())?;
    let copy = half.path().join(scenario.file_name().unwrap_or_default());
    fs::copy(scenario, &copy).map_err(failed(scenario))?;
    let told = half.path().join("case.json");
    fs::write(&told, format!("{description:#}\n")).map_err(failed(&told))?;
    if let Some(file) = leak(half.path(), &taken.secrets).map_err(failed(half.path()))? {
        return Err(KeepingError::Secret { path: place.to_owned(), file });
    }
    let half = half.keep();
    fs::rename(&half, place).map_err(failed(place))
}

/// The first file that holds a secret.
fn leak(directory: &Path, secrets: &Concealed) -> io::Result<Option<String>> {
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if secrets.is_in(&String::from_utf8_lossy(&fs::read(&path)?)) {
                let name = path.strip_prefix(directory).unwrap_or(&path);
                return Ok(Some(name.display().to_string()));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stream::{Line, Stream};
    use super::*;

    fn taken() -> Taken {
        let event = json!({"type": "ADDED", "object": {"message": "with hunter2hunter2"}});
        let stream =
            Stream { lines: vec![Line { at: 0.5, kind: "pods".into(), event }], ..Stream::default() };
        Taken { stream, secrets: Concealed::new(["hunter2hunter2".to_owned()]) }
    }

    fn kept(scenario: &str) -> (tempfile::TempDir, Result<(), KeepingError>) {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("a.yaml");
        fs::write(&file, scenario).unwrap();
        let place = home.path().join("recordings/a");
        let kept = keep(&taken(), &json!({"name": "a"}), &file, &place);
        (home, kept)
    }

    #[test]
    fn a_recording_is_there_as_a_whole_with_its_secrets_masked() {
        let (home, kept) = kept("name: a\n");
        kept.unwrap();
        let place = home.path().join("recordings/a");
        let stream = Stream::read(&place).unwrap();
        assert_eq!(stream.lines[0].event["object"]["message"], "with [secret]");
        assert!(place.join("case.json").is_file() && place.join("a.yaml").is_file());
        assert!(!is_free(&place).unwrap() && is_free(&home.path().join("recordings/b")).unwrap());
    }

    #[test]
    fn a_recording_in_which_a_secret_is_left_is_not_kept() {
        let (home, kept) = kept("name: a\npassword: hunter2hunter2\n");
        let error = kept.unwrap_err().to_string();
        assert!(error.contains("a.yaml") && error.contains("hint"), "{error}");
        assert_eq!(fs::read_dir(home.path().join("recordings")).unwrap().count(), 0, "nothing is left of it");
    }
}
