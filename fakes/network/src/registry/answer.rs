//! Answers, and errors as registries word them.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

/// What is sent.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content,
    /// The error that it tells, and its details.
    error: Option<(ErrorCode, Value)>,
}

/// The body, and what it is to faults.
#[derive(Debug)]
pub(crate) enum Content {
    /// Nothing or some words; faults of the transfer leave it alone.
    Words(Bytes),
    Manifest(Bytes),
    /// Some bytes of a blob, beginning at this offset in it.
    Blob {
        bytes: Bytes,
        offset: u64,
    },
}

impl Content {
    pub(crate) fn bytes(&self) -> &Bytes {
        match self {
            Self::Words(bytes) | Self::Manifest(bytes) | Self::Blob { bytes, .. } => bytes,
        }
    }
}

impl Answer {
    pub(crate) fn new(status: StatusCode, content: Content) -> Self {
        Self { status, headers: HeaderMap::new(), content, error: None }
    }

    pub(crate) fn empty(status: StatusCode) -> Self {
        Self::new(status, Content::Words(Bytes::new()))
    }

    pub(crate) fn json(status: StatusCode, value: &Value) -> Self {
        Self::new(status, Content::Words(value.to_string().into()))
            .with(header::CONTENT_TYPE, "application/json")
    }

    pub(crate) fn error(error: ErrorCode, detail: Value) -> Self {
        let (status, code, message) = error.words();
        let body = json!({ "errors": [{ "code": code, "message": message, "detail": detail }] });
        Self { error: Some((error, detail)), ..Self::json(status, &body) }
    }

    /// The same answer in the words of another implementation.
    pub(crate) fn worded(mut self, wording: Wording) -> Self {
        if let (Wording::GoContainerRegistry, Some((error, _))) = (wording, &self.error)
            && let Some(message) = error.in_go_words()
        {
            let body = json!({ "errors": [{ "code": error.words().1, "message": message }] });
            self.content = Content::Words(body.to_string().into());
        }
        self
    }

    /// A value that no header may have is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.insert(name, value);
        }
        self
    }
}

/// The errors of the distribution specification.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ErrorCode {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    Denied,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    RangeInvalid,
    TagInvalid,
    TooManyRequests,
    Unauthorized,
    Unsupported,
    Failed(StatusCode),
}

/// Whose words a registry has for its errors; the codes are the specification's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wording {
    /// Those of the distribution registry, which most hosts have.
    #[default]
    Distribution,
    /// Those of go-containerregistry, which registries made for tests have.
    GoContainerRegistry,
}

impl ErrorCode {
    fn in_go_words(self) -> Option<&'static str> {
        Some(match self {
            Self::BlobUnknown => "Unknown blob",
            Self::ManifestUnknown => "Unknown manifest",
            Self::NameUnknown => "Unknown name",
            Self::TooManyRequests => "rate limit exceeded",
            _ => return None,
        })
    }

    fn words(self) -> (StatusCode, &'static str, &'static str) {
        let (bad, absent) = (StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND);
        match self {
            Self::BlobUnknown => (absent, "BLOB_UNKNOWN", "blob unknown to registry"),
            Self::BlobUploadInvalid => (bad, "BLOB_UPLOAD_INVALID", "blob upload invalid"),
            Self::BlobUploadUnknown => (absent, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry"),
            Self::Denied => (StatusCode::FORBIDDEN, "DENIED", "requested access to the resource is denied"),
            Self::DigestInvalid => (bad, "DIGEST_INVALID", "provided digest did not match uploaded content"),
            Self::ManifestBlobUnknown => (bad, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry"),
            Self::ManifestInvalid => (bad, "MANIFEST_INVALID", "manifest invalid"),
            Self::ManifestUnknown => (absent, "MANIFEST_UNKNOWN", "manifest unknown"),
            Self::NameInvalid => (bad, "NAME_INVALID", "invalid repository name"),
            Self::NameUnknown => (absent, "NAME_UNKNOWN", "repository name not known to registry"),
            Self::RangeInvalid => {
                (StatusCode::RANGE_NOT_SATISFIABLE, "RANGE_INVALID", "invalid content range")
            }
            Self::TagInvalid => (bad, "TAG_INVALID", "manifest tag did not match URI"),
            Self::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", "too many requests"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "authentication required"),
            Self::Unsupported => {
                (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "the operation is unsupported")
            }
            Self::Failed(StatusCode::SERVICE_UNAVAILABLE) => {
                (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "service unavailable")
            }
            Self::Failed(status) => (status, "UNKNOWN", "unknown error"),
        }
    }
}
