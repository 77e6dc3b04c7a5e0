//! The site's own values of the releases: files beside the operator's configuration, as a person keeps them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// The site's name, where the operator's command is not told another.
const SITE: &str = "appliance";

/// Where a release's values are kept.
fn file(configuration: &Path, release: &str) -> PathBuf {
    configuration.join(SITE).join("values").join(format!("{release}.yaml"))
}

/// Changes the values of a release; gives the whole text.
pub(in crate::world) fn change(
    configuration: &Path,
    release: &str,
    change: impl FnOnce(&mut Value),
) -> io::Result<String> {
    let file = file(configuration, release);
    let mut values = match fs::read(&file) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => json!({}),
        Err(error) => return Err(error),
    };
    change(&mut values);
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    // JSON is YAML.
    let text = serde_json::to_string_pretty(&values)?;
    fs::write(&file, &text)?;
    Ok(text)
}

/// Takes a release's values away; says whether there were any.
pub(in crate::world) fn take_away(configuration: &Path, release: &str) -> io::Result<bool> {
    match fs::remove_file(file(configuration, release)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_two_causes_stand_side_by_side_until_they_are_taken_away() {
        let home = tempfile::tempdir().unwrap();
        change(home.path(), "temporal", |it| it["ui"]["enableServiceLinks"] = json!(true)).unwrap();
        change(home.path(), "temporal", |it| it["temporal"]["autosetup"] = json!(false)).unwrap();
        let read: Value = serde_json::from_slice(&fs::read(file(home.path(), "temporal")).unwrap()).unwrap();
        assert_eq!(read, json!({"ui": {"enableServiceLinks": true}, "temporal": {"autosetup": false}}));
        assert!(take_away(home.path(), "temporal").unwrap());
        assert!(!take_away(home.path(), "temporal").unwrap());
    }
}
