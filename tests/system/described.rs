//! `kubectl describe pod` on a kept world says what a real kubelet says under the same fault.
//!
//! The sentences are those of recordings of a real node (Kubernetes 1.34, containerd), with names of our own in them.

use std::path::PathBuf;

use regex::Regex;
use tokio::process::Command;

use crate::lanes;
use crate::program::{find, finish};
use crate::smoke::{Desk, Keeper};

/// A fault without a heal, the pod to look at, what its description must show, and the reasons of all its events.
struct Case {
    fault: &'static str,
    pod: &'static str,
    shows: &'static [&'static str],
    reasons: &'static [&'static str],
}

const CASES: [Case; 4] = [
    Case {
        fault: "volume.subpath-dangling: { component: db }",
        pod: "db-0",
        shows: &[
            r"Reason: +CreateContainerConfigError",
            r#"Warning +Failed .* kubelet +Error: failed to create subPath directory for volumeMount "db-data" of container "db"$"#,
            r#"Normal +Pulled .* kubelet +Container image "docker.io/pgvector/pgvector:pg16" already present on machine$"#,
            r"Normal +Scheduled .* default-scheduler +Successfully assigned msp/db-0 to appliance$",
        ],
        reasons: &["Created", "Failed", "FailedScheduling", "Pulled", "Pulling", "Scheduled", "Started"],
    },
    Case {
        fault: "registry.cut: { image: email-service }",
        pod: "email-service-",
        shows: &[
            r"Reason: +(ErrImagePull|ImagePullBackOff)",
            r#"Warning +Failed .* kubelet +Failed to pull image "(.*)": failed to pull and unpack image ".*": short read: expected \d+ bytes but got \d+: unexpected EOF$"#,
            r"Warning +Failed .* kubelet +Error: ErrImagePull$",
            r"Warning +Failed .* kubelet +Error: ImagePullBackOff$",
            r#"Normal +BackOff .* kubelet +Back-off pulling image ".*"$"#,
        ],
        reasons: &["BackOff", "Failed", "Pulling", "Scheduled"],
    },
    Case {
        fault: "registry.missing-tag: { image: workflow-worker }",
        pod: "workflow-worker-",
        shows: &[
            r#"Warning +Failed .* kubelet +Failed to pull image "(.*)": rpc error: code = NotFound desc = failed to pull and unpack image ".*": failed to resolve reference ".*": .*: not found$|Warning +Failed .* kubelet +Failed to pull image "(.*)": failed to pull and unpack image ".*": .*: not found$"#,
            r"Warning +Failed .* kubelet +Error: ErrImagePull$",
            r#"Normal +BackOff .* kubelet +Back-off pulling image ".*"$"#,
        ],
        reasons: &["BackOff", "Failed", "Pulling", "Scheduled"],
    },
    Case {
        fault: "service-links.enabled: { component: temporal-ui }",
        pod: "temporal-ui-",
        shows: &[
            r"Reason: +CrashLoopBackOff|Reason: +Error",
            r"Warning +BackOff .*x\d+ over .* kubelet +Back-off restarting failed container temporal-ui in pod temporal-ui-.*_msp\(.*\)$",
            r"Normal +Started .*x\d+ over .* kubelet +Started container temporal-ui$",
            r"Normal +Created .* kubelet +Created container: temporal-ui$",
        ],
        reasons: &["BackOff", "Created", "Pulled", "Pulling", "Scheduled", "Started", "Unhealthy"],
    },
];

#[tokio::test]
async fn kubectl_describes_a_pod_as_it_does_on_a_real_node() {
    let Some(kubectl) = find("kubectl") else {
        return lanes::did_not_run("kubectl", "there is no kubectl on the path");
    };
    for case in CASES {
        let described = described(&kubectl, &case).await;
        for pattern in case.shows {
            assert!(shows(&described, pattern), "{}: nothing like {pattern} in\n{described}", case.fault);
        }
        for reason in reasons(&described) {
            assert!(case.reasons.contains(&reason.as_str()), "{}: {reason} in\n{described}", case.fault);
        }
    }
    lanes::ran("kubectl", CASES.len());
}

/// Whether a line of it fits.
fn shows(described: &str, pattern: &str) -> bool {
    Regex::new(&format!("(?m){pattern}")).expect("a pattern").is_match(described)
}

/// The reasons of all events.
fn reasons(described: &str) -> Vec<String> {
    let event = Regex::new(r"(?m)^  (?:Normal|Warning) +(\w+) ").expect("a pattern");
    event.captures_iter(described).map(|found| found[1].to_owned()).collect()
}

/// The description of the pod in a world that was kept with this fault in it.
async fn described(kubectl: &PathBuf, case: &Case) -> String {
    let desk = Desk::new();
    // The world is kept whatever the appliance says of it; this is about the cluster.
    let text = format!("faults:\n  - {}\nexpect:\n  eventually: {{}}\n", case.fault);
    desk.scenario("scenarios", "described", &text);
    let folder = desk.at("scenarios").display().to_string();
    let keeper = Keeper::start(&desk, &["run", "--scenarios", &folder]).await;
    let ask = async |arguments: &[&str]| {
        let mut command = Command::new(kubectl);
        command.args(arguments).env("KUBECONFIG", &keeper.kubeconfig).env("HOME", desk.at("home"));
        String::from_utf8(finish(command).await.stdout).expect("UTF-8")
    };
    let pods = ask(&["get", "pods", "-n", "msp", "-o", "name"]).await;
    let names = pods.lines().filter_map(|line| line.strip_prefix("pod/"));
    let mut mine: Vec<&str> = names.filter(|name| name.starts_with(case.pod)).collect();
    // A component's name may begin another's.
    mine.sort_by_key(|name| name.len());
    let described = ask(&["describe", "pod", "-n", "msp", mine.last().expect("the pod")]).await;
    keeper.let_go().await;
    described
}
