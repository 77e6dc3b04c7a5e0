//! All watches together.

use std::collections::BTreeSet;
use std::sync::Arc;

use appliance_assess::{Knowledge, Outage, ReadState, Site};
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Node, PersistentVolumeClaim, Pod, Service};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{ApiResource, DynamicObject};
use kube::{Api, Client};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::convert;
use crate::follow::{Change, Contact, Sink, follow};
use crate::inquiries::Inquiries;
use crate::kinds::{ConfigMaps, DEPLOYMENTS, FLUX, Leases, Map, ReplicaSets, STATEFUL_SETS};
use crate::wake::Wake;
use crate::watchman::keep_watch;

/// All watches together, and what they have told so far.
pub struct Collector {
    known: Knowledge,
    now: Option<Timestamp>,
    silence: Option<Outage>,
    /// The API is there again, and has told no time yet.
    dazed: bool,
    broken: Arc<Notify>,
    changes: mpsc::UnboundedReceiver<Change>,
    pulse: watch::Sender<u64>,
    inquiries: Inquiries,
    wake: Wake,
    /// Aborts the watches when the collector goes.
    _watches: JoinSet<()>,
}

impl std::fmt::Debug for Collector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collector").field("now", &self.now).finish_non_exhaustive()
    }
}

impl Collector {
    /// Starts every watch. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(client: Client, site: Site, clock: Clock) -> Self {
        let (sender, changes) = mpsc::unbounded_channel();
        let pulse = watch::Sender::new(0);
        let inquiries = Inquiries::new(client.clone(), sender.clone());
        let broken = Arc::new(Notify::new());
        let (beats, watches) = (pulse.subscribe(), JoinSet::new());
        let mut start = Start { client, sender, pulse: &pulse, clock, watches, known: Knowledge::default() };
        start.all();
        let watchman =
            keep_watch(start.client.clone(), clock, start.sender.clone(), beats, Arc::clone(&broken));
        start.watches.spawn(watchman);
        let Start { watches, mut known, .. } = start;
        known.site = site;
        Self {
            known,
            now: None,
            silence: None,
            dazed: false,
            broken,
            changes,
            pulse,
            inquiries,
            wake: Wake::of(clock),
            _watches: watches,
        }
    }

    /// What is known so far.
    #[must_use]
    pub fn known(&self) -> &Knowledge {
        &self.known
    }

    /// Shows the knowledge, with the newest time that the API told, after every batch of changes, and at the moments that
    /// the last look asked for; the first time when every read was answered once.
    ///
    /// # Cancel safety
    /// Changes that were taken are in the knowledge; nothing is lost.
    pub async fn run(&mut self, mut show: impl FnMut(&Knowledge, Timestamp) -> BTreeSet<Timestamp>) {
        loop {
            let now = tokio::select! {
                biased;
                change = self.changes.recv() => {
                    let Some(first) = change else { return };
                    self.gather(first).await;
                    // What is known is as old as the silence until a newer time is told.
                    self.now.filter(|_| self.silence.is_some() || !self.dazed)
                }
                come = self.wake.comes() => {
                    self.now = self.now.max(Some(come).filter(|_| self.hears()));
                    self.now.filter(|_| self.hears())
                }
            };
            if let Some(now) = now.filter(|_| self.is_complete()) {
                let dues = show(&self.known, now);
                self.wake.expect(dues, now).await;
            }
        }
    }

    /// Takes in what has come, and asks what it gives reason to ask.
    async fn gather(&mut self, first: Change) {
        let mut changed = BTreeSet::new();
        let mut pulse = self.take(first, &mut changed);
        for _ in 0..2 {
            while let Ok(next) = self.changes.try_recv() {
                pulse |= self.take(next, &mut changed);
            }
            tokio::task::yield_now().await;
        }
        self.known.outage.clone_from(&self.silence);
        self.inquiries.follow_up(&mut self.known, &changed, pulse, self.now);
        if pulse {
            self.pulse.send_modify(|beat| *beat += 1);
        }
    }

    /// Whether the API is there, and has told its time.
    fn hears(&self) -> bool {
        self.silence.is_none() && !self.dazed
    }

    /// Whether every read was answered once.
    fn is_complete(&self) -> bool {
        !self.known.reads.values().any(|it| *it == ReadState::Pending)
    }

    /// Learns a change; says whether it was the node's lease.
    fn take(&mut self, change: Change, changed: &mut BTreeSet<&'static str>) -> bool {
        (change.apply)(&mut self.known);
        changed.insert(change.read);
        self.dazed &= change.newest <= self.now;
        self.now = self.now.max(change.newest);
        let beat = change.read == Leases::READ;
        // A refusal is an answer and no beat: everybody would ask again at once.
        let told = change.newest.is_some();
        match change.contact {
            Contact::Answered => self.silence = None,
            Contact::Silent { error, seconds } if beat => {
                if self.silence.is_none() {
                    self.broken.notify_one();
                }
                self.dazed = true;
                let longest = self.silence.as_ref().map_or(0, |it| it.seconds);
                self.silence = Some(Outage { seconds: seconds.max(longest), error });
            }
            _ => {}
        }
        beat && told && self.silence.is_none()
    }
}

