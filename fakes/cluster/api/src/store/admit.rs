//! What a new pod takes over from other objects.

use serde_json::{Value, json};

use super::Inner;
use crate::kinds::{NAMESPACES, PODS, PRIORITY_CLASSES, SERVICE_ACCOUNTS};
use crate::pod_security::Policy;
use crate::{ApiError, object, pod_security};

impl Inner {
    /// Refuses what the namespace's pod security labels refuse.
    pub(super) fn check_pod_security(&self, pod: &Value, namespace: &str) -> Result<(), ApiError> {
        let Ok(home) = self.current(&NAMESPACES, "", namespace) else { return Ok(()) };
        let mode = Policy::of(&home.value).enforce;
        match pod_security::violations(mode.level, &pod["metadata"], &pod["spec"]) {
            None => Ok(()),
            Some(found) => {
                let why = format!("violates PodSecurity \"{mode}\": {found}");
                Err(ApiError::forbidden(&PODS, object::name(pod), &why))
            }
        }
    }

    /// Gives a new pod its priority and the pull secrets of its service account.
    pub(super) fn admit_pod(&self, pod: &mut Value, namespace: &str) -> Result<(), ApiError> {
        if let Some(class) = pod["spec"]["priorityClassName"].as_str().filter(|class| !class.is_empty()) {
            let known = self.current(&PRIORITY_CLASSES, "", class).map_err(|_| {
                let why = format!("no PriorityClass with name {class} was found");
                ApiError::forbidden(&PODS, object::name(pod), &why)
            })?;
            pod["spec"]["priority"] = known.value["value"].clone();
        }
        let account = pod["spec"]["serviceAccountName"].as_str().unwrap_or("default");
        if let Ok(account) = self.current(&SERVICE_ACCOUNTS, namespace, account)
            && account.value["imagePullSecrets"].is_array()
            && pod["spec"]["imagePullSecrets"].as_array().is_none_or(Vec::is_empty)
        {
            pod["spec"]["imagePullSecrets"] = json!(account.value["imagePullSecrets"]);
        }
        Ok(())
    }
}
