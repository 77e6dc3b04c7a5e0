//! An install at rest: what the operator's command wrote last has been taken up.
//!
//! The command promotes an install to `recover` at its end, and Flux looks at a release every ten minutes. A scenario that begins in
//! between would meet an upgrade that has nothing to do with it, whose bootstrap job mends what the scenario broke.

use std::time::Duration;

use cluster_api::{kinds, object};
use field_clock::Clock;

use super::Standing;
use crate::world::WorldError;
use crate::world::objects::Objects;
use crate::world::reconcile::{self, Look};

/// Where the releases are, and the one that is promoted.
const RELEASES: &str = "alga-system";
const RELEASE: &str = "alga-core";
/// Longer than this no upgrade takes whose images are there.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often the status service is asked while nothing else is heard.
const AGAIN: Duration = Duration::from_secs(1);

impl Standing {
    /// Has Flux take up what it has not yet, and says whether all is healthy after that.
    pub(super) async fn comes_to_rest(&self) -> bool {
        let rest = async {
            self.take_up().await?;
            while !self.is_healthy().await {
                Clock::wall().sleep(AGAIN).await;
            }
            Ok::<(), WorldError>(())
        };
        match Clock::wall().timeout(PATIENCE, rest).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "an install cannot be brought to rest");
                false
            }
            Err(field_clock::Elapsed) => false,
        }
    }

    async fn take_up(&self) -> Result<(), WorldError> {
        let objects = Objects::real(self.mirror.seen.clone(), self.client.clone());
        let word = reconcile::ask(&objects, &kinds::HELM_RELEASES, RELEASES, RELEASE, Look::Plain).await?;
        let handled = || {
            let release = objects.get(&kinds::HELM_RELEASES, RELEASES, RELEASE)?;
            let ready = object::condition(&release, "Ready").is_some_and(|it| it["status"] == "True");
            (reconcile::is_handled(&release, &word) && ready).then_some(())
        };
        objects.until(handled).await.ok_or_else(|| "the watches of the cluster have ended".into())
    }
}
