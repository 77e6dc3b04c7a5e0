//! Charts in directories.

use std::fs;
use std::path::Path;

use super::archive::without_bom;
use super::ignore::{Rules, What};
use super::{File, LoadError};

/// The files below a directory that its `.helmignore` lets through.
pub(super) fn files(directory: &Path) -> Result<Vec<File>, LoadError> {
    let rules = match fs::read_to_string(directory.join(".helmignore")) {
        Ok(text) => Rules::parse(&text).map_err(LoadError::Invalid)?,
        Err(_) => Rules::default(),
    };
    let mut files = Vec::new();
    walk(directory, "", &rules.with_defaults(), &mut files)?;
    Ok(files)
}

fn walk(directory: &Path, prefix: &str, rules: &Rules, files: &mut Vec<File>) -> Result<(), LoadError> {
    let fail = |source| LoadError::Read { path: directory.display().to_string(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(fail)? {
        names.push(entry.map_err(fail)?.file_name());
    }
    names.sort();
    for name in names {
        let path = directory.join(&name);
        let name = name.to_string_lossy();
        let relative = if prefix.is_empty() { name.into_owned() } else { format!("{prefix}/{name}") };
        let fail = |source| LoadError::Read { path: relative.clone(), source };
        // Links are followed.
        let kind = fs::metadata(&path).map_err(fail)?;
        if kind.is_dir() {
            if !rules.ignores(&relative, What::Directory) {
                walk(&path, &relative, rules, files)?;
            }
        } else if !rules.ignores(&relative, What::File) {
            let data = fs::read(&path).map_err(fail)?;
            files.push(File::new(relative, without_bom(data)));
        }
    }
    Ok(())
}
