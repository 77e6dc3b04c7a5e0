//! What of an appliance is in a cluster.

use k8s_openapi::api::core::v1::PersistentVolume;
use kube::Api;
use kube::api::ListParams;

use super::target::{Target, list};
use super::volume::{Volume, others, ours};
use crate::cluster::Cluster;
use crate::failure::{Failure, Layer, api};
use crate::objects::resource;

/// The namespaces that are the appliance's own, in the order in which they are told.
pub(super) const NAMESPACES: [&str; 2] = ["alga-system", "msp"];
const FLUX: &str = "flux-system";
const ROOT: &str = "alga-appliance";
const TIERS: [&str; 3] = ["alga-platform", "alga-core", "alga-background"];
const SOURCE: &str = "source.toolkit.fluxcd.io";
const KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io";
const HELM: &str = "helm.toolkit.fluxcd.io";

/// What of an appliance is in a cluster.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The root.
    pub(super) root: Vec<Target>,
    /// Its children.
    pub(super) children: Vec<Target>,
    pub(super) releases: Vec<Target>,
    /// The charts that the releases were rendered from.
    pub(super) charts: Vec<Target>,
    pub(super) sources: Vec<Target>,
    pub(super) namespaces: Vec<Target>,
    pub(super) volumes: Vec<Volume>,
    /// Volumes of the appliance's claims that another provisioner made.
    pub(super) others: Vec<Volume>,
}

impl Found {
    /// Looks; changes nothing.
    pub(super) async fn look(cluster: &Cluster) -> Result<Self, Failure> {
        // Of the API itself first: where it does not answer, nothing below says so better.
        let mut namespaces = list(cluster, resource("", "v1", "Namespace"), None).await?;
        namespaces.retain(|it| NAMESPACES.contains(&it.name().as_str()));
        let kustomizations = list(cluster, resource(KUSTOMIZE, "v1", "Kustomization"), Some(FLUX)).await?;
        let (root, others_there): (Vec<_>, Vec<_>) =
            kustomizations.into_iter().partition(|it| it.name() == ROOT);
        let children = others_there.into_iter().filter(is_child).collect();
        let releases = list(cluster, resource(HELM, "v2", "HelmRelease"), Some("alga-system")).await?;
        let mut charts = list(cluster, resource(SOURCE, "v1", "HelmChart"), Some(FLUX)).await?;
        charts.retain(is_chart_of_a_release);
        let mut sources = list(cluster, resource(SOURCE, "v1", "OCIRepository"), Some(FLUX)).await?;
        sources.extend(list(cluster, resource(SOURCE, "v1", "GitRepository"), Some(FLUX)).await?);
        sources.retain(|it| it.name() == ROOT);
        let all = volumes(cluster).await?;
        let (volumes, others) = (ours(&all), others(&all));
        Ok(Self { root, children, releases, charts, sources, namespaces, volumes, others })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.targets().next().is_none() && self.volumes.is_empty()
    }

    /// Everything but volumes, in the order in which it goes.
    pub(super) fn targets(&self) -> impl Iterator<Item = &Target> {
        let Self { root, children, releases, charts, sources, namespaces, .. } = self;
        root.iter().chain(children).chain(releases).chain(charts).chain(sources).chain(namespaces)
    }

