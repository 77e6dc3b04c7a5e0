//! Reading a log as the API asks for it.

use std::collections::VecDeque;

use bytes::Bytes;
use cluster_api::kinds::PODS;
use cluster_api::{ApiError, LogOptions, LogStream, Store};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{PodLogs, Run, Which};
use crate::kubelet::Kubelet;

/// Where a kubelet answers the API.
const KUBELET_PORT: u16 = 10250;

/// The log of a container, or why there is none.
pub(crate) fn read(
    node: &Kubelet,
    namespace: &str,
    pod: &str,
    options: &LogOptions,
) -> Result<LogStream, ApiError> {
    let object = node.store.get(&PODS, namespace, pod).ok_or_else(|| ApiError::not_found(&PODS, pod))?;
    let container = container_name(&object, pod, options.container.as_deref())?;
    if object["spec"]["nodeName"].as_str().unwrap_or_default().is_empty() {
        // No kubelet has the pod, so nobody is asked.
        return Ok(futures::stream::empty().boxed());
    }
    let status = container_status(&object, &container);
    let which = if options.previous { Which::Previous } else { Which::Current };
    match (which, status) {
        (Which::Previous, Some(status)) if !status["lastState"]["terminated"].is_object() => {
            let text = format!("previous terminated container \"{container}\" in pod \"{pod}\" not found");
            return Err(ApiError::bad_request(text));
        }
        (Which::Current, Some(status)) => refuse_waiting(status, &container, pod)?,
        (_, None) => {
            return Err(ApiError::bad_request(format!(
                "container \"{container}\" in pod \"{pod}\" is not available"
            )));
        }
        (Which::Previous, Some(_)) => {}
    }
    match find(&node.logs, namespace, pod, &container, which, status) {
        Some(run) => Ok(stream(&node.store, run, options.clone(), node)),
        None => {
            let id = status
                .and_then(|s| s["lastState"]["terminated"]["containerID"].as_str())
                .unwrap_or("containerd://");
            let line = Bytes::from(format!("unable to retrieve container logs for {id}"));
            Ok(futures::stream::iter([line]).boxed())
        }
    }
}

/// What the API says when the node's kubelet does not answer.
pub(crate) fn unreachable(node: &Kubelet, namespace: &str, pod: &str, options: &LogOptions) -> ApiError {
    let container = node.store.get(&PODS, namespace, pod);
    let container =
        container.and_then(|object| container_name(&object, pod, options.container.as_deref()).ok());
    let mut query: Vec<String> = Vec::new();
    if options.follow {
        query.push("follow=true".to_owned());
    }
    if options.previous {
        query.push("previous=true".to_owned());
    }
    query.extend(options.since_seconds.map(|seconds| format!("sinceSeconds={seconds}")));
    query.extend(options.tail_lines.map(|lines| format!("tailLines={lines}")));
    if options.timestamps {
        query.push("timestamps=true".to_owned());
    }
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let place = format!("{}:{KUBELET_PORT}", node.ip);
    let container = container.unwrap_or_default();
    ApiError::new(
        500,
        "",
        format!(
            "Get \"https://{place}/containerLogs/{namespace}/{pod}/{container}{query}\": dial tcp {place}: connect: connection refused"
        ),
    )
}

/// The status names a run by its id; the newest run may already be the one after.
fn find(
    logs: &PodLogs,
    namespace: &str,
    pod: &str,
    container: &str,
    which: Which,
    status: Option<&Value>,
) -> Option<Run> {
    let current = logs.find(namespace, pod, container, Which::Current);
    if which == Which::Current {
        // As long as the status says that it has ended, the run that has is meant, although the next one may have begun.
        let ended = status.and_then(|it| it["state"]["terminated"]["containerID"].as_str());
        let Some(ended) = ended.and_then(|it| it.strip_prefix("containerd://")) else { return current };
        let before = logs.find(namespace, pod, container, Which::Previous);
        let meant = [&current, &before].into_iter().flatten().find(|run| run.id == ended).cloned();
        return meant.or(current);
    }
    let ended = status?["lastState"]["terminated"]["containerID"].as_str()?.strip_prefix("containerd://")?;
    // One ended run is kept for each container: the end of a run takes the one before away.
    let current_over = status?["state"]["terminated"].is_object();
    let previous = logs.find(namespace, pod, container, Which::Previous).filter(|_| !current_over);
    [current, previous].into_iter().flatten().find(|run| run.id == ended)
}

