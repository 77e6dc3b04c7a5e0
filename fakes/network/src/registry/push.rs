//! Writing: uploads of blobs, manifests, deletions.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde_json::{Value, json};

use super::answer::{Answer, ErrorCode};
use super::image::MANIFEST;
use super::name::{self, Digest, Repository};
use super::pull::CONTENT_DIGEST;
use super::route::Query;
use super::store::{Manifest, Store};

const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// `POST …/blobs/uploads/`: mounts, takes a whole blob at once, or begins an upload.
pub(crate) fn begin(store: &mut Store, repository: Repository, query: &Query, body: Bytes) -> Answer {
    let mounted = query.get("mount").and_then(Digest::parse).filter(|digest| {
        let from = query.get("from").and_then(|from| Repository::at(&repository.host, from).ok());
        from.is_some_and(|from| store.mount_blob(&repository, &from, digest))
    });
    if let Some(digest) = mounted {
        return created(&repository, &digest);
    }
    if let Some(digest) = query.get("digest") {
        return keep(store, &repository, digest, body);
    }
    let id = store.begin_upload(repository.clone());
    accepted(StatusCode::ACCEPTED, &repository, &id, 0)
}

/// `PATCH …/blobs/uploads/ID`.
pub(crate) fn append(
    store: &mut Store,
    repository: &Repository,
    id: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Answer {
    let Some(upload) = store.upload(repository, id) else { return no_upload(id) };
    let claimed = headers.get(header::CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let starts = claimed.and_then(|range| range.trim_start_matches("bytes ").split('-').next()?.parse().ok());
    if starts.is_some_and(|start: usize| start != upload.bytes.len()) {
        return Answer::error(ErrorCode::RangeInvalid, Value::Null);
    }
    upload.bytes.extend_from_slice(body);
    let length = upload.bytes.len();
    accepted(StatusCode::ACCEPTED, repository, id, length)
}

/// `PUT …/blobs/uploads/ID?digest=…`.
pub(crate) fn finish(
    store: &mut Store,
    repository: &Repository,
    id: &str,
    query: &Query,
    body: &[u8],
) -> Answer {
    let Some(mut upload) = store.end_upload(repository, id) else { return no_upload(id) };
    let Some(digest) = query.get("digest") else {
        return Answer::error(ErrorCode::DigestInvalid, Value::Null);
    };
    upload.bytes.extend_from_slice(body);
    keep(store, repository, digest, upload.bytes.freeze())
}

/// `GET …/blobs/uploads/ID`.
pub(crate) fn progress(store: &mut Store, repository: &Repository, id: &str) -> Answer {
    match store.upload(repository, id) {
        Some(upload) => accepted(StatusCode::NO_CONTENT, repository, id, upload.bytes.len()),
        None => no_upload(id),
    }
}

/// `DELETE …/blobs/uploads/ID`.
pub(crate) fn abort(store: &mut Store, repository: &Repository, id: &str) -> Answer {
    match store.end_upload(repository, id) {
        Some(_) => Answer::empty(StatusCode::NO_CONTENT),
        None => no_upload(id),
    }
}

/// `PUT …/manifests/REFERENCE`.
pub(crate) fn manifest(
    store: &mut Store,
    repository: &Repository,
    reference: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Answer {
    let media_type =
        headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or(MANIFEST);
    let manifest = match Manifest::read(media_type, body) {
        Ok(manifest) => manifest,
        Err(error) => return Answer::error(ErrorCode::ManifestInvalid, json!(error.to_string())),
    };
    let digest = Digest::of(&manifest.bytes);
    let by_digest = reference.contains(':');
    if by_digest && reference != digest.as_str() {
        return Answer::error(ErrorCode::DigestInvalid, json!({ "digest": reference }));
    }
    if !by_digest && name::tag(reference).is_err() {
        return Answer::error(ErrorCode::TagInvalid, json!({ "tag": reference }));
    }
    if let Some(missing) = store.lacks(repository, &manifest) {
        return Answer::error(ErrorCode::ManifestBlobUnknown, json!({ "digest": missing }));
    }
    let subject = manifest.subject.clone();
    store.put_manifest(repository, manifest);
    if !by_digest {
        store.set_tag(repository, reference, digest.clone());
    }
    let answer = Answer::empty(StatusCode::CREATED)
        .with(header::LOCATION, format!("/v2/{}/manifests/{digest}", repository.path))
        .with(CONTENT_DIGEST, digest.as_str());
    match subject {
        Some(subject) => answer.with(SUBJECT, subject.as_str()),
        None => answer,
    }
}

/// `DELETE …/manifests/REFERENCE`.
pub(crate) fn delete_manifest(store: &mut Store, repository: &Repository, reference: &str) -> Answer {
    let gone = match Digest::parse(reference) {
        Some(digest) => store.remove_manifest(repository, &digest),
        None => store.remove_tag(repository, reference).is_some(),
    };
    if gone {
        return Answer::empty(StatusCode::ACCEPTED);
    }
    Answer::error(ErrorCode::ManifestUnknown, json!({ "reference": reference }))
}

/// `DELETE …/blobs/DIGEST`.
pub(crate) fn delete_blob(store: &mut Store, repository: &Repository, digest: &str) -> Answer {
    if Digest::parse(digest).is_some_and(|digest| store.remove_blob(repository, &digest)) {
        return Answer::empty(StatusCode::ACCEPTED);
    }
    Answer::error(ErrorCode::BlobUnknown, json!({ "digest": digest }))
}

fn keep(store: &mut Store, repository: &Repository, promised: &str, bytes: Bytes) -> Answer {
    if Digest::of(&bytes).as_str() != promised {
        return Answer::error(ErrorCode::DigestInvalid, json!({ "digest": promised }));
    }
    let digest = store.put_blob(repository, bytes);
    created(repository, &digest)
}

fn created(repository: &Repository, digest: &Digest) -> Answer {
    Answer::empty(StatusCode::CREATED)
        .with(header::LOCATION, format!("/v2/{}/blobs/{digest}", repository.path))
        .with(CONTENT_DIGEST, digest.as_str())
}

fn accepted(status: StatusCode, repository: &Repository, id: &str, length: usize) -> Answer {
    Answer::empty(status)
        .with(header::LOCATION, format!("/v2/{}/blobs/uploads/{id}", repository.path))
        .with(header::RANGE, format!("0-{}", length.saturating_sub(1)))
        .with(UPLOAD_ID, id)
}

fn no_upload(id: &str) -> Answer {
    let code = if id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        ErrorCode::BlobUploadUnknown
    } else {
        ErrorCode::BlobUploadInvalid
    };
    Answer::error(code, json!({ "upload": id }))
}
