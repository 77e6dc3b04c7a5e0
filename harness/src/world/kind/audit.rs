//! What the API server notes of those who ask it: the log that Kubernetes has for this.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cluster::Cluster;
use crate::world::WorldError;
use crate::world::machine::{Encounter, Met};

/// Directories of the node that the API server's container has as well.
const POLICIES: &str = "/etc/kubernetes/audit";
const LOGS: &str = "/var/log/kubernetes";
const LOG: &str = "/var/log/kubernetes/audit.log";

/// Writes what is to be noted into a directory of this machine; says in which file.
pub(super) fn write_policy(directory: &Path) -> std::io::Result<PathBuf> {
    let policy = json!({
        "apiVersion": "audit.k8s.io/v1", "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            // Who asked for what and how it ended, and nothing of what was said.
            { "level": "Metadata", "userGroups": ["system:serviceaccounts:appliance-system"] },
            { "level": "None" },
        ],
    });
    let path = directory.join("audit-policy.yaml");
    std::fs::write(&path, policy.to_string())?;
    Ok(path)
}

/// What a node needs to have mounted for it.
pub(super) fn mount(policy: &Path) -> Value {
    json!({ "hostPath": policy, "containerPath": format!("{POLICIES}/policy.yaml"), "readOnly": true })
}

/// What the installer of the cluster has to tell the API server.
pub(super) fn patch() -> String {
    let volume = |name: &str, path: &str| json!({ "name": name, "hostPath": path, "mountPath": path, "pathType": "DirectoryOrCreate" });
    json!({
        "kind": "ClusterConfiguration",
        "apiServer": {
            "extraArgs": {
                "audit-policy-file": format!("{POLICIES}/policy.yaml"),
                "audit-log-path": LOG,
                // Megabytes, and files of that size.
                "audit-log-maxsize": "20",
                "audit-log-maxbackup": "1",
            },
            "extraVolumes": [volume("audit-policies", POLICIES), volume("audit-logs", LOGS)],
        },
    })
    .to_string()
}

/// Whom the API has refused something, as it noted it. A cluster of an earlier version notes nothing.
pub(super) async fn refusals(cluster: &Cluster) -> Result<Vec<Encounter>, WorldError> {
    // A full file is put aside beside it, under its name and the time.
    let script = format!("cd {LOGS} && {{ grep -hs '\"code\":403' audit*.log || true; }}");
    let noted = cluster.shell(&format!("! test -d {LOGS} || {{ {script}; }}"), b"").await;
    let noted = noted.map_err(|error| format!("read what the API noted ({error})"))?;
    if noted.is_empty() {
        tracing::debug!(
            "the API has noted no refusal; a cluster of an earlier version notes nothing: smoke clean"
        );
    }
    Ok(noted.lines().filter_map(refusal).collect())
}

fn refusal(line: &str) -> Option<Encounter> {
    let noted: Value = serde_json::from_str(line).ok()?;
    let refused = noted["responseStatus"]["code"] == 403;
    let at: Timestamp = noted["stageTimestamp"].as_str()?.parse().ok()?;
    let user = noted["user"]["username"].as_str()?.to_owned();
    refused.then_some(Encounter { at, met: Met::Refusal, user })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_an_answer_with_403_and_nothing_else_is() {
        let line = |code: u16| {
            json!({"kind": "Event", "stage": "ResponseComplete", "verb": "watch", "user": {"username": "system:serviceaccount:a:b"},
                "responseStatus": {"code": code}, "stageTimestamp": "2026-01-02T03:04:05.123456Z"})
            .to_string()
        };
        let found = refusal(&line(403)).unwrap();
        assert_eq!((found.met, found.user.as_str()), (Met::Refusal, "system:serviceaccount:a:b"));
        assert!(refusal(&line(200)).is_none());
        assert!(refusal("half a line {").is_none());
    }

    #[test]
    fn nothing_of_what_was_said_is_noted() {
        let directory = tempfile::tempdir().unwrap();
        let path = write_policy(directory.path()).unwrap();
        let policy: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let levels: Vec<&str> =
            policy["rules"].as_array().unwrap().iter().filter_map(|rule| rule["level"].as_str()).collect();
        assert_eq!(levels, ["Metadata", "None"]);
    }
}
