//! Pods that find no node, and nodes that take none.

use crate::detect::{graces, volumes};
use crate::facts::{Truth, condition};
use crate::finding::{Extent, Subject};
use crate::view::View;
use crate::{Detector, Finding};

/// What makes a cordoned node one cause with the pods that wait for it.
const CORDONED: &str = "cordoned";

pub(super) fn scheduling(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let mut found = cordoned(view, detector);
    for pod in &view.pods {
        let Some(refused) = condition(&pod.pod.conditions, "PodScheduled")
            .filter(|it| it.status == Truth::False && it.reason == "Unschedulable")
            .filter(|it| !volumes::tells_of_claim(view, &it.message))
        else {
            continue;
        };
        let message = with_taints(view, &refused.message);
        let reason = format!("Pod {} finds no node: {message}", pod.key.name);
        let finding =
            detector.finding(pod.subject.clone(), reason, refused.since).advise(scheduling_advice(&message));
        found.push(match shared_cause(&message) {
            Some(cause) => finding.identified(cause).reaching(Extent::Shared),
            None => finding,
        });
    }
    found
}

/// What a scheduler says that does not name taints (Kubernetes 1.34.4 does not any more).
const SOME_TAINTS: &str = "untolerated taint(s)";

/// The scheduler's message with the taints that the nodes have, where it does not name them itself.
fn with_taints(view: &View<'_>, message: &str) -> String {
    let taints: Vec<&str> =
        view.known.nodes.values().flat_map(|node| node.taints.iter().map(String::as_str)).collect();
    if taints.is_empty() {
        return message.to_owned();
    }
    message.replace(SOME_TAINTS, &format!("untolerated taint {}", taints.join(", ")))
}

/// Nodes that take no pods because somebody said so. What runs on them goes on.
fn cordoned(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let nodes = view.known.nodes.iter().filter(|(_, node)| node.unschedulable);
    nodes
        .map(|(key, _)| {
            let reason = format!("Node {key} is cordoned (spec.unschedulable): no pod can start on it");
            let subject = Subject::Platform("node".into());
            detector
                .finding(subject, reason, None)
                .advise(format!("Uncordon the node: kubectl uncordon {key}."))
                .after(&graces::CORDONED)
                .identified(CORDONED)
                .reaching(Extent::Shared)
                .latent()
        })
        .collect()
}

/// The cause in the scheduler's message that all pods with it share: a taint, a resource, a cordoned node.
fn shared_cause(message: &str) -> Option<String> {
    // What it says of preemption repeats the same in other words.
    let told = message.split(" preemption:").next().unwrap_or(message);
    if let Some((_, taint)) = told.split_once("taint") {
        // The taint may have gone since.
        let Some((_, taint)) = taint.split_once('{') else { return Some("taint".to_owned()) };
        return Some(format!("taint {}", taint.split('}').next()?.trim()));
    }
    if let Some((_, resource)) = told.split_once("Insufficient ") {
        let resource = resource.split([',', ' ']).next()?.trim_end_matches('.');
        return Some(format!("insufficient {resource}"));
    }
    told.contains("unschedulable").then(|| CORDONED.to_owned())
}

fn scheduling_advice(message: &str) -> &'static str {
    if message.contains("control-plane") {
        "Allow workloads on the control plane (allowSchedulingOnControlPlanes), or remove its taint."
    } else if message.contains("memory-pressure") {
        "Free memory on the node, or give it more; the taint goes with the pressure."
    } else if message.contains("disk-pressure") {
        "Free disk space on the node, or give it more; the taint goes with the pressure."
    } else if message.contains("pid-pressure") {
        "End processes that do not belong on the node; the taint goes with the pressure."
    } else if message.contains("taint") {
        "Remove the named taint from the node."
    } else if message.contains("Insufficient") || message.contains("Too many pods") {
        "Give the node more of the named resource, or lower the requests."
    } else if message.contains("free ports") {
        "Free the node's port: another pod or program holds it."
    } else if message.contains("affinity/selector") {
        "Label the node as the pod's selector asks, or correct the selector."
    } else if message.contains("unschedulable") {
        "Uncordon the node."
    } else if message.contains("PersistentVolumeClaim") || message.contains("persistentvolumeclaim") {
        "Create or repair the named PersistentVolumeClaim."
    } else {
        "Remove what the scheduler names, then wait for its next attempt."
    }
}

#[cfg(test)]
mod tests {
    use appliance_status_model::{BlockerCode, Component, RollupState};
    use jiff::SignedDuration;

    use super::shared_cause;
    use crate::facts::{Condition, ContainerState, Knowledge, ObjectKey, Truth};
    use crate::samples::{ago, break_component, codes, container, ended, healthy, look_after, now};

    const TAINT: &str = "0/1 nodes are available: 1 node(s) had untolerated taint {disk: slow}. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";

    fn refuse(known: &mut Knowledge, component: Component, message: &str) {
        break_component(known, component, container("main", "img:1", ContainerState::Unknown));
        let refused = Condition {
            kind: "PodScheduled".into(),
            status: Truth::False,
            reason: "Unschedulable".into(),
            message: message.into(),
            since: ago(60),
            ..Condition::default()
        };
        let pod = ObjectKey::new("msp", format!("{}-0", component.object_name()));
        known.pods.get_mut(&pod).unwrap().conditions.push(refused);
    }

