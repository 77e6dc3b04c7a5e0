//! What is played with the program and a machine.

use fake_network::{DnsEffect, DnsFault};
use fake_talos::Voice;

use crate::site::Site;

/// From a machine that waits to one whose etcd runs.
async fn configure(site: &Site) {
    site.until(async || site.anybody(&["get", "machinestatus"]).await.code == Some(0)).await;
    site.generate("ours").await;
    site.anybody(&["apply-config", "--file", &site.path("ours.yaml")]).await.well();
}

pub(crate) async fn becomes_a_cluster(site: Site) {
    site.until(async || site.anybody(&["get", "machinestatus"]).await.code == Some(0)).await;
    let status = site.anybody(&["get", "machinestatus", "-o", "json"]).await.well();
    let status: serde_json::Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(status["spec"]["stage"], "maintenance", "{status:#}");
    assert_eq!(status["spec"]["status"]["ready"], true, "{status:#}");
    assert_eq!(status["metadata"]["type"], "MachineStatuses.runtime.talos.dev");
    let disks = site.anybody(&["get", "disks"]).await.well();
    assert!(disks.out.contains("vda") && disks.out.contains("10 GB"), "{disks:?}");
    configure(&site).await;
    let version = site.until_well("ours", &["version"]).await;
    assert!(
        version.out.contains("Tag:         v1.11.0") && version.out.contains("Enabled:     RBAC"),
        "{version:?}"
    );
    let status = site.with("ours", &["get", "machinestatus", "-o", "json"]).await.well();
    assert!(status.out.contains("kubelet not running, etcd not running"), "{status:?}");
    let early = site.with("ours", &["bootstrap"]).await;
    if early.code != Some(0) {
        early.failed("code = FailedPrecondition desc = bootstrap is not available yet");
        site.until_well("ours", &["bootstrap"]).await;
    }
    site.with("ours", &["bootstrap"])
        .await
        .failed("code = AlreadyExists desc = etcd data directory is not empty");
    site.until(async || {
        let etcd = site.with("ours", &["service", "etcd"]).await.well();
        etcd.out.contains("STATE    Running") && etcd.out.contains("HEALTH   OK")
    })
    .await;
    site.with("ours", &["kubeconfig", &site.path("kubeconfig"), "--force", "--merge=false"]).await.well();
    assert_eq!(std::fs::read_to_string(site.path("kubeconfig")).unwrap(), "kind: Config\n");
    let dmesg = site.with("ours", &["dmesg"]).await.well();
    assert!(dmesg.out.contains("[talos] service[etcd](Running): Health check successful"), "{dmesg:?}");
    let services = site.with("ours", &["services"]).await.well();
    assert!(
        services.out.lines().any(|line| line.contains("kubelet") && line.contains("Running")),
        "{services:?}"
    );
}

pub(crate) async fn in_maintenance(site: Site) {
    site.until(async || site.anybody(&["get", "machinestatus"]).await.code == Some(0)).await;
    let version = site.anybody(&["version"]).await;
    version.failed("code = Unimplemented desc = API is not implemented in maintenance mode");
    std::fs::write(site.path("bad.yaml"), "machine:\n    bogus: 1\n").unwrap();
    let bad = site.anybody(&["apply-config", "--file", &site.path("bad.yaml")]).await;
    bad.failed("failed to parse config: unknown keys found during decoding:\nmachine:\n    bogus: 1");
    site.anybody(&["get", "nosuch"])
        .await
        .failed("code = NotFound desc = resource \"nosuch\" is not registered");
    site.generate("ours").await;
    let dry = site.anybody(&["apply-config", "--file", &site.path("ours.yaml"), "--dry-run"]).await.well();
    assert!(
        dry.err.contains("Node is running in maintenance mode and does not have a config yet."),
        "{dry:?}"
    );
    let secure = site.with("ours", &["version"]).await;
    secure.failed("tls: failed to verify certificate: x509: certificate signed by unknown authority");
}

pub(crate) async fn strangers(site: Site) {
    configure(&site).await;
    site.until_well("ours", &["version"]).await;
    site.anybody(&["get", "disks"]).await.failed("remote error: tls: certificate required");
    let again = site.anybody(&["apply-config", "--file", &site.path("ours.yaml")]).await;
    again.failed("error applying new configuration: rpc error: code = Unavailable");
    site.generate("theirs").await;
    let theirs = site.with("theirs", &["version"]).await;
    theirs.failed("while trying to verify candidate authority certificate \\\"talos\\\"");
}

pub(crate) async fn wrapped(site: Site) {
    configure(&site).await;
    site.until_well("ours", &["version"]).await;
    // Two machines are asked, one of which is not there: that is a warning, and no failure.
    let address = site.machine.address().to_string();
    let both = format!("{address},10.99.99.99");
    let path = site.path("ours");
    let asked = ["version", "--short", "--nodes", &both, "--endpoints", &address, "--talosconfig", &path];
    let ran = site.run(&asked).await.well();
    let told = format!("{}{}", ran.out, ran.err);
    assert!(told.contains("WARNING: 1 error occurred"), "{told}");
    assert!(told.contains("dial tcp 10.99.99.99:50000: connect: no route to host"), "{told}");
    site.with("ours", &["logs", "nosuch"]).await.failed("log \"nosuch\" was not registered");
    site.with("ours", &["service", "nosuch"])
        .await
        .failed("service \"nosuch\" is not registered on any nodes");
}

pub(crate) async fn silent(site: Site) {
    site.machine.speak(Voice::Silent);
    let address = site.machine.address().to_string();
    let asked = ["get", "machinestatus", "--insecure", "--nodes", &address];
    let silence = site.let_run(&asked);
    // Nothing that the program prints by itself: it waits for as long as it is let.
    tokio::select! {
        ran = silence => panic!("a silent machine was heard: {ran:?}"),
        () = site.pass(60) => {}
    }
    site.machine.speak(Voice::Clear);
    site.until(async || site.anybody(&["get", "machinestatus"]).await.code == Some(0)).await;
}

pub(crate) async fn resolver_refuses(site: Site) {
    site.until(async || site.anybody(&["get", "machinestatus"]).await.code == Some(0)).await;
    let fault = site.dns.control().inject(DnsFault::all(DnsEffect::NxDomain)).await;
    configure(&site).await;
    site.until(async || site.machine.console().iter().any(|line| line.contains("failed to pull image")))
        .await;
    let console = site.machine.console().concat();
    assert!(console.contains("failed to pull image \"ghcr.io/siderolabs/installer:v1.11.0\""), "{console}");
    assert!(console.contains("lookup ghcr.io on ") && console.contains("no such host"), "{console}");
    // Nobody can talk to it meanwhile.
    assert_ne!(site.with("ours", &["version"]).await.code, Some(0));
    site.dns.control().heal(fault).await.unwrap();
    site.until_well("ours", &["version"]).await;
}

pub(crate) async fn starts_again(site: Site) {
    configure(&site).await;
    site.until_well("ours", &["bootstrap"]).await;
    site.with("ours", &["reboot", "--wait=false"]).await.well();
    assert_ne!(site.with("ours", &["version"]).await.code, Some(0), "it is down");
    site.until(async || {
        let etcd = site.until_well("ours", &["service", "etcd"]).await;
        etcd.out.contains("HEALTH   OK")
    })
    .await;
    site.with("ours", &["bootstrap"]).await.failed("code = AlreadyExists");
    drop(site.power);
    assert!(
        site.registry.control().receipts().len() > 3,
        "its images were pulled, and again after the restart"
    );
}
