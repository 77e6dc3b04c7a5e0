//! What a new pod takes over from other objects.

use serde_json::{Value, json};

use super::Inner;
use crate::kinds::{PODS, PRIORITY_CLASSES, SERVICE_ACCOUNTS};
use crate::{ApiError, object};

impl Inner {
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