    #[test]
    fn pods_whose_claim_has_its_class_again_are_not_told_before_the_scheduler_has_looked_again() {
        let mut known = healthy();
        let claim = ObjectKey::new("msp", "alga-core-sebastian-postgres-data");
        let classes = std::mem::take(&mut known.storage_classes);
        let phase = |known: &mut Knowledge, phase: &str| {
            known.claims.get_mut(&claim).unwrap().phase = phase.into();
        };
        phase(&mut known, "Pending");
        let unbound = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found";
        refuse(&mut known, Component::Db, unbound);
        let mut memory = crate::Memory::default();
        let mut at = |known: &Knowledge, seconds| {
            let document = crate::assess(known, &mut memory, now() + SignedDuration::from_secs(seconds));
            document.top_blockers.iter().map(|it| it.code).collect::<Vec<_>>()
        };
        at(&known, 0);
        assert_eq!(at(&known, 60), [BlockerCode::StorageClass]);
        known.storage_classes = classes;
        phase(&mut known, "Bound");
        assert!(at(&known, 61).is_empty());
        assert!(at(&known, 79).is_empty());
        assert_eq!(at(&known, 81), [BlockerCode::Scheduling], "it is never looked at again");
    }

    fn cordon(known: &mut Knowledge) {
        known.nodes.values_mut().for_each(|node| node.unschedulable = true);
    }

    #[test]
    fn a_cordoned_node_is_told_after_its_grace_and_login_stays() {
        let mut known = healthy();
        cordon(&mut known);
        assert!(look_after(&known, 50).top_blockers.is_empty());
        let document = look_after(&known, 60);
        assert_eq!(codes(&document), [(BlockerCode::Scheduling, "node")]);
        assert_eq!(document.status, RollupState::ReadyWithBackgroundIssues);
        assert_eq!(document.next_action, "Uncordon the node: kubectl uncordon node.");
        assert!(!document.tiers.platform.ready && document.tiers.login.ready);
    }

    #[test]
    fn a_cordoned_node_that_nothing_waits_for_explains_no_other_trouble() {
        let mut known = healthy();
        cordon(&mut known);
        break_component(&mut known, Component::EmailService, ended(1, 3, "Error"));
        let document = look_after(&known, 120);
        let expected =
            [(BlockerCode::Scheduling, "node"), (BlockerCode::BackgroundWorkload, "email-service")];
        assert_eq!(codes(&document), expected);
    }

    #[test]
    fn pods_that_wait_for_a_cordoned_node_are_its_consequences() {
        let mut known = healthy();
        cordon(&mut known);
        for component in [Component::Redis, Component::EmailService] {
            refuse(&mut known, component, "0/1 nodes are available: 1 node(s) were unschedulable.");
        }
        let document = look_after(&known, 60);
        assert_eq!(codes(&document), [(BlockerCode::Scheduling, "node")]);
        let whom: Vec<&str> =
            document.top_blockers[0].consequences.iter().map(|it| it.component.as_str()).collect();
        assert_eq!(whom, ["redis", "email-service"]);
        assert!(document.top_blockers[0].login_blocking);
    }

    #[test]
    fn one_taint_is_one_blocker_however_many_pods_it_keeps_out() {
        let mut known = healthy();
        for component in Component::ALL {
            refuse(&mut known, component, TAINT);
        }
        let document = look_after(&known, 60);
        assert_eq!(codes(&document), [(BlockerCode::Scheduling, "db")]);
        assert_eq!(document.top_blockers[0].consequences.len(), Component::ALL.len() - 1);
    }

    #[test]
    fn a_scheduler_that_names_no_taint_is_helped_by_the_node() {
        let mut known = healthy();
        known.nodes.values_mut().for_each(|node| node.taints = vec!["{disk: slow}".into()]);
        for component in [Component::Redis, Component::EmailService] {
            refuse(
                &mut known,
                component,
                "0/1 nodes are available: 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
            );
        }
        let document = look_after(&known, 60);
        assert_eq!(codes(&document), [(BlockerCode::Scheduling, "redis")]);
        assert!(document.top_blockers[0].reason.contains("untolerated taint {disk: slow}."));
        known.nodes.values_mut().for_each(|node| node.taints.clear());
        assert_eq!(codes(&look_after(&known, 60)), [(BlockerCode::Scheduling, "redis")], "it has gone since");
    }

    #[test]
    fn a_taint_and_a_resource_are_two_causes() {
        let mut known = healthy();
        refuse(&mut known, Component::Redis, TAINT);
        refuse(&mut known, Component::Temporal, "0/1 nodes are available: 1 Insufficient memory.");
        assert_eq!(look_after(&known, 60).top_blockers.len(), 2);
    }

    #[test]
    fn causes_are_read_from_the_words_of_the_scheduler() {
        let cases = [
            (TAINT, Some("taint disk: slow")),
            ("0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.", Some("insufficient cpu")),
            ("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.", Some("insufficient nvidia.com/gpu")),
            ("0/1 nodes are available: 1 node(s) were unschedulable.", Some("cordoned")),
            ("persistentvolumeclaim \"x\" not found", None),
        ];
        for (message, cause) in cases {
            assert_eq!(shared_cause(message).as_deref(), cause, "{message}");
        }
    }
}
