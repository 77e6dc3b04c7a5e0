//! What `--dry-run` prints: every step, nothing done.

use super::found::Found;
use super::target::Target;
use super::volume::Volume;

pub(super) fn lines(found: &Found) -> Vec<String> {
    if found.is_empty() {
        return vec!["+ nothing to remove: no appliance is in this cluster".to_owned()];
    }
    let Found { root, children, releases, charts, sources, namespaces, volumes, others } = found;
    let each = |verb: &'static str| move |it: &Target| format!("+ {verb} {}", it.title());
    let stop = root.iter().chain(children).chain(releases).map(each("suspend"));
    let flux = root.iter().chain(children).chain(releases).chain(charts).chain(sources);
    let leave = |it: &Volume| format!("+ leave {} to its provisioner, {}", it.title(), it.provisioner);
    let hand = volumes.iter().filter(|it| it.policy != "Delete");
    let hand = hand.map(|it| format!("+ set the reclaim policy of {} to Delete", it.title()));
    let gone = volumes.iter().map(|it| format!("+ wait until {} is gone, and {}", it.title(), it.place));
    stop.chain(flux.map(each("delete")))
        .chain(others.iter().map(leave))
        .chain(hand)
        .chain(namespaces.iter().map(each("delete")))
        .chain(gone)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::lines;
    use crate::objects::resource;
    use crate::reset::found::Found;
    use crate::reset::target::Target;
    use crate::reset::volume::Volume;

    fn target(kind: &str, namespace: Option<&str>, name: &str) -> Target {
        let object = json!({ "metadata": { "name": name, "namespace": namespace } });
        Target { resource: resource("", "v1", kind), object: serde_json::from_value(object).unwrap() }
    }

    fn volume(name: &str, provisioner: &str) -> Volume {
        let own = |it: &str| it.to_owned();
        Volume {
            name: own(name),
            claim: own("msp/data"),
            provisioner: own(provisioner),
            place: own("/var/data"),
            policy: own("Retain"),
            ending: false,
        }
    }

    #[test]
    fn the_plan_suspends_before_it_deletes_and_hands_volumes_over_before_their_claims_go() {
        let found = Found {
            root: vec![target("Kustomization", Some("flux-system"), "alga-appliance")],
            sources: vec![target("OCIRepository", Some("flux-system"), "alga-appliance")],
            namespaces: vec![target("Namespace", None, "msp")],
            volumes: vec![volume("pvc-1", "rancher.io/local-path")],
            others: vec![volume("pvc-2", "rbd.csi.ceph.com")],
            ..Found::default()
        };
        let expected = [
            "+ suspend Kustomization flux-system/alga-appliance",
            "+ delete Kustomization flux-system/alga-appliance",
            "+ delete OCIRepository flux-system/alga-appliance",
            "+ leave PersistentVolume pvc-2 (claim msp/data) to its provisioner, rbd.csi.ceph.com",
            "+ set the reclaim policy of PersistentVolume pvc-1 (claim msp/data) to Delete",
            "+ delete Namespace msp",
            "+ wait until PersistentVolume pvc-1 (claim msp/data) is gone, and /var/data",
        ];
        assert_eq!(lines(&found), expected);
    }

    #[test]
    fn a_cluster_without_an_appliance_has_nothing_to_remove() {
        assert_eq!(lines(&Found::default()), ["+ nothing to remove: no appliance is in this cluster"]);
    }
}
