//! Names of images and artifacts.

use std::fmt;

/// A name of an image taken apart and completed: registry, repository, tag or digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Registry with its port, e.g. `ghcr.io`.
    pub registry: String,
    /// Repository below the registry, e.g. `nine-minds/alga-psa-server`.
    pub repository: String,
    /// Tag; `latest` when the name gives neither tag nor digest.
    pub tag: Option<String>,
    /// Digest.
    pub digest: Option<String>,
}

/// A text that is no name of an image, in the words of the reference library.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Anything that does not fit the grammar.
    #[error("invalid reference format")]
    Format,
    /// The repository has upper-case letters.
    #[error("invalid reference format: repository name ({repository}) must be lowercase")]
    Uppercase {
        /// The repository as written.
        repository: String,
    },
}

impl Reference {
    /// Reads a name as containerd does; `busybox:1` is `docker.io/library/busybox:1`.
    ///
    /// # Errors
    /// [`ReferenceError`] when the text is no name.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let (registry, rest) = split_registry(text);
        let name_part = rest.split(':').next().unwrap_or(rest);
        let name_part = name_part.split('@').next().unwrap_or(name_part);
        if name_part.chars().any(char::is_uppercase) {
            return Err(ReferenceError::Uppercase { repository: name_part.to_owned() });
        }
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (rest, None),
        };
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (rest, None),
        };
        let good = is_repository(repository)
            && tag.as_deref().is_none_or(is_tag)
            && digest.as_deref().is_none_or(is_digest);
        if !good {
            return Err(ReferenceError::Format);
        }
        let repository = if registry == "docker.io" && !repository.contains('/') {
            format!("library/{repository}")
        } else {
            repository.to_owned()
        };
        let tag = if tag.is_none() && digest.is_none() { Some("latest".to_owned()) } else { tag };
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }

    /// The host that serves the registry's API.
    pub fn host(&self) -> &str {
        if self.registry == "docker.io" { "registry-1.docker.io" } else { &self.registry }
    }

    /// What to ask the registry for: the digest, else the tag.
    pub fn target(&self) -> &str {
        self.digest.as_deref().or(self.tag.as_deref()).unwrap_or("latest")
    }

    /// The repository with its registry.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

fn split_registry(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest),
        _ => ("docker.io", text),
    }
}

fn is_repository(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let part = |p: &str| {
        !p.is_empty()
            && p.chars().all(fits)
            && p.starts_with(char::is_alphanumeric)
            && p.ends_with(char::is_alphanumeric)
    };
    text.split('/').all(part)
}

fn is_tag(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !text.is_empty() && text.len() <= 128 && text.chars().all(fits) && !text.starts_with(['.', '-'])
}

fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        !algorithm.is_empty()
            && hex.len() >= 32
            && hex.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
    })
}

#[cfg(test)]
mod tests {
    use super::{Reference, ReferenceError};

    #[test]
    fn short_names_are_completed() {
        assert_eq!(Reference::parse("busybox").unwrap().to_string(), "docker.io/library/busybox:latest");
        assert_eq!(Reference::parse("kindlab/sleeper:1").unwrap().to_string(), "docker.io/kindlab/sleeper:1");
        let full = Reference::parse("ghcr.io/nine-minds/alga:1.0-rc5").unwrap();
        assert_eq!(
            (full.host(), full.repository.as_str(), full.target()),
            ("ghcr.io", "nine-minds/alga", "1.0-rc5")
        );
    }

    #[test]
    fn a_digest_wins_over_a_tag() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let reference = Reference::parse(&format!("localhost:5000/a:1@{digest}")).unwrap();
        assert_eq!((reference.registry.as_str(), reference.target()), ("localhost:5000", digest.as_str()));
    }

    #[test]
    fn upper_case_is_told_apart_from_other_nonsense() {
        let error = Reference::parse("ghcr.io/Nine-Minds/alga:X:Y").unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid reference format: repository name (Nine-Minds/alga) must be lowercase"
        );
        assert_eq!(Reference::parse("ghcr.io/a:x:y"), Err(ReferenceError::Format));
        assert_eq!(Reference::parse(""), Err(ReferenceError::Format));
    }
}
