//! The appliance's namespaces, deleted and waited for.

use futures::future::try_join_all;
use jiff::SignedDuration;
use kube::api::DynamicObject;

use super::target::{Patience, Target};
use crate::cluster::Cluster;
use crate::failure::{Failure, Layer};
use crate::report::{Phase, step};
use crate::time::ApiTime;

/// Pods have their grace, volumes are taken off after them.
const EMPTY_WITHIN: SignedDuration = SignedDuration::from_secs(300);

pub(super) async fn remove(cluster: &Cluster, time: &ApiTime, namespaces: &[Target]) -> Result<(), Failure> {
    for namespace in namespaces {
        namespace.delete(cluster).await?;
        step(Phase::Kubernetes, &format!("Deleting {} with everything in it", namespace.title()));
    }
    let ends = namespaces.iter().map(|namespace| async move {
        let patience = Patience {
            within: EMPTY_WITHIN,
            layer: Layer::Kubernetes,
            remedy: "Free what holds the namespace (kubectl describe namespace), then run the command again.",
        };
        namespace.gone(cluster, time, patience, holds).await?;
        step(Phase::Kubernetes, &format!("Removed {}", namespace.title()));
        Ok(())
    });
    try_join_all(ends).await?;
    Ok(())
}

/// What a namespace that is being deleted says of what is still in it.
fn holds(namespace: &DynamicObject) -> String {
    let conditions = namespace.data["status"]["conditions"].as_array().map_or(&[][..], Vec::as_slice);
    // Each of them is true where something is in the way.
    let messages =
        conditions.iter().filter(|it| it["status"] == "True").filter_map(|it| it["message"].as_str());
    let messages: Vec<&str> = messages.collect();
    if messages.is_empty() { "it is still being deleted".to_owned() } else { messages.join("; ") }
}

#[cfg(test)]
mod tests {
    use kube::api::DynamicObject;
    use serde_json::{Value, json};

    use super::holds;

    fn namespace(conditions: Value) -> DynamicObject {
        let status = json!({ "phase": "Terminating", "conditions": conditions });
        serde_json::from_value(json!({ "metadata": { "name": "msp" }, "status": status })).unwrap()
    }

    #[test]
    fn what_still_holds_a_namespace_is_told_in_its_own_words() {
        let told = holds(&namespace(json!([
            { "type": "NamespaceDeletionContentFailure", "status": "False", "message": "All content successfully deleted" },
            { "type": "NamespaceContentRemaining", "status": "True", "message": "Some resources are remaining: pods. has 1 resource instances" },
            { "type": "NamespaceFinalizersRemaining", "status": "True", "message": "example.org/backup in 1 resource instances" },
        ])));
        let expected = "Some resources are remaining: pods. has 1 resource instances; example.org/backup in 1 resource instances";
        assert_eq!(told, expected);
    }

    #[test]
    fn a_namespace_that_says_nothing_yet_is_being_deleted() {
        assert_eq!(holds(&namespace(Value::Null)), "it is still being deleted");
    }
}
