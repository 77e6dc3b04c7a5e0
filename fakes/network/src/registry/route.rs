//! From a path to what it asks for.

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    Ping,
    Token { repository: Option<String> },
    Manifest { repository: String, reference: String },
    Blob { repository: String, digest: String },
    Uploads { repository: String },
    Upload { repository: String, id: String },
    Tags { repository: String },
    Referrers { repository: String, digest: String },
    Unknown,
}

impl Route {
    pub(crate) fn read(path: &str, query: &Query) -> Self {
        let path = percent_decoded(path);
        if path == "/token" {
            return Self::Token { repository: query.get("scope").and_then(scope_repository) };
        }
        let Some(rest) = path.strip_prefix("/v2") else { return Self::Unknown };
        if rest.is_empty() || rest == "/" {
            return Self::Ping;
        }
        let Some(rest) = rest.strip_prefix('/') else { return Self::Unknown };
        Self::of_content(rest).unwrap_or(Self::Unknown)
    }

    fn of_content(rest: &str) -> Option<Self> {
        if let Some(repository) = rest.strip_suffix("/tags/list") {
            return Some(Self::Tags { repository: repository.to_owned() });
        }
        if let Some((repository, id)) = rest.rsplit_once("/blobs/uploads/") {
            let repository = repository.to_owned();
            let id = id.to_owned();
            return Some(if id.is_empty() {
                Self::Uploads { repository }
            } else {
                Self::Upload { repository, id }
            });
        }
        if let Some(repository) = rest.strip_suffix("/blobs/uploads") {
            return Some(Self::Uploads { repository: repository.to_owned() });
        }
        let (name, last) = rest.rsplit_once('/')?;
        let (repository, kind) = name.rsplit_once('/')?;
        let (repository, last) = (repository.to_owned(), last.to_owned());
        match kind {
            "manifests" => Some(Self::Manifest { repository, reference: last }),
            "blobs" => Some(Self::Blob { repository, digest: last }),
            "referrers" => Some(Self::Referrers { repository, digest: last }),
            _ => None,
        }
    }

    pub(crate) fn repository(&self) -> Option<&str> {
        match self {
            Self::Ping | Self::Unknown => None,
            Self::Token { repository } => repository.as_deref(),
            Self::Manifest { repository, .. }
            | Self::Blob { repository, .. }
            | Self::Uploads { repository }
            | Self::Upload { repository, .. }
            | Self::Tags { repository }
            | Self::Referrers { repository, .. } => Some(repository),
        }
    }

    pub(crate) fn reference(&self) -> Option<&str> {
        match self {
            Self::Manifest { reference, .. } => Some(reference),
            Self::Blob { digest, .. } | Self::Referrers { digest, .. } => Some(digest),
            _ => None,
        }
    }
}

/// The parameters of a request.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn read(query: &str) -> Self {
        let pair = |pair: &str| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decoded(key), percent_decoded(value))
        };
        Self(query.split('&').filter(|part| !part.is_empty()).map(pair).collect())
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }
}

/// `repository:org/app:pull` is about `org/app`.
fn scope_repository(scope: &str) -> Option<String> {
    let (path, _actions) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
    Some(path.to_owned())
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Query, Route};

    #[test]
    fn a_path_is_read_from_its_end_since_repositories_have_slashes() {
        let read = |path: &str| Route::read(path, &Query::default());
        let (repository, reference) = ("org/manifests/app".to_owned(), "1.0".to_owned());
        assert_eq!(read("/v2/org/manifests/app/manifests/1.0"), Route::Manifest { repository, reference });
        let (repository, digest) = ("a".to_owned(), "sha256:12".to_owned());
        assert_eq!(read("/v2/a/blobs/sha256%3A12"), Route::Blob { repository, digest });
        assert_eq!(read("/v2/a/b/blobs/uploads/"), Route::Uploads { repository: "a/b".to_owned() });
        assert_eq!(read("/v2/"), Route::Ping);
        assert_eq!(read("/v2x"), Route::Unknown);
    }

    #[test]
    fn a_token_is_for_the_repository_of_its_scope() {
        let query = Query::read("service=ghcr.io&scope=repository%3Aorg%2Fapp%3Apull");
        assert_eq!(Route::read("/token", &query).repository(), Some("org/app"));
    }
}
