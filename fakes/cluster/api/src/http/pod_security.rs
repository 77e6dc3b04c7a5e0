//! Warnings of the pod security standards, for pods and for what makes pods.

use serde_json::Value;

use super::call::Call;
use crate::{Store, kinds, pod_security};

/// Warns of what the namespace's labels warn of or, for templates, refuse.
pub(super) fn warn(store: &Store, call: &Call, value: &Value) {
    if !call.info.namespaced || !call.address.sub.is_empty() {
        return;
    }
    let Some((meta, spec)) = pod_security::pod_of(&call.info, value) else { return };
    let Some(namespace) = store.get(&kinds::NAMESPACES, "", &call.address.namespace) else { return };
    let policy = pod_security::Policy::of(&namespace);
    let mode = &policy.warn;
    if let Some(found) = pod_security::violations(mode.level, meta, spec) {
        call.warn(&format!("would violate PodSecurity \"{mode}\": {found}"));
    }
}
