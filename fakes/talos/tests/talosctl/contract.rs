//! What a machine says to whoever calls it, from its maintenance mode to its secure API: the same words from ours and from a real one.

use crate::caller::Caller;

/// Goes through all of it. The machine waits for a configuration, or is about to; it reaches nobody.
pub(crate) async fn contract(caller: &Caller) {
    in_maintenance(caller).await;
    caller.anybody(&["apply-config", "--file", &caller.path("ours.yaml")]).await.well();
    let version = caller.until_well("ours", &["version"]).await;
    assert!(version.out.contains("v1.11.0") && version.out.contains("Enabled:     RBAC"), "{version:?}");
    strangers(caller).await;
    failures(caller).await;
}

async fn in_maintenance(caller: &Caller) {
    caller.until(async || caller.anybody(&["get", "machinestatus"]).await.code == Some(0)).await;
    let status = caller.anybody(&["get", "machinestatus", "--output", "json"]).await.well();
    let status: serde_json::Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(
        (&status["spec"]["stage"], &status["spec"]["status"]["ready"]),
        (&"maintenance".into(), &true.into())
    );
    assert_eq!(status["metadata"]["type"], "MachineStatuses.runtime.talos.dev");
    let disks = caller.anybody(&["get", "disks"]).await.well();
    assert!(disks.out.contains("vda"), "{disks:?}");
    let version = caller.anybody(&["version"]).await;
    version.failed("code = Unimplemented desc = API is not implemented in maintenance mode");
    std::fs::write(caller.path("bad.yaml"), "machine:\n    bogus: 1\n").unwrap();
    let bad = caller.anybody(&["apply-config", "--file", &caller.path("bad.yaml")]).await;
    bad.failed("failed to parse config: unknown keys found during decoding:\nmachine:\n    bogus: 1");
    let absent = caller.anybody(&["get", "nosuch"]).await;
    absent.failed("code = NotFound desc = resource \"nosuch\" is not registered");
    caller.generate("ours").await;
    let dry = ["apply-config", "--file", &caller.path("ours.yaml"), "--dry-run"];
    let dry = caller.anybody(&dry).await.well();
    assert!(
        dry.err.contains("Node is running in maintenance mode and does not have a config yet."),
        "{dry:?}"
    );
    // Which of the two is wrong first, its authority or its name, depends on the way by which it is called.
    caller.with("ours", &["version"]).await.failed("tls: failed to verify certificate: x509: certificate");
}

async fn strangers(caller: &Caller) {
    caller.anybody(&["get", "disks"]).await.failed("remote error: tls: certificate required");
    let again = caller.anybody(&["apply-config", "--file", &caller.path("ours.yaml")]).await;
    again.failed("error applying new configuration: rpc error: code = Unavailable");
    caller.generate("theirs").await;
    let theirs = caller.with("theirs", &["version"]).await;
    theirs.failed("while trying to verify candidate authority certificate \\\"talos\\\"");
}

async fn failures(caller: &Caller) {
    caller.with("ours", &["logs", "nosuch"]).await.failed("log \"nosuch\" was not registered");
    let service = caller.with("ours", &["service", "nosuch"]).await;
    service.failed("service \"nosuch\" is not registered on any nodes");
    let services = caller.with("ours", &["services"]).await.well();
    for service in ["apid", "containerd", "machined", "etcd", "kubelet"] {
        assert!(services.out.contains(service), "{service}: {services:?}");
    }
    let status = caller.with("ours", &["get", "machinestatus", "--output", "json"]).await.well();
    assert!(status.out.contains("\"ready\": false"), "without a cluster it is not ready: {status:?}");
    let dmesg = caller.with("ours", &["dmesg"]).await.well();
    assert!(dmesg.out.contains("[talos] machine config loaded successfully"), "{} bytes", dmesg.out.len());
}
