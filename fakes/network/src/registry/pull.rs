//! Reading: manifests, blobs, tags, referrers, tokens.

use bytes::Bytes;
use http::{HeaderName, StatusCode, header};
use serde_json::{Value, json};

use super::answer::{Answer, Content, ErrorCode};
use super::name::{Digest, Repository};
use super::route::Query;
use super::store::Store;

pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// How long a token says that it is good for; it is never looked at again.
const TOKEN_SECONDS: u32 = 300;

pub(crate) fn ping() -> Answer {
    Answer::json(StatusCode::OK, &json!({}))
}

/// Anybody gets a token.
pub(crate) fn token(issued_at: jiff::Timestamp) -> Answer {
    let token = "anonymous";
    let body = json!({
        "token": token, "access_token": token, "expires_in": TOKEN_SECONDS, "issued_at": issued_at.to_string(),
    });
    Answer::json(StatusCode::OK, &body)
}

pub(crate) fn manifest(store: &Store, repository: &Repository, reference: &str) -> Answer {
    let Some((digest, manifest)) = store.manifest(repository, reference) else {
        return absent(store, repository, reference);
    };
    Answer::new(StatusCode::OK, Content::Manifest(manifest.bytes.clone()))
        .with(header::CONTENT_TYPE, &manifest.media_type)
        .with(header::ETAG, format!("\"{digest}\""))
        .with(CONTENT_DIGEST, digest.as_str())
}

fn absent(store: &Store, repository: &Repository, reference: &str) -> Answer {
    if !store.knows(repository) {
        return Answer::error(ErrorCode::NameUnknown, json!({ "name": repository.path }));
    }
    let detail = match Digest::parse(reference) {
        Some(digest) => json!(format!("unknown manifest name={} revision={digest}", repository.path)),
        None => json!(format!("unknown tag={reference}")),
    };
    Answer::error(ErrorCode::ManifestUnknown, detail)
}

/// A blob, or the part of it that `range` (the header's text) asks for.
pub(crate) fn blob(store: &Store, repository: &Repository, digest: &str, range: Option<&str>) -> Answer {
    let Some(digest) = Digest::parse(digest) else {
        return Answer::error(ErrorCode::DigestInvalid, json!({ "digest": digest }));
    };
    let Some(bytes) = store.blob(repository, &digest) else {
        let code = if store.knows(repository) { ErrorCode::BlobUnknown } else { ErrorCode::NameUnknown };
        return Answer::error(code, json!({ "digest": digest, "name": repository.path }));
    };
    part(bytes, range)
        .with(header::ACCEPT_RANGES, "bytes")
        .with(header::ETAG, format!("\"{digest}\""))
        .with(CONTENT_DIGEST, digest.as_str())
}

fn part(bytes: Bytes, range: Option<&str>) -> Answer {
    let length = bytes.len();
    let some = |status, bytes, offset| {
        Answer::new(status, Content::Blob { bytes, offset })
            .with(header::CONTENT_TYPE, "application/octet-stream")
    };
    match range.and_then(|range| asked_range(range, length)) {
        None => some(StatusCode::OK, bytes, 0),
        Some(Range::Outside) => Answer::error(ErrorCode::RangeInvalid, Value::Null)
            .with(header::CONTENT_RANGE, format!("bytes */{length}")),
        Some(Range::Inside { first, last }) => {
            some(StatusCode::PARTIAL_CONTENT, bytes.slice(first..=last), first as u64)
                .with(header::CONTENT_RANGE, format!("bytes {first}-{last}/{length}"))
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    Inside { first: usize, last: usize },
    Outside,
}

/// Reads one range; nothing for what cannot be read, since that is to be overlooked.
fn asked_range(text: &str, length: usize) -> Option<Range> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = match (first, last) {
        ("", count) => (length.saturating_sub(count.parse().ok()?), usize::MAX),
        (first, "") => (first.parse().ok()?, usize::MAX),
        (first, last) => (first.parse().ok()?, last.parse().ok()?),
    };
    if last < first {
        return None;
    }
    Some(if first < length { Range::Inside { first, last: last.min(length - 1) } } else { Range::Outside })
}

/// The tags in order; `n` and `last` take a page.
pub(crate) fn tags(store: &Store, repository: &Repository, query: &Query) -> Answer {
    let Some(all) = store.tags(repository) else {
        return Answer::error(ErrorCode::NameUnknown, json!({ "name": repository.path }));
    };
    let after = query.get("last").unwrap_or_default();
    let rest: Vec<String> = all.into_iter().filter(|tag| tag.as_str() > after).collect();
    let size = query.get("n").and_then(|n| n.parse().ok()).unwrap_or(rest.len());
    let page = &rest[..size.min(rest.len())];
    let answer = Answer::json(StatusCode::OK, &json!({ "name": repository.path, "tags": page }));
    match page.last() {
        Some(last) if page.len() < rest.len() => {
            let next = format!("</v2/{}/tags/list?n={size}&last={last}>; rel=\"next\"", repository.path);
            answer.with(header::LINK, next)
        }
        _ => answer,
    }
}

pub(crate) fn referrers(store: &Store, repository: &Repository, digest: &str, query: &Query) -> Answer {
    let Some(subject) = Digest::parse(digest) else {
        return Answer::error(ErrorCode::DigestInvalid, json!({ "digest": digest }));
    };
    let wanted = query.get("artifactType");
    let found = store.referrers(repository, &subject).into_iter().map(|(digest, manifest)| {
        let value: Value = serde_json::from_slice(&manifest.bytes).unwrap_or_default();
        let artifact_type = if value["artifactType"].is_null() {
            value["config"]["mediaType"].clone()
        } else {
            value["artifactType"].clone()
        };
        let mut entry =
            json!({"mediaType": manifest.media_type, "digest": digest, "size": manifest.bytes.len()});
        for (field, value) in [("artifactType", &artifact_type), ("annotations", &value["annotations"])] {
            if !value.is_null() {
                entry[field] = value.clone();
            }
        }
        entry
    });
    let fits = |entry: &Value| wanted.is_none_or(|wanted| entry["artifactType"] == wanted);
    let manifests: Vec<Value> = found.filter(fits).collect();
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
    let answer = Answer::json(StatusCode::OK, &index).with(header::CONTENT_TYPE, INDEX);
    if wanted.is_some() {
        return answer.with(HeaderName::from_static("oci-filters-applied"), "artifactType");
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::{Range, asked_range};

    #[test]
    fn a_range_is_clipped_to_the_blob() {
        assert_eq!(asked_range("bytes=2-", 10), Some(Range::Inside { first: 2, last: 9 }));
        assert_eq!(asked_range("bytes=2-3", 10), Some(Range::Inside { first: 2, last: 3 }));
        assert_eq!(asked_range("bytes=-3", 10), Some(Range::Inside { first: 7, last: 9 }));
        assert_eq!(asked_range("bytes=10-", 10), Some(Range::Outside));
        assert_eq!(asked_range("bytes=3-2", 10), None);
        assert_eq!(asked_range("lines=1-2", 10), None);
    }
}
