//! `appliance reset`: what it removes, what it leaves, and when it refuses.

mod neighbours;
mod site;

use std::path::Path;

use serde_json::{Value, json};
use smoke_harness::scenario::{Scenario, read};
use smoke_harness::world::World;

use self::neighbours::Neighbours;
use self::site::Site;
use crate::empty::request;
use crate::program::finish;
use crate::smoke::Ran;

const KUSTOMIZATIONS: &str = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations";
const SOURCES: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/ocirepositories";
const CHARTS: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/helmcharts";

#[test]
fn a_reset_removes_the_appliance_with_its_data_and_nothing_else_and_another_install_is_a_fresh_one() {
    play(async |world| {
        let site = Site::of(world).await;
        site.install().await;
        let neighbours = Neighbours::move_in(&site).await;
        refuses_without_force(&site).await;
        says_what_it_would_do(&site).await;
        let ran = site.appliance(&["reset", "--force"]).await;
        ran.ended(0);
        is_told(&ran);
        is_gone(&site).await;
        assert_eq!(site.directories(), [neighbours.volume()], "a neighbour's, and none of the appliance");
        neighbours.are_well(&site).await;
        platform_is_there(&site).await;
        let again = site.appliance(&["reset", "--force"]).await;
        again.ended(0);
        assert!(again.out.contains("Nothing to remove: no appliance is in this cluster."), "{again}");
        refuses_somebody_elses_namespace(&site).await;
        neighbours.stop_reconciling(&site).await;
        site.install().await;
    });
}

#[test]
fn a_reset_of_a_cluster_whose_controllers_are_gone_takes_their_finalizers_and_names_what_stays_on_the_disk() {
    play(async |world| {
        let site = Site::of(world).await;
        site.install().await;
        for controller in ["source-controller", "kustomize-controller", "helm-controller"] {
            site.stop("flux-system", controller).await;
        }
        site.stop("local-path-storage", "local-path-provisioner").await;
        let before = site.directories();
        let ran = site.appliance(&["reset", "--force"]).await;
        ran.ended(0);
        is_gone(&site).await;
        let told = |text: &str| assert!(ran.out.contains(text), "nothing like {text:?} in {ran}");
        told(
            "Warning: kustomize-controller is not available and did not let Kustomization flux-system/alga-appliance go",
        );
        told(
            "Warning: helm-controller is not available and did not let HelmRelease alga-system/alga-core go",
        );
        assert_eq!(site.directories(), before, "nobody could remove a directory");
        for directory in before {
            told(&format!("its data was left in /var/local-path-provisioner/{directory} on node appliance."));
        }
    });
}

#[test]
fn a_reset_of_an_install_that_is_stuck_does_not_wait_for_its_time_outs_and_leaves_nothing_to_wait_for() {
    play(async |world| {
        let stuck = trouble();
        world.inject(&stuck.faults[0]).await.expect("a fault");
        let site = Site::of(world).await;
        site.give_up_installing().await;
        let ran = site.appliance(&["reset", "--force"]).await;
        ran.ended(0);
        for told in [
            "Warning: helm-controller is busy and did not let HelmRelease alga-system/alga-core go",
            "[Flux] Restarted helm-controller: it was busy with what is gone",
            "[Flux] Restarted kustomize-controller: it was busy with what is gone",
        ] {
            assert!(ran.out.contains(told), "nothing like {told:?} in {ran}");
        }
        is_gone(&site).await;
        assert_eq!(site.directories(), Vec::<String>::new());
        world.heal(&stuck.heal[0]).await.expect("a cure");
        site.install().await;
    });
}

#[test]
fn a_namespace_that_somebody_holds_ends_the_reset_with_who_it_is_and_the_next_run_finishes() {
    play(async |world| {
        let site = Site::of(world).await;
        let privileged = ["enforce", "audit", "warn"].map(|it| format!("pod-security.kubernetes.io/{it}"));
        let labels: Value = privileged.into_iter().map(|it| (it, json!("privileged"))).collect();
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "msp", "labels": labels } });
        site.api.create("/api/v1/namespaces", &namespace).await;
        let metadata = json!({ "name": "held", "finalizers": ["example.org/backup"] });
        let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata });
        site.api.create("/api/v1/namespaces/msp/configmaps", &map).await;
        let ran = site.appliance(&["reset", "--force"]).await;
        ran.ended(1).said("Failed at waiting for namespace/msp").said("timed out after 300 s");
        ran.said("example.org/backup in 1 resource instances").said("run the command again");
        let free = json!({ "metadata": { "finalizers": null } });
        site.api.merge("/api/v1/namespaces/msp/configmaps/held", &free).await;
        site.appliance(&["reset", "--force"]).await.ended(0);
        assert_eq!(site.names("/api/v1/namespaces/msp/configmaps").await, Vec::<String>::new());
        let ran = site.appliance(&["reset", "--dry-run"]).await;
        ran.ended(0);
        assert_eq!(ran.out, "+ nothing to remove: no appliance is in this cluster\n");
    });
}

