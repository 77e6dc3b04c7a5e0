//! HelmRepositories at OCI registries: addresses only, without any status.

use std::sync::Arc;

use async_trait::async_trait;
use cluster_api::kinds;
use serde_json::json;

use super::Sources;
use crate::work::{Key, Reconciler, Verdict};

pub(super) struct HelmRepositories(pub(super) Arc<Sources>);

#[async_trait]
impl Reconciler for HelmRepositories {
    async fn reconcile(&self, key: &Key) -> Verdict {
        let subject = self.0.subject(kinds::HELM_REPOSITORIES, key);
        let Some(repository) = subject.get() else { return Verdict::Settled };
        let said = repository["status"].as_object().is_some_and(|status| !status.is_empty());
        if repository["spec"]["type"] == "oci" && said {
            crate::pace::spend(&self.0.clock, 8, &key.name).await;
            subject.modify(|repository| repository["status"] = json!({}));
        }
        Verdict::Settled
    }
}
