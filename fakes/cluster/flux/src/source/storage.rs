//! Where artifacts lie and how statuses name them.

use bytes::Bytes;
use cluster_api::object;
use serde_json::{Value, json};

use super::Sources;
use crate::artifacts::digest;

const HOST: &str = "http://source-controller.flux-system.svc.cluster.local.";

/// `ocirepository/flux-system/appliance/`.
pub(super) fn directory(source: &Value) -> String {
    let kind = source["kind"].as_str().unwrap_or_default().to_lowercase();
    format!("{kind}/{}/{}/", object::namespace(source), object::name(source))
}

/// An artifact that is about to be kept.
pub(super) struct NewArtifact {
    pub(super) file: String,
    pub(super) revision: String,
    pub(super) content: Bytes,
    /// Annotations of what was pulled.
    pub(super) metadata: Value,
}

impl Sources {
    /// Keeps an artifact, and nothing older of this source; answers how the status describes it.
    pub(super) fn keep(&self, source: &Value, new: NewArtifact) -> Value {
        let directory = directory(source);
        let path = format!("{directory}{}", new.file);
        let mut artifact = json!({
            "digest": digest(&new.content), "lastUpdateTime": object::timestamp(self.clock.now()), "path": path,
            "revision": new.revision, "size": new.content.len(), "url": format!("{HOST}/{path}"),
        });
        if new.metadata.as_object().is_some_and(|metadata| !metadata.is_empty()) {
            artifact["metadata"] = new.metadata;
        }
        self.artifacts.put(&path, new.content);
        self.artifacts.keep_only(&directory, &path);
        artifact
    }

    /// Whether the artifact that a status names is still there.
    pub(super) fn is_kept(&self, source: &Value) -> bool {
        source["status"]["artifact"]["path"].as_str().is_some_and(|path| self.artifacts.has(path))
    }
}

/// The address of a source's newest artifact.
pub(super) fn latest_url(source: &Value) -> Value {
    json!(format!("{HOST}/{}latest.tar.gz", directory(source)))
}
