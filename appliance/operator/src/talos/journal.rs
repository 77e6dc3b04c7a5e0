//! What the machine says of its troubles while something of it is waited for.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use appliance_assess::{PullCause, explain_pull};
use appliance_status_model::BlockerCode;
use serde_json::Value;

use super::memory::of_memory;
use super::talosctl::Talosctl;
use super::wait::Seen;
use crate::blocker::Blocker;
use crate::report::{Phase, blocked};

/// A machine's whole log is asked for at the first look, and at every fifth after it.
const EVERY: u32 = 5;
/// Words by which something is known to wait for the machine's clock.
const CLOCK: [&str; 2] = ["time sync", "time is not in sync"];
/// Where the machine's own resolver listens, which asks the servers that the machine was given.
const OWN_RESOLVER: &str = " on 127.0.0.53:53: ";
/// What comes before the name of a time server that does not answer.
const TIME_SERVER: &str = "time query error with server \"";

/// Reads what the machine says, and tells each trouble once.
pub(super) struct Journal<'a> {
    talosctl: &'a Talosctl,
    looks: Cell<u32>,
    /// What the last look into the log has found.
    lately: RefCell<Option<PullCause>>,
    /// The same, where the look before it had found something, too.
    trouble: RefCell<Option<PullCause>>,
    memory: RefCell<Option<PullCause>>,
    told: RefCell<BTreeSet<String>>,
}

impl<'a> Journal<'a> {
    pub(super) fn of(talosctl: &'a Talosctl) -> Self {
        Self {
            talosctl,
            looks: Cell::new(0),
            lately: RefCell::default(),
            trouble: RefCell::default(),
            memory: RefCell::default(),
            told: RefCell::default(),
        }
    }

    /// Why something is not there yet: the trouble that the machine tells, else what was seen.
    pub(super) async fn not_yet<T>(&self, seen: &str) -> Seen<T> {
        if self.looks.replace(self.looks.get() + 1).is_multiple_of(EVERY) {
            // A log that cannot be read at the moment says nothing new.
            if let Ok(dmesg) = self.talosctl.dmesg().await {
                let trouble = self.trouble_of(seen, &dmesg).await;
                let before = self.lately.replace(trouble.clone());
                // What a machine overcomes by itself, as a resolver that is not there yet, is no trouble.
                self.trouble.replace(trouble.filter(|_| before.is_some()));
                // Nor does it get more memory.
                self.memory.replace(of_memory(&dmesg));
            }
        }
        // Without enough memory everything takes long, and nothing else may ever be said.
        let trouble = self.trouble.borrow().clone().or_else(|| self.memory.borrow().clone());
        let Some(PullCause { reason, next_action }) = trouble else { return Seen::NotYet(seen.to_owned()) };
        if self.told.borrow_mut().insert(reason.clone()) {
            let blocker = Blocker {
                layer: BlockerCode::Host.layer().to_owned(),
                component: "talos".to_owned(),
                reason: reason.clone(),
                next_action: next_action.to_owned(),
            };
            blocked(Phase::Talos, &blocker);
        }
        Seen::NotYet(format!("{seen}; {reason}. {next_action}"))
    }

    async fn trouble_of(&self, seen: &str, dmesg: &str) -> Option<PullCause> {
        // Nothing is pulled, and no etcd is made, before the machine knows what time it is.
        let of_machine = if CLOCK.iter().any(|words| seen.contains(words)) { of_clock } else { of_machine };
        let mut trouble = of_machine(dmesg);
        if trouble.is_none() {
            trouble = self.talosctl.logs("kubelet").await.ok().as_deref().and_then(of_kubelet);
        }
        trouble.map(|it| with_server(it, dmesg))
    }
}

/// Why the machine's clock is not set: what it last met with when it asked for the time.
fn of_clock(dmesg: &str) -> Option<PullCause> {
    dmesg.lines().rev().find_map(|line| {
        let cause = || error_of(line).unwrap_or_default();
        if line.contains("failed looking up \"") {
            let cause = cause();
            let next_action = explain_pull(&cause)?.next_action;
            return Some(PullCause {
                reason: format!("The machine's clock cannot be set: {cause}"),
                next_action,
            });
        }
        let server = &line[line.find(TIME_SERVER)? + TIME_SERVER.len()..];
        let server = server.split('"').next().unwrap_or_default();
        let reason = format!("The machine's clock cannot be set: time server {server}: {}", cause());
        Some(PullCause {
            reason,
            next_action: "Let the machine reach its time server (UDP port 123), then retry.",
        })
    })
}

/// A lookup that failed, with what the machine's own resolver, at which all of its programs ask, has met with at the servers that it was given.
fn with_server(trouble: PullCause, dmesg: &str) -> PullCause {
    let PullCause { reason, next_action } = trouble;
    let reason = without_our_port(&reason);
    let met = reason.contains(OWN_RESOLVER).then(|| {
        let line = dmesg.lines().rev().find(|line| line.contains("error serving dns request"));
        line.and_then(error_of)
    });
    let reason = match met.flatten() {
        Some(met) => format!("{reason} ({})", without_our_port(&met)),
        None => reason,
    };
    PullCause { reason, next_action }
}

