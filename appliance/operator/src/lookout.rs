//! Looks out for what stands in the way while the command waits.
//!
//! The status page knows best. Where it does not answer, because nothing can be pulled or it is broken itself, the
//! command looks at the cluster with the same eyes: the collector and the assessment of the status service, in this
//! process. They are opened only where something does not come in its usual time.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::convert::Infallible;

use appliance_assess::{Memory, Site, assess};
use appliance_collect::{Clock, Collector};
use appliance_status_model::StatusDocument;
use jiff::SignedDuration;
use kube::Client;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::blocker::{Blocker, of_assessment, of_page};
use crate::failure::Failure;
use crate::report::{Phase, blocked};
use crate::status::StatusPage;
use crate::time::ApiTime;

/// What comes within this time came as usual.
const USUAL: SignedDuration = SignedDuration::from_secs(20);
/// Beats that a cause may need to become certain after something was waited for in vain.
const PATIENCE: u32 = 3;

/// What the cluster went through before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Past {
    /// Nothing was installed.
    None,
    /// An earlier install, whose page tells what stood in its way until this one has done something about it.
    Installed,
}

/// Looks out for what stands in the way while the command waits.
pub(crate) struct Lookout<'a> {
    client: Client,
    time: &'a ApiTime,
    page: &'a StatusPage,
    site: Site,
    past: Past,
    own: RefCell<Option<Eyes>>,
    told: RefCell<BTreeSet<(String, String)>>,
}

impl<'a> Lookout<'a> {
    pub(crate) fn new(
        client: Client,
        time: &'a ApiTime,
        page: &'a StatusPage,
        site: Site,
        past: Past,
    ) -> Self {
        Self { client, time, page, site, past, own: RefCell::default(), told: RefCell::default() }
    }

    /// Does the work; meanwhile says each cause that keeps people from logging in, once, as soon as it is certain,
    /// and names the cause where the work was in vain.
    pub(crate) async fn over<T>(
        &self,
        phase: Phase,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let outcome = tokio::select! {
            biased;
            outcome = work => outcome,
            never = self.tell(phase) => match never {},
        };
        match outcome {
            Err(failure) if failure.is_open() => Err(self.explained(failure).await),
            other => other,
        }
    }

    async fn tell(&self, phase: Phase) -> Infallible {
        let mut start = self.time.now();
        loop {
            tokio::select! {
                () = self.time.beat() => {
                    start = start.or(self.time.now());
                    let overdue = start.zip(self.time.now()).is_some_and(|(start, now)| now.duration_since(start) >= USUAL);
                    let seen = self.look(overdue).await;
                    if overdue || self.past == Past::None {
                        self.say(phase, &seen);
                    }
                }
                seen = self.own_change() => self.say(phase, &seen),
            }
        }
    }

    fn say(&self, phase: Phase, blockers: &[Blocker]) {
        for blocker in blockers {
            if self.told.borrow_mut().insert(blocker.identity()) {
                blocked(phase, blocker);
            }
        }
    }

    /// What the page says, else what is seen from here; own eyes are opened where that is wished.
    async fn look(&self, open: bool) -> Vec<Blocker> {
        if let Ok(document) = self.page.document().await {
            // The page sees for both.
            self.own.replace(None);
            return of_page(&document);
        }
        let mut own = self.own.borrow_mut();
        if open && own.is_none() {
            *own = Some(Eyes::open(self.client.clone(), self.site.clone(), self.time.clock()));
        }
        own.as_ref().map(|it| Eyes::blockers(&it.seen)).unwrap_or_default()
    }

    /// The next change of what is seen from here; waits as long as nobody looks.
    async fn own_change(&self) -> Vec<Blocker> {
        let seen = self.own.borrow().as_ref().map(|it| it.seen.clone());
        let Some(mut seen) = seen else { return std::future::pending().await };
        seen.mark_unchanged();
        if seen.changed().await.is_err() {
            return std::future::pending().await;
        }
        Eyes::blockers(&seen)
    }

    /// Puts the cause in the place of a bare time-out. It may need a moment to become certain.
    async fn explained(&self, failure: Failure) -> Failure {
        for beat in 0..=PATIENCE {
            if beat > 0 {
                self.time.beat().await;
            }
            if let Some(blocker) = self.look(true).await.into_iter().next() {
                return failure.explained_by(blocker);
            }
        }
        failure
    }
}

/// What the collector and the assessment of this process say, after as many beats as a cause needs to become certain.
pub(crate) async fn assessed(client: Client, time: &ApiTime, site: Site) -> Option<StatusDocument> {
    let eyes = Eyes::open(client, site, time.clock());
    for _ in 0..PATIENCE {
        time.beat().await;
    }
    eyes.seen.borrow().clone()
}

/// Collector and assessment at work in this process.
struct Eyes {
    seen: watch::Receiver<Option<StatusDocument>>,
    task: JoinHandle<()>,
}

impl Drop for Eyes {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Eyes {
    fn open(client: Client, site: Site, clock: Clock) -> Self {
        let (sender, seen) = watch::channel(None);
        let mut collector = Collector::start(client, site, clock);
        let task = tokio::spawn(async move {
            let mut memory = Memory::default();
            let show = |known: &_, now| {
                sender.send_replace(Some(assess(known, &mut memory, now)));
                memory.dues().clone()
            };
            collector.run(show).await;
        });
        Self { seen, task }
    }

    fn blockers(seen: &watch::Receiver<Option<StatusDocument>>) -> Vec<Blocker> {
        seen.borrow().as_ref().map(of_assessment).unwrap_or_default()
    }
}
