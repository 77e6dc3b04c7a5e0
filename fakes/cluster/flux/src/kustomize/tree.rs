//! The files of an artifact.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;

/// Files by path, without leading `./`.
pub(super) struct Tree {
    files: BTreeMap<String, Vec<u8>>,
}

impl Tree {
    /// Unpacks a gzipped tar archive.
    pub(super) fn unpack(archive: &[u8]) -> Result<Self, String> {
        let mut files = BTreeMap::new();
        let mut archive = tar::Archive::new(GzDecoder::new(archive));
        let broken = |error: std::io::Error| format!("failed to untar artifact: {error}");
        for entry in archive.entries().map_err(broken)? {
            let mut entry = entry.map_err(broken)?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let path = entry.path().map_err(broken)?.to_string_lossy().into_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(broken)?;
            if let Some(path) = join("", &path) {
                files.insert(path, content);
            }
        }
        Ok(Self { files })
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self {
            files: files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect(),
        }
    }

    /// A directory's path within the tree, when there is such a directory; the root is empty.
    pub(super) fn directory(&self, path: &str) -> Option<String> {
        let path = join("", path)?;
        let prefix = format!("{path}/");
        (path.is_empty() || self.files.keys().any(|file| file.starts_with(&prefix))).then_some(path)
    }

    pub(super) fn text(&self, path: &str) -> Option<String> {
        self.files.get(path).map(|content| String::from_utf8_lossy(content).into_owned())
    }

    /// The files below a directory, by path.
    pub(super) fn below(&self, directory: &str) -> impl Iterator<Item = &str> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        self.files.keys().filter(move |file| file.starts_with(&prefix)).map(String::as_str)
    }

    /// The kustomization file of a directory.
    pub(super) fn kustomization_file(&self, directory: &str) -> Option<String> {
        ["kustomization.yaml", "kustomization.yml", "Kustomization"]
            .into_iter()
            .filter_map(|name| join(directory, name))
            .find(|path| self.files.contains_key(path))
    }
}

/// A path relative to a directory; nothing when it leads out of the tree.
pub(super) fn join(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_and_cannot_leave_the_tree() {
        assert_eq!(join("flux/core", "../base/./a.yaml").as_deref(), Some("flux/base/a.yaml"));
        assert_eq!(join("", "./platform").as_deref(), Some("platform"));
        assert_eq!(join("a", "../../b"), None);
    }

    #[test]
    fn a_directory_exists_when_something_lies_in_it() {
        let tree = Tree::of(&[("core/a.yaml", "")]);
        assert_eq!(tree.directory("./core").as_deref(), Some("core"));
        assert_eq!(tree.directory("./").as_deref(), Some(""));
        assert_eq!(tree.directory("./cor"), None);
    }
}
