//! How content is named: hosts, repositories, tags, digests.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::fault::Target;
use crate::pattern::Pattern;

/// Where the images of `docker.io` really are.
const DOCKER_HUB: &str = "docker.io";
const DOCKER_HUB_HOSTS: [&str; 3] = ["docker.io", "registry-1.docker.io", "index.docker.io"];

/// A text is no name of a repository, or no name of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a {expected}: {text:?}")]
pub struct InvalidReference {
    expected: &'static str,
    text: String,
}

/// The SHA-256 digest of some content, such as `sha256:2c26…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut text = "sha256:".to_owned();
        for byte in Sha256::digest(bytes) {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// Reads a digest that somebody wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("sha256:")?;
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (hex.len() == 64 && hex.bytes().all(lower_hex)).then(|| Self(text.to_owned()))
    }

    /// The digest as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A repository at a host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Repository {
    pub(crate) host: String,
    pub(crate) path: String,
}

impl Repository {
    /// `path` as it stands in a request.
    pub(crate) fn at(host: &str, path: &str) -> Result<Self, InvalidReference> {
        let part = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
                && part.starts_with(|c: char| c.is_ascii_alphanumeric())
        };
        if !path.split('/').all(part) {
            return Err(InvalidReference { expected: "repository", text: path.to_owned() });
        }
        Ok(Self { host: canonical_host(host), path: path.to_owned() })
    }

    /// Reads `host/path`, as people write it.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidReference> {
        let Some((host, path)) = text.split_once('/').filter(|(host, _)| !host.is_empty()) else {
            return Err(InvalidReference { expected: "host and repository", text: text.to_owned() });
        };
        let host = canonical_host(host);
        if host == DOCKER_HUB && !path.contains('/') {
            return Self::at(&host, &format!("library/{path}"));
        }
        Self::at(&host, path)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.path)
    }
}

/// Reads the name of a tag.
pub(crate) fn tag(text: &str) -> Result<String, InvalidReference> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let valid =
        !text.is_empty() && text.len() <= 128 && !text.starts_with(['.', '-']) && text.bytes().all(allowed);
    if valid { Ok(text.to_owned()) } else { Err(InvalidReference { expected: "tag", text: text.to_owned() }) }
}

/// Without the port, lowercase, and one name for all hosts of the Docker Hub.
pub(crate) fn canonical_host(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.to_ascii_lowercase();
    if DOCKER_HUB_HOSTS.contains(&name.as_str()) { DOCKER_HUB.to_owned() } else { name }
}

/// Reads `host/path[:tag][@digest]`, where each part may be a pattern.
pub(crate) fn target(image: &str) -> Target {
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let path_at = name.find('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match name[path_at..].rfind(':') {
        Some(colon) => (&name[..path_at + colon], Some(&name[path_at + colon + 1..])),
        None => (name, None),
    };
    let (host, path) = name.split_once('/').unwrap_or((name, "*"));
    let host = canonical_host(host);
    let official = host == DOCKER_HUB && !path.contains(['/', '*']);
    let path = if official { format!("library/{path}") } else { path.to_owned() };
    Target {
        host: Pattern::new(host),
        repository: Pattern::new(path),
        reference: digest.or(tag).map_or_else(Pattern::any, Pattern::new),
    }
}

#[cfg(test)]
mod tests {
    use super::{Digest, Repository, target};

    #[test]
    fn a_repository_is_read_as_people_write_it() {
        let shown = |text: &str| Repository::parse(text).map(|repository| repository.to_string());
        assert_eq!(shown("ghcr.io/org/app").unwrap(), "ghcr.io/org/app");
        assert_eq!(shown("registry-1.docker.io/busybox").unwrap(), "docker.io/library/busybox");
        assert_eq!(shown("127.0.0.1:5000/a").unwrap(), "127.0.0.1/a");
        assert_eq!(shown("busybox").unwrap_err().to_string(), "not a host and repository: \"busybox\"");
        assert!(shown("ghcr.io/Org/app").is_err());
    }

    #[test]
    fn a_target_is_an_image_with_stars() {
        let all = target("ghcr.io/org/*:1.0");
        assert!(
            all.repository.matches("org/app")
                && all.reference.matches("1.0")
                && !all.reference.matches("1.1")
        );
        assert!(target("docker.io/redis").repository.matches("library/redis"));
        assert!(target("quay.io/a/b").reference.is_any());
        let pinned = target("quay.io/a/b@sha256:12");
        assert!(pinned.repository.matches("a/b") && pinned.reference.matches("sha256:12"));
    }

    #[test]
    fn a_digest_is_that_of_the_bytes() {
        let foo = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
        assert_eq!(Digest::of(b"foo").as_str(), foo);
        assert_eq!(Digest::parse(foo), Some(Digest::of(b"foo")));
        assert_eq!(Digest::parse("sha256:2C"), None);
    }
}
