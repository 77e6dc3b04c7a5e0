//! Between two scenarios: what was done to the node is undone, the appliance is reset, the rest of it taken out.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use field_clock::Clock;
use tokio::process::Command;

use super::cluster::Cluster;
use super::engine::EngineError;
use crate::world::outside::{Image, every_image};
use crate::world::{BootRequest, WorldError};

/// Longer than this no reset takes.
const RESET: Duration = Duration::from_secs(180);
/// The node's own client, as its administrator.
const KUBECTL: &str = "export KUBECONFIG=/etc/kubernetes/admin.conf\n";

/// Ends what a scenario did to the machine: a kubelet that stands, an API that is away, taints, a cluster without DNS.
const MEND: &str = r#"
[ ! -e /etc/kubernetes/kube-apiserver.yaml ] || mv /etc/kubernetes/kube-apiserver.yaml /etc/kubernetes/manifests/
pkill -CONT kube-apiserver || true
systemctl start kubelet
for i in $(seq 90); do kubectl get --raw /readyz >/dev/null 2>&1 && break; sleep 1; done
for node in $(kubectl get nodes -o name); do kubectl uncordon "${node#node/}"; done
for node in $(kubectl get nodes -o name); do kubectl patch "$node" --type=merge -p '{"spec":{"taints":null}}'; done
kubectl -n kube-system scale deployment coredns --replicas=1
kubectl -n kube-system delete deployment,serviceaccount,role,rolebinding local-path-provisioner --ignore-not-found
kubectl -n kube-system delete configmap local-path-config --ignore-not-found
kubectl -n kube-system rollout restart deployment coredns
"#;

/// Takes out what a reset leaves: the status page, Flux, storage. Finalizers of controllers that are gone hold nothing back.
const CLEAR: &str = r#"
for kind in helmreleases.helm.toolkit.fluxcd.io kustomizations.kustomize.toolkit.fluxcd.io \
  ocirepositories.source.toolkit.fluxcd.io gitrepositories.source.toolkit.fluxcd.io \
  helmrepositories.source.toolkit.fluxcd.io helmcharts.source.toolkit.fluxcd.io; do
  kubectl get "$kind" -A -o jsonpath='{range .items[*]}{.metadata.namespace} {.metadata.name}{"\n"}{end}' 2>/dev/null |
  while read -r namespace name; do
    kubectl -n "$namespace" patch "$kind" "$name" --type=merge -p '{"metadata":{"finalizers":null}}' >/dev/null 2>&1 || true
    kubectl -n "$namespace" delete "$kind" "$name" --ignore-not-found --wait=false >/dev/null
  done
done
kubectl delete namespace msp alga-system appliance-system flux-system local-path-storage --ignore-not-found --wait=false
kubectl delete crd -l app.kubernetes.io/part-of=flux --ignore-not-found --wait=false
kubectl delete storageclass --all --wait=false
kubectl get pv -o name | while read -r pv; do kubectl patch "$pv" --type=merge -p '{"metadata":{"finalizers":null}}'; done
kubectl delete pv --all --wait=false
for kind in clusterrole clusterrolebinding; do
  kubectl get "$kind" -o name | grep -E '/(appliance-status|cluster-reconciler|local-path-provisioner|alga-)' |
  while read -r name; do kubectl delete "$name" --wait=false; done || true
done
"#;

impl Cluster {
    /// Undoes what was done to the node.
    pub(super) async fn mend(&self) -> Result<(), EngineError> {
        self.shell(&format!("{KUBECTL}{MEND}"), b"").await.map(drop)
    }

    /// `appliance reset`, as an operator types it.
    pub(super) async fn reset(&self, request: &BootRequest) -> Result<(), WorldError> {
        let words = request.operator();
        let (program, first) = words.split_first().ok_or("the operator's command is empty")?;
        let child = Command::new(program)
            .args(first)
            .args(["reset", "--force", "--kubeconfig"])
            .arg(&self.kubeconfig)
            .envs(BTreeMap::from([("HOME", &request.directory)]))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let ended = Clock::wall().timeout(RESET, child).await;
        let output =
            ended.map_err(|_| format!("`appliance reset` did not end within {} s", RESET.as_secs()))??;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.trim().lines().next_back().unwrap_or_default().to_owned();
        Err(format!("`appliance reset` failed ({}): {last}", output.status).into())
    }

    /// Forgets the builds of earlier scenarios: who wants one of them pulls it.
    pub(super) async fn forget_builds(&self, release: &str) -> Result<(), WorldError> {
        let images = every_image(release)?;
        let known: Vec<&str> = images.iter().map(Image::reference).collect();
        let ours: Vec<&str> = images.iter().map(Image::repository).collect();
        let mut forgotten = String::new();
        for image in self.shell("ctr -n k8s.io images ls -q", b"").await?.lines() {
            let repository = image.rsplit_once(':').map_or(image, |(repository, _)| repository);
            if !image.contains('@') && ours.contains(&repository) && !known.contains(&image) {
                forgotten.push_str(&format!("ctr -n k8s.io images rm '{image}'\n"));
            }
        }
        self.shell(&forgotten, b"").await?;
        Ok(())
    }

    /// Takes out what a reset leaves, on the node's disk too, and the images, so that they are pulled again.
    pub(super) async fn clear(&self, release: &str) -> Result<(), WorldError> {
        self.shell(&format!("{KUBECTL}{CLEAR}"), b"").await?;
        let images = every_image(release)?;
        let references: Vec<String> = images.iter().map(|image| image.reference().to_owned()).collect();
        let script = format!(
            "rm -rf /var/local-path-provisioner/*\nfor image in {}; do ctr -n k8s.io images rm \"$image\" >/dev/null 2>&1 || true; done",
            references.join(" ")
        );
        self.shell(&script, b"").await?;
        Ok(())
    }
}