/// Without the port that was ours for one question: `read udp 10.0.2.15:41196->10.0.2.15:53` is another one every time.
fn without_our_port(text: &str) -> String {
    let Some((before, after)) = text.split_once("->") else { return text.to_owned() };
    let kept = before.rfind(' ').map_or("", |at| &before[..=at]);
    format!("{kept}{}", without_our_port(after))
}

/// What a line of the machine's own log holds as the error.
fn error_of(line: &str) -> Option<String> {
    let fields: Value = serde_json::from_str(&line[line.find("{\"")?..]).ok()?;
    fields["error"].as_str().map(str::to_owned)
}

/// The newest trouble of which the machine itself tells, and which it has not overcome since.
fn of_machine(dmesg: &str) -> Option<PullCause> {
    let mut there: Vec<String> = Vec::new();
    dmesg.lines().rev().find_map(|line| {
        if let Some((service, _)) = line.split_once("](Preparing): Creating service runner") {
            there.extend(service.rsplit_once("service[").map(|(_, name)| name.to_owned()));
        }
        let at = line.find("failed to pull image \"").or_else(|| line.find("fetch failed error="));
        if let Some(at) = at {
            // Behind it is what the runtime adds for its own log.
            let trouble = line[at..].split(" host=").next().unwrap_or_default();
            // Its causes are in the lines that follow, and were read before this one.
            if trouble.ends_with("error(s) occurred:") || there.iter().any(|service| names(trouble, service))
            {
                return None;
            }
            return full_disk(trouble).or_else(|| explain_pull(trouble));
        }
        full_disk(line)
    })
}

/// A disk that takes nothing more; what was to be written says where it was, whatever it was pulled for.
fn full_disk(line: &str) -> Option<PullCause> {
    let before = line.split_once(": no space left on device")?.0;
    let what = before.rsplit_once("write ").map(|(_, path)| format!(": {path} cannot be written"));
    Some(PullCause {
        reason: format!("The machine's disk is full (no space left on device){}", what.unwrap_or_default()),
        next_action: "Give the machine a larger disk, or free some of it, then retry.",
    })
}

/// Whether it is the image of that service which could not be pulled.
fn names(trouble: &str, service: &str) -> bool {
    [':', '/', '@'].iter().any(|end| trouble.contains(&format!("/{service}{end}")))
}

/// The newest pull that failed for the kubelet, whose log quotes inside of quotes.
fn of_kubelet(log: &str) -> Option<PullCause> {
    let line = log
        .lines()
        .rev()
        .find(|line| line.contains("ErrImagePull") || line.contains("failed to pull and unpack"))?;
    let at = line.find("failed to pull and unpack image").or_else(|| line.find("ErrImagePull: "))?;
    explain_pull(&line[at..].replace('\\', ""))
}

#[cfg(test)]
mod tests {
    use super::{of_clock, of_kubelet, of_machine, with_server};

    #[test]
    fn a_resolver_that_refuses_is_named() {
        let dmesg = "127.0.0.1: user: warning: [2026-11-21T11:21:00.6Z]: level=info msg=fetch failed error=failed to do request: \
            Head \"https://ghcr.io/v2/siderolabs/kubelet/manifests/v1\": dial tcp: lookup ghcr.io on 10.0.2.3:53: connection refused host=ghcr.io\n\
            127.0.0.1: user: warning: [2026-11-21T11:21:01.6Z]: [talos] service[etcd](Preparing): Running pre state\n";
        let cause = of_machine(dmesg).unwrap();
        assert!(
            cause.reason.contains("lookup ghcr.io on 10.0.2.3:53: connection refused"),
            "{}",
            cause.reason
        );
        assert!(cause.next_action.contains("DNS servers"), "{}", cause.next_action);
    }

    #[test]
    fn a_full_disk_is_not_told_as_a_registry_that_does_not_serve() {
        let dmesg = "127.0.0.1: user: warning: [2026-11-21T10:59:07.4Z]: [talos] retrying error: failed to pull image \"gcr.io/etcd-development/etcd:v3.6.4\": \
            failed to copy: write /var/lib/containerd/ingest/data: no space left on device\n";
        let cause = of_machine(dmesg).unwrap();
        assert!(
            cause.reason.contains("disk is full") && cause.reason.contains("/var/lib/containerd/ingest/data"),
            "{}",
            cause.reason
        );
        assert!(cause.next_action.contains("larger disk"), "{}", cause.next_action);
    }