/// The container that is meant, or why nobody can tell.
pub(crate) fn container_name(pod: &Value, name: &str, asked: Option<&str>) -> Result<String, ApiError> {
    let names = |field: &str| -> Vec<String> {
        let list = pod["spec"][field].as_array().into_iter().flatten();
        list.filter_map(|c| c["name"].as_str()).map(str::to_owned).collect()
    };
    let (main, init) = (names("containers"), names("initContainers"));
    match asked {
        Some(asked) if main.iter().chain(&init).any(|known| known == asked) => Ok(asked.to_owned()),
        Some(asked) => Err(ApiError::bad_request(format!("container {asked} is not valid for pod {name}"))),
        None if main.len() == 1 => Ok(main.into_iter().next().unwrap_or_default()),
        None => {
            let mut choice = format!(
                "a container name must be specified for pod {name}, choose one of: [{}]",
                main.join(" ")
            );
            if !init.is_empty() {
                choice.push_str(&format!(" or one of the init containers: [{}]", init.join(" ")));
            }
            Err(ApiError::bad_request(choice))
        }
    }
}

/// The status of a container, when the kubelet has written one.
pub(crate) fn container_status<'a>(pod: &'a Value, container: &str) -> Option<&'a Value> {
    let lists = ["containerStatuses", "initContainerStatuses"];
    lists
        .into_iter()
        .flat_map(|list| pod["status"][list].as_array().into_iter().flatten())
        .find(|s| s["name"] == container)
}

/// A container that waits for its first run has no log; one that waits for the next shows the last.
fn refuse_waiting(status: &Value, container: &str, pod: &str) -> Result<(), ApiError> {
    let waiting = &status["state"]["waiting"];
    if !waiting.is_object() || status["lastState"]["terminated"].is_object() {
        return Ok(());
    }
    let why = match waiting["reason"].as_str().unwrap_or("") {
        "ImagePullBackOff" => "trying and failing to pull image",
        "ErrImagePull" => "image can't be pulled",
        reason => reason,
    };
    let why = format!("container \"{container}\" in pod \"{pod}\" is waiting to start: {why}");
    Err(ApiError::bad_request(why))
}

fn stream(store: &Store, run: Run, options: LogOptions, node: &Kubelet) -> LogStream {
    let now = store.clock().now();
    let since = options.since_seconds.and_then(|s| i64::try_from(s).ok()).map(SignedDuration::from_secs);
    let since = since.and_then(|s| now.checked_sub(s).ok()).or(options.since_time);
    let (lines, next) = run.log.read_from(0);
    let wanted = |at: &Timestamp| since.is_none_or(|since| *at >= since);
    let mut first: VecDeque<String> = lines
        .iter()
        .filter(|(at, _)| wanted(at))
        .map(|(at, line)| shown(*at, line, options.timestamps))
        .collect();
    if let Some(tail) = options.tail_lines.and_then(|n| usize::try_from(n).ok()) {
        first.drain(..first.len().saturating_sub(tail));
    }
    let mut text: String = first.into_iter().collect();
    if let Some(limit) = options.limit_bytes.and_then(|n| usize::try_from(n).ok()) {
        text.truncate(text.floor_char_boundary(limit.min(text.len())));
    }
    let beginning = futures::stream::iter((!text.is_empty()).then(|| Bytes::from(text)));
    if !options.follow {
        return beginning.boxed();
    }
    let over = node.logs.over(&run.id);
    beginning.chain(follow(run, next, options.timestamps, over)).boxed()
}

/// Lines to come, until the run is over.
fn follow(
    run: Run,
    next: u64,
    timestamps: bool,
    over: tokio_util::sync::CancellationToken,
) -> impl futures::Stream<Item = Bytes> + Send + 'static {
    let written = run.log.written();
    futures::stream::unfold((run, next, written, over), move |(run, next, mut written, over)| async move {
        loop {
            let ended = over.is_cancelled();
            let (lines, after) = run.log.read_from(next);
            if !lines.is_empty() {
                let text: String = lines.iter().map(|(at, line)| shown(*at, line, timestamps)).collect();
                return Some((Bytes::from(text), (run, after, written, over)));
            }
            if ended {
                return None;
            }
            tokio::select! {
                () = over.cancelled() => {}
                changed = written.changed() => changed.ok()?,
            }
        }
    })
}

fn shown(at: Timestamp, line: &str, timestamps: bool) -> String {
    if timestamps {
        format!("{} {line}\n", at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ"))
    } else {
        format!("{line}\n")
    }
}
