//! Why an artifact could not be pulled, in the words of the two libraries that the source-controller pulls with.

use cluster_node::oci::{Error, RegistryError};

/// A failed pull.
#[derive(Debug, thiserror::Error)]
pub(super) enum PullError {
    /// What the client says.
    #[error("{}", as_artifact(.0))]
    Registry(Error),
    /// Something found out here.
    #[error("{0}")]
    Words(String),
    /// It took longer than the source's timeout.
    #[error("context deadline exceeded")]
    Timeout,
}

impl From<Error> for PullError {
    fn from(error: Error) -> Self {
        Self::Registry(error)
    }
}

impl PullError {
    /// The words of the library that pulls charts.
    pub(super) fn as_chart(&self, reference: &str) -> String {
        match self {
            Self::Registry(Error::Status { code: 404, .. }) => format!("{reference}: not found"),
            Self::Registry(Error::Status { method, url, status, errors, .. }) => {
                let words: Vec<String> = errors.iter().map(lower).collect();
                let words = if words.is_empty() { reason_of(status).to_owned() } else { words.join("; ") };
                format!("{method} \"{url}\": response status code {}: {words}", code_of(status))
            }
            other => other.to_string(),
        }
    }
}

fn lower(error: &RegistryError) -> String {
    let code = error.code.to_lowercase().replace('_', " ");
    match error.detail_in_go() {
        Some(detail) => format!("{code}: {}: {detail}", error.message),
        None => format!("{code}: {}", error.message),
    }
}

fn plain(error: &RegistryError) -> String {
    match error.detail_in_go() {
        Some(detail) => format!("{}: {}; {detail}", error.code, error.message),
        None => format!("{}: {}", error.code, error.message),
    }
}

fn code_of(status: &str) -> &str {
    status.split_once(' ').map_or(status, |(code, _)| code)
}

fn reason_of(status: &str) -> &str {
    status.split_once(' ').map_or(status, |(_, reason)| reason)
}

/// The words of the library that pulls artifacts.
fn as_artifact(error: &Error) -> String {
    match error {
        Error::Status { method, url, status, errors, .. } if errors.is_empty() => {
            format!("{method} {url}: unexpected status code {status}")
        }
        Error::Status { method, url, errors, .. } => {
            let words: Vec<String> = errors.iter().map(plain).collect();
            format!("{method} {url}: {}", words.join("; "))
        }
        Error::Authorize(inner) => as_artifact(inner),
        Error::ShortRead { cause, .. } => cause.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(code: u16, status: &str, errors: Vec<RegistryError>) -> PullError {
        let url = "https://r/v2/charts/app/manifests/9.9.9".to_owned();
        PullError::Registry(Error::Status {
            method: "GET".to_owned(),
            url,
            status: status.to_owned(),
            code,
            errors,
        })
    }

    #[test]
    fn a_missing_tag_is_told_in_the_registrys_words_for_artifacts_and_as_not_found_for_charts() {
        let error = refused(404, "404 Not Found", vec![unknown(None)]);
        assert_eq!(
            error.to_string(),
            "GET https://r/v2/charts/app/manifests/9.9.9: MANIFEST_UNKNOWN: Unknown manifest"
        );
        assert_eq!(error.as_chart("r/charts/app:9.9.9"), "r/charts/app:9.9.9: not found");
    }

    fn unknown(detail: Option<serde_json::Value>) -> RegistryError {
        RegistryError { code: "MANIFEST_UNKNOWN".to_owned(), message: "Unknown manifest".to_owned(), detail }
    }

    #[test]
    fn what_a_registry_adds_is_told_as_each_library_tells_it() {
        let error = refused(429, "429 Too Many Requests", vec![unknown(Some(json!("tag=9")))]);
        assert!(error.to_string().ends_with("MANIFEST_UNKNOWN: Unknown manifest; tag=9"), "{error}");
        let named = unknown(Some(json!({"name": "charts/app", "Tag": ["a", 1]})));
        let error = refused(429, "429 Too Many Requests", vec![named]);
        let told = error.as_chart("r/charts/app:9.9.9");
        assert!(
            told.ends_with("manifest unknown: Unknown manifest: map[Tag:[a 1] name:charts/app]"),
            "{told}"
        );
    }

    #[test]
    fn an_answer_without_words_is_told_by_its_status() {
        let error = refused(503, "503 Service Unavailable", Vec::new());
        assert_eq!(
            error.to_string(),
            "GET https://r/v2/charts/app/manifests/9.9.9: unexpected status code 503 Service Unavailable"
        );
        assert_eq!(
            error.as_chart("r/charts/app:9.9.9"),
            "GET \"https://r/v2/charts/app/manifests/9.9.9\": response status code 503: Service Unavailable"
        );
    }
}