    #[test]
    fn a_registry_that_cannot_be_reached_is_another_cause() {
        let dmesg = "127.0.0.1: user: warning: [2026-11-21T10:59:07.4Z]: [talos] retrying error: failed to pull image \"gcr.io/etcd-development/etcd:v3.6.4\": \
            failed to resolve reference \"gcr.io/etcd-development/etcd:v3.6.4\": failed to do request: Head \"http://10.0.2.100:5000/v2/etcd\": \
            dial tcp 10.0.2.100:5000: connect: connection refused\n";
        let cause = of_machine(dmesg).unwrap();
        assert!(cause.next_action.contains("reachable"), "{}", cause.next_action);
        assert!(cause.reason.contains("10.0.2.100:5000"), "{}", cause.reason);
    }

    #[test]
    fn a_kubelet_quotes_inside_of_quotes() {
        let log = r#"127.0.0.1: {"ts":1,"msg":"Error syncing pod, skipping","err":"failed to \"StartContainer\" for \"kube-apiserver\" with ErrImagePull: \"failed to pull and unpack image \\\"registry.k8s.io/kube-apiserver:v1.34.0\\\": failed to resolve reference \\\"registry.k8s.io/kube-apiserver:v1.34.0\\\": failed to do request: Head \\\"https://registry.k8s.io/v2\\\": dial tcp: lookup registry.k8s.io on 10.0.2.3:53: no such host\""}"#;
        let cause = of_kubelet(log).unwrap();
        assert!(
            cause.reason.contains("lookup registry.k8s.io on 10.0.2.3:53: no such host"),
            "{}",
            cause.reason
        );
    }

    #[test]
    fn a_clock_that_cannot_be_set_is_named_with_what_the_time_server_met() {
        let lookup = "127.77.1.1: user: warning: [2026-11-22T19:35:15.5736718Z]: [talos] failed looking up \"time.cloudflare.com\", ignored \
            {\"component\": \"controller-runtime\", \"controller\": \"time.SyncController\", \"error\": \"lookup time.cloudflare.com on 127.0.0.53:53: no such host\"}\n\
            127.77.1.1: user: warning: [2026-11-22T19:35:18.1839718Z]: [talos] bootstrap request received\n";
        let cause = of_clock(lookup).unwrap();
        assert_eq!(
            cause.reason,
            "The machine's clock cannot be set: lookup time.cloudflare.com on 127.0.0.53:53: no such host"
        );
        assert!(cause.next_action.contains("DNS servers"), "{}", cause.next_action);
        assert!(of_machine(lookup).is_none());
    }

    #[test]
    fn a_server_that_refuses_is_named_where_the_machine_asks_itself() {
        let dmesg = "127.77.1.3: user: warning: [2026-11-22T19:42:54.18Z]: [talos] error serving dns request \
            {\"component\": \"dns-resolve-cache\", \"error\": \"read udp 10.0.2.15:34414->10.0.2.15:53: read: connection refused\"}\n\
            127.77.1.3: user: warning: [2026-11-22T19:42:54.53Z]: [talos] failed looking up \"time.cloudflare.com\", ignored \
            {\"component\": \"controller-runtime\", \"controller\": \"time.SyncController\", \"error\": \"lookup time.cloudflare.com on 127.0.0.53:53: server misbehaving\"}\n";
        let cause = with_server(of_clock(dmesg).unwrap(), dmesg);
        assert_eq!(
            cause.reason,
            "The machine's clock cannot be set: lookup time.cloudflare.com on 127.0.0.53:53: server misbehaving \
             (read udp 10.0.2.15:53: read: connection refused)"
        );
    }

    #[test]
    fn a_pull_that_is_begun_anew_and_succeeds_is_no_trouble() {
        let line = |text: &str| format!("127.77.1.1: user: warning: [2026-11-22T19:35:59.6Z]: {text}\n");
        // What a machine says when it is told to bootstrap its etcd.
        let anew = [
            line(r#"[talos] service[etcd](Failed): Failed to run pre stage: failed to pull image "gcr.io/etcd-development/etcd:v3.6.4": 2 error(s) occurred:"#),
            line(r#" failed to pull image "gcr.io/etcd-development/etcd:v3.6.4": failed commit on ref "manifest-sha256:2870": commit failed: context canceled"#),
            line(" failed to get configured registries: context canceled"),
        ]
        .concat();
        assert_eq!(of_machine(&anew), None);
        let refused = line(
            r#"[talos] retrying error: failed to pull image "gcr.io/etcd-development/etcd:v3.6.4": failed to do request: Head "http://10.0.2.2:5080/v2/": dial tcp 10.0.2.2:5080: connect: connection refused"#,
        );
        assert!(of_machine(&refused).is_some());
        assert_eq!(
            of_machine(
                &(refused.clone() + &line("[talos] service[etcd](Preparing): Creating service runner"))
            ),
            None
        );
        let another = line("[talos] service[kubelet](Preparing): Creating service runner");
        assert!(of_machine(&(refused + &another)).is_some());
    }

    #[test]
    fn a_machine_without_trouble_tells_none() {
        assert!(
            of_machine("127.0.0.1: user: [talos] service[kubelet](Running): Health check successful\n")
                .is_none()
        );
        assert!(of_kubelet("").is_none());
    }
}