/// The watches as they are started.
struct Start<'a> {
    client: Client,
    sender: mpsc::UnboundedSender<Change>,
    pulse: &'a watch::Sender<u64>,
    clock: Clock,
    watches: JoinSet<()>,
    known: Knowledge,
}

impl Start<'_> {
    fn all(&mut self) {
        let client = || self.client.clone();
        let system: Api<_> = Api::namespaced(client(), "alga-system");
        let application: Api<_> = Api::namespaced(client(), "msp");
        let leases: Api<_> = Api::namespaced(client(), "kube-node-lease");
        let (claims, jobs) = (Api::namespaced(client(), "msp"), Api::namespaced(client(), "msp"));
        let services = Api::namespaced(client(), "msp");
        self.one(Leases, leases);
        self.one(
            Map::<Pod, _> { read: "pods", slot: |known| &mut known.pods, fact: convert::pod },
            Api::all(self.client.clone()),
        );
        self.one(
            Map::<Service, _> { read: "services", slot: |known| &mut known.services, fact: convert::service },
            services,
        );
        self.one(
            Map::<Event, _> { read: "events", slot: |known| &mut known.events, fact: convert::event },
            Api::all(self.client.clone()),
        );
        self.one(
            Map::<Node, _> { read: "nodes", slot: |known| &mut known.nodes, fact: convert::node },
            Api::all(self.client.clone()),
        );
        self.one(
            Map::<StorageClass, _> {
                read: "storageclasses",
                slot: |known| &mut known.storage_classes,
                fact: convert::storage_class,
            },
            Api::all(self.client.clone()),
        );
        self.one(
            Map::<PersistentVolumeClaim, _> {
                read: "persistentvolumeclaims",
                slot: |known| &mut known.claims,
                fact: convert::claim,
            },
            claims,
        );
        self.one(Map::<Job, _> { read: "jobs", slot: |known| &mut known.jobs, fact: convert::job }, jobs);
        self.one(DEPLOYMENTS, Api::all(self.client.clone()));
        self.one(STATEFUL_SETS, Api::all(self.client.clone()));
        self.one(ReplicaSets, Api::all(self.client.clone()));
        self.one(ConfigMaps::SYSTEM, system);
        self.one(ConfigMaps::APPLICATION, application);
        for flux in FLUX {
            let resource = ApiResource {
                group: flux.group.into(),
                version: flux.version.into(),
                api_version: format!("{}/{}", flux.group, flux.version),
                kind: flux.kind.into(),
                plural: flux.plural.into(),
            };
            self.one(flux, Api::<DynamicObject>::all_with(self.client.clone(), &resource));
        }
    }

    fn one<S: Sink>(&mut self, sink: S, api: Api<S::Object>) {
        self.known.reads.insert(sink.read().into(), ReadState::Pending);
        self.watches.spawn(follow(sink, api, self.sender.clone(), self.pulse.subscribe(), self.clock));
    }
}