/// A release that Helm waits for in vain, and what helps.
fn trouble() -> Scenario {
    let text = "name: stuck\nstory: A test wrote it.\nfaults:\n  - registry.missing-tag: { image: alga-core }\n\
                expect:\n  eventually: { rollup: failed_action_required }\n\
                heal:\n  - registry.publish-tag: { image: alga-core }\nrecovers: { rollup: fully_healthy }\n";
    read(Path::new("stuck.yaml"), text).expect("a scenario")
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_or_a_site_without_a_name_is_told_at_once() {
    let home = tempfile::tempdir().expect("a place for files");
    let kubeconfig = home.path().join("kubeconfig");
    // The port is nobody's: the discard service of a machine that has none.
    let text = "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n\
                clusters: [{name: a, cluster: {server: 'http://127.0.0.1:9'}}]\nusers: [{name: a, user: {}}]\n";
    std::fs::write(&kubeconfig, text).expect("a file");
    let run = async |more: &[&str]| {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_appliance"));
        command.args(["reset", "--kubeconfig"]).arg(&kubeconfig).args(more);
        Ran::of(finish(command).await)
    };
    run(&["--force"])
        .await
        .ended(1)
        .said("Failed at list every Namespace (kubernetes)")
        .said("kubectl get nodes");
    run(&[]).await.ended(1).said("error: refusing to reset without --force").said("--dry-run");
    run(&["--force", "--site-id", "../other"]).await.ended(2).said("is no plain name");
}

/// Plays in an empty world.
fn play(story: impl AsyncFnOnce(&dyn World)) {
    let home = tempfile::tempdir().expect("a place for files");
    crate::empty::play(&request(home.path()), story);
}

async fn refuses_without_force(site: &Site<'_>) {
    let before = site.everything().await;
    let ran = site.appliance(&["reset"]).await;
    ran.ended(1).said("error: refusing to reset without --force").said("Next: See with --dry-run");
    assert_eq!(site.everything().await, before);
}

async fn says_what_it_would_do(site: &Site<'_>) {
    let (before, directories) = (site.everything().await, site.directories());
    let ran = site.appliance(&["reset", "--dry-run"]).await;
    ran.ended(0);
    assert!(ran.out.lines().count() > 20 && ran.out.lines().all(|line| line.starts_with("+ ")), "{ran}");
    for line in [
        "+ suspend Kustomization flux-system/alga-appliance",
        "+ delete HelmRelease alga-system/temporal-worker",
        "+ delete OCIRepository flux-system/alga-appliance",
        "+ delete Namespace msp",
    ] {
        assert!(ran.out.lines().any(|it| it == line), "no {line:?} in {ran}");
    }
    assert_eq!(site.everything().await, before, "a dry run changes nothing");
    assert_eq!(site.directories(), directories);
}

/// Name by name.
fn is_told(ran: &Ran) {
    for text in [
        "[Flux] Removed Kustomization flux-system/alga-appliance\n",
        "[Flux] Removed Kustomization flux-system/alga-background\n",
        "[Helm] Removed HelmRelease alga-system/pgbouncer\n",
        "[Flux] Removed OCIRepository flux-system/alga-appliance\n",
        "[Kubernetes] Removed Namespace alga-system\n",
        "[Kubernetes] Removed Namespace msp\n",
        "(claim msp/alga-core-sebastian-postgres-data) with /var/local-path-provisioner/pvc-",
        "The appliance was removed: 4 Kustomizations, 1 source, 6 HelmReleases, 2 namespaces, 4 volumes.\n",
    ] {
        assert!(ran.out.contains(text), "nothing like {text:?} in {ran}");
    }
    assert!(!ran.out.contains("Warning"), "{ran}");
}

async fn is_gone(site: &Site<'_>) {
    let namespaces = site.names("/api/v1/namespaces").await;
    assert!(!namespaces.iter().any(|it| it == "msp" || it == "alga-system"), "{namespaces:?}");
    let kustomizations = site.names(KUSTOMIZATIONS).await;
    assert!(!kustomizations.iter().any(|it| it.starts_with("alga-")), "{kustomizations:?}");
    assert_eq!(site.names(SOURCES).await, Vec::<String>::new());
    assert_eq!(site.names(CHARTS).await, Vec::<String>::new());
    let volumes = site.api.get("/api/v1/persistentvolumes").await;
    for volume in volumes["items"].as_array().expect("a list") {
        assert_ne!(volume["spec"]["claimRef"]["namespace"], "msp", "{volume:#}");
    }
}

/// What an appliance stands on, and the page that tells of it.
async fn platform_is_there(site: &Site<'_>) {
    for (namespace, deployments) in [
        ("appliance-system", vec!["appliance-status"]),
        ("flux-system", vec!["helm-controller", "kustomize-controller", "source-controller"]),
        ("local-path-storage", vec!["local-path-provisioner"]),
    ] {
        let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
        let list = site.api.get(&path).await;
        let ready = list["items"].as_array().expect("a list").iter();
        let ready = ready.filter(|it| it["status"]["readyReplicas"] == 1);
        let ready: Vec<&str> = ready.filter_map(|it| it["metadata"]["name"].as_str()).collect();
        assert_eq!(ready, deployments, "{namespace}");
    }
    let secrets = site.names("/api/v1/namespaces/appliance-system/secrets").await;
    assert!(secrets.iter().any(|it| it == "appliance-status-auth"), "{secrets:?}");
    assert_eq!(site.names("/apis/storage.k8s.io/v1/storageclasses").await, ["local-path"]);
}

async fn refuses_somebody_elses_namespace(site: &Site<'_>) {
    let namespace =
        serde_json::json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "msp" } });
    site.api.create("/api/v1/namespaces", &namespace).await;
    let ran = site.appliance(&["reset", "--force"]).await;
    ran.ended(1).said("namespace msp is not labelled as an appliance's").said("Check --kubeconfig");
    site.api.delete("/api/v1/namespaces/msp").await;
    site.until("no namespace msp", async || {
        let names = site.names("/api/v1/namespaces").await;
        (!names.iter().any(|it| it == "msp")).then_some(())
    })
    .await;
}
