//! Pods as kubectl prints them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Column, age, name, number, or_none, since, text};
use crate::object;

pub(super) const COLUMNS: &[Column] = &[
    ("Name", "string", 0),
    ("Ready", "string", 0),
    ("Status", "string", 0),
    ("Restarts", "string", 0),
    ("Age", "string", 0),
    ("IP", "string", 1),
    ("Node", "string", 1),
    ("Nominated Node", "string", 1),
    ("Readiness Gates", "string", 1),
];

/// What is counted over a pod's containers.
#[derive(Default)]
struct Tally {
    reason: String,
    ready: usize,
    restarts: i64,
    last_restart: Option<Timestamp>,
}

impl Tally {
    fn restarted(&mut self, status: &Value) {
        self.restarts += number(&status["restartCount"]);
        let ended = text(&status["lastState"]["terminated"]["finishedAt"]).parse::<Timestamp>().ok();
        self.last_restart = self.last_restart.max(ended);
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Why a container ended: its reason, signal or code.
fn ending(terminated: &Value) -> String {
    let reason = text(&terminated["reason"]);
    match (reason, number(&terminated["signal"])) {
        ("", 0) => format!("ExitCode:{}", number(&terminated["exitCode"])),
        ("", signal) => format!("Signal:{signal}"),
        _ => reason.to_owned(),
    }
}

fn is_sidecar(pod: &Value, container: &str) -> bool {
    list(&pod["spec"]["initContainers"])
        .iter()
        .any(|init| init["name"] == container && init["restartPolicy"] == "Always")
}

/// Looks at the init containers; whether one of them still has work to do.
fn initializing(pod: &Value, tally: &mut Tally) -> bool {
    let statuses = list(&pod["status"]["initContainerStatuses"]);
    let total = list(&pod["spec"]["initContainers"]).len();
    for (at, status) in statuses.iter().enumerate() {
        tally.restarted(status);
        let sidecar = is_sidecar(pod, text(&status["name"]));
        let (state, waiting) = (&status["state"], text(&status["state"]["waiting"]["reason"]));
        if state["terminated"].is_object() && number(&state["terminated"]["exitCode"]) == 0 {
            continue;
        }
        if sidecar && status["started"] == true {
            if status["ready"] == true {
                tally.ready += 1;
            }
            continue;
        }
        tally.reason = if state["terminated"].is_object() {
            format!("Init:{}", ending(&state["terminated"]))
        } else if !waiting.is_empty() && waiting != "PodInitializing" {
            format!("Init:{waiting}")
        } else {
            format!("Init:{at}/{total}")
        };
        return true;
    }
    false
}

fn running(pod: &Value, tally: &mut Tally) {
    tally.restarts = 0;
    let mut has_running = false;
    for status in list(&pod["status"]["initContainerStatuses"]) {
        if is_sidecar(pod, text(&status["name"])) {
            tally.restarts += number(&status["restartCount"]);
        }
    }
    for status in list(&pod["status"]["containerStatuses"]).iter().rev() {
        tally.restarted(status);
        let state = &status["state"];
        let waiting = text(&state["waiting"]["reason"]);
        if !waiting.is_empty() {
            waiting.clone_into(&mut tally.reason);
        } else if state["terminated"].is_object() {
            tally.reason = ending(&state["terminated"]);
        } else if status["ready"] == true && state["running"].is_object() {
            has_running = true;
            tally.ready += 1;
        }
    }
    if tally.reason == "Completed" && has_running {
        let ready = object::condition(pod, "Ready").is_some_and(|condition| condition["status"] == "True");
        tally.reason = if ready { "Running" } else { "NotReady" }.to_owned();
    }
}

fn tally(pod: &Value) -> Tally {
    let status = &pod["status"];
    let mut tally = Tally { reason: text(&status["phase"]).to_owned(), ..Tally::default() };
    if !text(&status["reason"]).is_empty() {
        text(&status["reason"]).clone_into(&mut tally.reason);
    }
    if object::condition(pod, "PodScheduled")
        .is_some_and(|condition| condition["reason"] == "SchedulingGated")
    {
        tally.reason = "SchedulingGated".to_owned();
    }
    let initialized =
        object::condition(pod, "Initialized").is_some_and(|condition| condition["status"] == "True");
    if !initializing(pod, &mut tally) || initialized {
        running(pod, &mut tally);
    }
    if object::is_deleting(pod) {
        let lost = status["reason"] == "NodeLost";
        let over = matches!(text(&status["phase"]), "Succeeded" | "Failed");
        if lost {
            tally.reason = "Unknown".to_owned();
        } else if !over {
            tally.reason = "Terminating".to_owned();
        }
    }
    tally
}

pub(super) fn cells(pod: &Value, now: Timestamp) -> Vec<Value> {
    let tally = tally(pod);
    let sidecars =
        list(&pod["spec"]["initContainers"]).iter().filter(|init| init["restartPolicy"] == "Always").count();
    let total = list(&pod["spec"]["containers"]).len() + sidecars;
    let restarts = match tally.last_restart {
        Some(last) if tally.restarts > 0 => {
            format!("{} ({} ago)", tally.restarts, since(&json!(object::timestamp(last)), now))
        }
        _ => tally.restarts.to_string(),
    };
    vec![
        name(pod),
        json!(format!("{}/{total}", tally.ready)),
        json!(tally.reason),
        json!(restarts),
        age(pod, now),
        or_none(text(&pod["status"]["podIP"])),
        or_none(text(&pod["spec"]["nodeName"])),
        or_none(text(&pod["status"]["nominatedNodeName"])),
        json!("<none>"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pod: &Value) -> (String, String, String) {
        let cells = cells(pod, "2026-01-01T00:10:00Z".parse().unwrap());
        let at = |index: usize| text(&cells[index]).to_owned();
        (at(1), at(2), at(3))
    }

    #[test]
    fn a_crash_loop_shows_its_last_restart() {
        let pod = json!({"spec": {"containers": [{"name": "a"}]}, "status": {"phase": "Running", "containerStatuses": [{
            "name": "a", "restartCount": 5, "ready": false, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"finishedAt": "2026-01-01T00:07:38Z"}}}]}});
        assert_eq!(row(&pod), ("0/1".into(), "CrashLoopBackOff".into(), "5 (2m22s ago)".into()));
    }

    #[test]
    fn an_init_container_shows_before_the_others() {
        let pod = json!({"spec": {"containers": [{"name": "a"}], "initContainers": [{"name": "i"}]},
            "status": {"phase": "Pending", "initContainerStatuses": [{"name": "i", "restartCount": 0,
            "state": {"running": {}}}], "containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "PodInitializing"}}}]}});
        assert_eq!(row(&pod), ("0/1".into(), "Init:0/1".into(), "0".into()));
    }

    #[test]
    fn a_deleted_pod_is_terminating() {
        let pod = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:10:00Z"}, "spec": {"containers": [{}]},
            "status": {"phase": "Running", "containerStatuses": [{"ready": true, "state": {"running": {}}}]}});
        assert_eq!(row(&pod), ("1/1".into(), "Terminating".into(), "0".into()));
    }
}
