//! What the machine says of its troubles while something of it is waited for.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use appliance_assess::{PullCause, explain_pull};
use appliance_status_model::BlockerCode;

use super::talosctl::Talosctl;
use super::wait::Seen;
use crate::blocker::Blocker;
use crate::report::{Phase, blocked};

/// A machine's whole log is asked for at the first look, and at every fifth after it.
const EVERY: u32 = 5;

/// Reads what the machine says, and tells each trouble once.
pub(super) struct Journal<'a> {
    talosctl: &'a Talosctl,
    looks: Cell<u32>,
    trouble: RefCell<Option<PullCause>>,
    told: RefCell<BTreeSet<String>>,
}

impl<'a> Journal<'a> {
    pub(super) fn of(talosctl: &'a Talosctl) -> Self {
        Self { talosctl, looks: Cell::new(0), trouble: RefCell::default(), told: RefCell::default() }
    }

    /// Why something is not there yet: the trouble that the machine tells, else what was seen.
    pub(super) async fn not_yet<T>(&self, seen: &str) -> Seen<T> {
        if self.looks.replace(self.looks.get() + 1).is_multiple_of(EVERY) {
            let trouble = self.read().await;
            self.trouble.replace(trouble);
        }
        let trouble = self.trouble.borrow().clone();
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

    async fn read(&self) -> Option<PullCause> {
        if let Some(trouble) = self.talosctl.dmesg().await.ok().as_deref().and_then(of_machine) {
            return Some(trouble);
        }
        self.talosctl.logs("kubelet").await.ok().as_deref().and_then(of_kubelet)
    }
}

/// The newest trouble of which the machine itself tells.
fn of_machine(dmesg: &str) -> Option<PullCause> {
    dmesg.lines().rev().find_map(|line| {
        let at = line.find("failed to pull image \"").or_else(|| line.find("fetch failed error="));
        if let Some(at) = at {
            return explain_pull(&line[at..]);
        }
        line.contains("no space left on device").then(|| PullCause {
            reason: "The machine's disk is full".to_owned(),
            next_action: "Give the machine a larger disk, or free some of it, then retry.",
        })
    })
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
    use super::{of_kubelet, of_machine};

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
    fn a_machine_without_trouble_tells_none() {
        assert!(
            of_machine("127.0.0.1: user: [talos] service[kubelet](Running): Health check successful\n")
                .is_none()
        );
        assert!(of_kubelet("").is_none());
    }
}
