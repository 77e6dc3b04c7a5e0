//! The API's time: node leases are renewed every ten seconds, and their times are the clock.

use std::time::Duration;

use appliance_collect::Clock;
use futures::{StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::{Api, Client, ResourceExt};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long an API that is away is left alone.
const PAUSE: Duration = Duration::from_millis(200);

/// The API's time.
#[derive(Debug)]
pub(crate) struct ApiTime {
    newest: watch::Receiver<Option<Timestamp>>,
    clock: Clock,
    task: JoinHandle<()>,
}

impl Drop for ApiTime {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ApiTime {
    pub(crate) fn start(client: Client, clock: Clock) -> Self {
        let (sender, newest) = watch::channel(None);
        let leases: Api<Lease> = Api::namespaced(client, "kube-node-lease");
        let task = tokio::spawn(async move {
            while !sender.is_closed() {
                // A watch that broke off is begun anew; the pause is for an API that is away.
                if follow(&leases, &sender).await.is_err() {
                    clock.sleep(PAUSE).await;
                }
            }
        });
        Self { newest, clock, task }
    }

    /// Who tells how time passes while the API does not.
    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// The API's time, once it was heard.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        *self.newest.borrow()
    }

    /// Returns when the API's time has gone on by that much.
    pub(crate) async fn pass(&self, duration: SignedDuration) {
        let mut newest = self.newest.clone();
        let Ok(start) = newest.wait_for(Option::is_some).await.map(|it| *it) else {
            return std::future::pending().await;
        };
        let is_over = |now: &Option<Timestamp>| {
            now.zip(start).is_some_and(|(now, start)| now.duration_since(start) >= duration)
        };
        if newest.wait_for(is_over).await.is_err() {
            std::future::pending().await
        }
    }

    /// Returns at the next beat.
    pub(crate) async fn beat(&self) {
        let mut newest = self.newest.clone();
        newest.mark_unchanged();
        if newest.changed().await.is_err() {
            std::future::pending().await
        }
    }
}

async fn follow(leases: &Api<Lease>, newest: &watch::Sender<Option<Timestamp>>) -> kube::Result<()> {
    let list = leases.list(&ListParams::default()).await?;
    for lease in &list.items {
        tell(lease, newest);
    }
    let mut version = list.metadata.resource_version.unwrap_or_default();
    loop {
        let mut stream = leases.watch(&WatchParams::default(), &version).await?.boxed();
        while let Some(event) = stream.try_next().await? {
            match event {
                WatchEvent::Added(lease) | WatchEvent::Modified(lease) => {
                    version = lease.resource_version().unwrap_or_default();
                    tell(&lease, newest);
                }
                WatchEvent::Bookmark(bookmark) => version = bookmark.metadata.resource_version,
                WatchEvent::Error(_) => return Ok(()),
                WatchEvent::Deleted(_) => {}
            }
        }
    }
}

fn tell(lease: &Lease, newest: &watch::Sender<Option<Timestamp>>) {
    let renewed = lease.spec.as_ref().and_then(|it| it.renew_time.as_ref()).map(|it| it.0);
    newest.send_if_modified(|it| {
        let later = renewed > *it;
        if later {
            *it = renewed;
        }
        later
    });
}