    /// Refuses a cluster in which somebody else has a namespace `msp`.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let known = self.targets().any(|it| it.name() != "msp");
        let msp = self.namespaces.iter().find(|it| it.name() == "msp");
        match msp {
            Some(msp) if !known && !is_marked(msp) => Err(Failure::new(
                Layer::Refused,
                "refusing to reset: namespace msp is not labelled as an appliance's, and nothing else of an appliance is there",
                "Check --kubeconfig; where the namespace is an appliance's after all, delete it with kubectl.",
            )),
            _ => Ok(()),
        }
    }

    /// How much was found, in words.
    pub(super) fn counted(&self) -> String {
        let kinds = [
            (self.root.len() + self.children.len(), "Kustomization"),
            (self.sources.len(), "source"),
            (self.releases.len(), "HelmRelease"),
            (self.namespaces.len(), "namespace"),
            (self.volumes.len(), "volume"),
        ];
        let words = kinds.into_iter().filter(|(count, _)| *count > 0).map(|(count, kind)| {
            let ending = if count == 1 { "" } else { "s" };
            format!("{count} {kind}{ending}")
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

/// Every volume of the cluster.
pub(super) async fn volumes(cluster: &Cluster) -> Result<Vec<PersistentVolume>, Failure> {
    let all: Api<PersistentVolume> = Api::all(cluster.client.clone());
    Ok(all.list(&ListParams::default()).await.map_err(api("list every PersistentVolume"))?.items)
}

/// A tier, or whatever else the root made.
fn is_child(kustomization: &Target) -> bool {
    let owner = |key: &str| kustomization.label(&format!("{KUSTOMIZE}/{key}"));
    TIERS.contains(&kustomization.name().as_str())
        || (owner("name") == Some(ROOT) && owner("namespace") == Some(FLUX))
}

fn is_chart_of_a_release(chart: &Target) -> bool {
    chart.label(&format!("{HELM}/namespace")) == Some("alga-system")
}

/// Whether a namespace carries what the command and the root give it.
fn is_marked(namespace: &Target) -> bool {
    let privileged =
        |it: &str| namespace.label(&format!("pod-security.kubernetes.io/{it}")) == Some("privileged");
    ["enforce", "audit", "warn"].into_iter().all(privileged)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Found, HELM, KUSTOMIZE, is_chart_of_a_release, is_child};
    use crate::objects::resource;
    use crate::reset::target::Target;

    fn target(group: &str, kind: &str, name: &str, labels: &Value) -> Target {
        let object = json!({ "metadata": { "name": name, "namespace": "flux-system", "labels": labels } });
        let object = serde_json::from_value(object).unwrap();
        Target { resource: resource(group, "v1", kind), object }
    }

    fn namespace(name: &str, labels: &Value) -> Target {
        let mut target = target("", "Namespace", name, labels);
        target.object.metadata.namespace = None;
        target
    }

    #[test]
    fn a_tier_is_a_child_and_so_is_what_else_the_root_made_but_nobody_elses_kustomization() {
        let child = |name: &str, labels: &Value| is_child(&target(KUSTOMIZE, "Kustomization", name, labels));
        let by = |name: &str| json!({ "kustomize.toolkit.fluxcd.io/name": name, "kustomize.toolkit.fluxcd.io/namespace": "flux-system" });
        assert!(child("alga-core", &json!({})));
        assert!(child("alga-extras", &by("alga-appliance")));
        assert!(!child("monitoring", &json!({})) && !child("monitoring", &by("elsewhere")));
    }

    #[test]
    fn a_chart_goes_only_where_a_release_of_alga_system_made_it() {
        let chart = |namespace: &str| {
            let labels = json!({ "helm.toolkit.fluxcd.io/namespace": namespace });
            is_chart_of_a_release(&target(HELM, "HelmChart", "alga-system-alga-core", &labels))
        };
        assert!(chart("alga-system") && !chart("monitoring"));
    }

    #[test]
    fn somebody_elses_namespace_msp_is_refused_and_an_empty_cluster_is_not() {
        assert!(Found::default().check().is_ok());
        let foreign = Found { namespaces: vec![namespace("msp", &json!({}))], ..Found::default() };
        let failure = foreign.check().unwrap_err();
        assert!(failure.operation.contains("namespace msp is not labelled"), "{failure}");
    }

    #[test]
    fn a_namespace_msp_with_the_labels_or_with_anything_else_of_an_appliance_is_its_own() {
        let labels = json!({
            "pod-security.kubernetes.io/enforce": "privileged",
            "pod-security.kubernetes.io/audit": "privileged",
            "pod-security.kubernetes.io/warn": "privileged",
        });
        let marked = Found { namespaces: vec![namespace("msp", &labels)], ..Found::default() };
        assert!(marked.check().is_ok());
        let both = vec![namespace("alga-system", &json!({})), namespace("msp", &json!({}))];
        assert!(Found { namespaces: both, ..Found::default() }.check().is_ok());
    }

    #[test]
    fn what_was_found_is_counted_without_what_was_not() {
        let found = Found {
            namespaces: vec![namespace("alga-system", &json!({})), namespace("msp", &json!({}))],
            sources: vec![target("", "OCIRepository", "alga-appliance", &json!({}))],
            ..Found::default()
        };
        assert_eq!(found.counted(), "1 source, 2 namespaces");
        assert!(!found.is_empty() && Found::default().is_empty());
    }
}
