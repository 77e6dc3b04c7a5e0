//! What containerd says when a pull fails.

use std::fmt;

use crate::oci::Error;

/// At which step a pull failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Asking what the name is.
    Resolve,
    /// Fetching a manifest or blob.
    Fetch,
}

/// A failed pull. Its text is what the kubelet passes on: the gRPC code stands before it only for errors that have one.
#[derive(Clone, Debug)]
pub(crate) struct PullError {
    image: String,
    cause: Cause,
}

#[derive(Clone, Debug)]
enum Cause {
    Registry(Step, Box<Error>),
    Digest { content: String, expected: String, got: String },
    Canceled,
    Document(String),
}

impl PullError {
    pub(crate) fn registry(image: &str, step: Step, error: Error) -> Self {
        Self { image: image.to_owned(), cause: Cause::Registry(step, Box::new(error)) }
    }

    pub(crate) fn digest(image: &str, content: String, expected: &str, got: String) -> Self {
        Self { image: image.to_owned(), cause: Cause::Digest { content, expected: expected.to_owned(), got } }
    }

    pub(crate) fn canceled(image: &str) -> Self {
        Self { image: image.to_owned(), cause: Cause::Canceled }
    }

    pub(crate) fn document(image: &str, text: String) -> Self {
        Self { image: image.to_owned(), cause: Cause::Document(text) }
    }

    /// What went wrong, without what the caller of a pull says of it.
    pub(crate) fn cause(&self) -> Bare<'_> {
        Bare(self)
    }

    /// The code that survives the way from containerd to the kubelet.
    fn code(&self) -> Option<&'static str> {
        match &self.cause {
            Cause::Registry(_, error) if error.code() == Some(404) => Some("NotFound"),
            Cause::Digest { .. } => Some("FailedPrecondition"),
            Cause::Registry(..) | Cause::Canceled | Cause::Document(_) => None,
        }
    }
}

impl fmt::Display for PullError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let image = &self.image;
        if let Some(code) = self.code() {
            write!(f, "rpc error: code = {code} desc = ")?;
        }
        write!(f, "failed to pull and unpack image \"{image}\": {}", self.cause())
    }
}

/// What went wrong, without what the caller of a pull says of it.
pub(crate) struct Bare<'a>(&'a PullError);

impl fmt::Display for Bare<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let image = &self.0.image;
        match &self.0.cause {
            Cause::Registry(Step::Resolve, error) => {
                write!(f, "failed to resolve reference \"{image}\": ")?;
                resolve_text(f, image, error)
            }
            Cause::Registry(Step::Fetch, error) => fetch_text(f, error),
            Cause::Digest { content, expected, got } => write!(
                f,
                "failed commit on ref \"{content}\": unexpected commit digest {got}, expected {expected}: failed precondition"
            ),
            Cause::Canceled => f.write_str("context canceled"),
            Cause::Document(text) => f.write_str(text),
        }
    }
}

fn resolve_text(f: &mut fmt::Formatter<'_>, image: &str, error: &Error) -> fmt::Result {
    match error {
        Error::Request(error) => write!(f, "failed to do request: {error}"),
        Error::Status { code: 404, .. } => write!(f, "{image}: not found"),
        error => write!(f, "{error}"),
    }
}

fn fetch_text(f: &mut fmt::Formatter<'_>, error: &Error) -> fmt::Result {
    match error {
        Error::Request(error) => {
            write!(f, "failed to copy: httpReadSeeker: failed open: failed to do request: {error}")
        }
        Error::Status { code: 404, url, .. } => {
            write!(f, "failed to copy: httpReadSeeker: failed open: content at {url} not found: not found")
        }
        Error::Status { url, status, .. } => {
            write!(f, "failed to copy: httpReadSeeker: failed open: unexpected status code {url}: {status}")
        }
        error => write!(f, "{error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{PullError, Step};
    use crate::dns::{DialError, DnsError, DnsFailure};
    use crate::oci::{BodyError, Error, RequestError, RequestFailure};

    const IMAGE: &str = "ghcr.io/nine-minds/alga-psa-server:x";

    fn status(code: u16, words: &str) -> Error {
        let url = "https://ghcr.io/v2/nine-minds/alga-psa-server/manifests/x".to_owned();
        let status = format!("{code} {words}");
        Error::Status { method: "HEAD".into(), url, status, code, errors: Vec::new() }
    }

    #[test]
    fn a_missing_tag_reads_as_recorded() {
        let text = PullError::registry(IMAGE, Step::Resolve, status(404, "Not Found")).to_string();
        assert_eq!(
            text,
            format!(
                "rpc error: code = NotFound desc = failed to pull and unpack image \"{IMAGE}\": failed to resolve reference \"{IMAGE}\": {IMAGE}: not found"
            )
        );
    }

    #[test]
    fn a_refusal_has_no_code_in_front() {
        let text = PullError::registry(IMAGE, Step::Resolve, status(403, "Forbidden")).to_string();
        assert!(text.starts_with("failed to pull and unpack image"), "{text}");
        assert!(text.ends_with("unexpected status from HEAD request to https://ghcr.io/v2/nine-minds/alga-psa-server/manifests/x: 403 Forbidden"), "{text}");
    }

    #[test]
    fn a_lookup_that_fails_is_told_in_full() {
        let server = "127.0.0.1:53".parse().unwrap();
        let failure = RequestFailure::Dial(DialError::Lookup(DnsError {
            name: "ghcr.io".into(),
            server,
            failure: DnsFailure::NoSuchHost,
        }));
        let error = RequestError {
            method: "Head".into(),
            url: "https://ghcr.io/v2/nine-minds/alga-psa-server/manifests/x".into(),
            failure,
        };
        let text = PullError::registry(IMAGE, Step::Resolve, error.into()).to_string();
        assert!(text.ends_with("failed to do request: Head \"https://ghcr.io/v2/nine-minds/alga-psa-server/manifests/x\": dial tcp: lookup ghcr.io on 127.0.0.1:53: no such host"), "{text}");
    }

    #[test]
    fn a_cut_transfer_counts_its_bytes() {
        let error =
            Error::ShortRead { expected: 13_145_738, got: 6_572_869, cause: BodyError::UnexpectedEof };
        let text = PullError::registry(IMAGE, Step::Fetch, error).to_string();
        assert_eq!(
            text,
            format!(
                "failed to pull and unpack image \"{IMAGE}\": short read: expected 13145738 bytes but got 6572869: unexpected EOF"
            )
        );
    }
}
