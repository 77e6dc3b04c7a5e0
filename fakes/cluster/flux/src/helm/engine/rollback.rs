//! Going back to a version of a release.

use cluster_api::object;

use super::objects::Writing;
use super::{Engine, Settings};
use crate::apply::Target;
use crate::helm::release::{Release, objects};

impl Engine<'_> {
    /// Makes an old version the newest again.
    pub(in crate::helm) async fn rollback(
        &self,
        good: &Release,
        history: &[Release],
        settings: &Settings,
    ) -> Result<Release, String> {
        let mut release = good.clone();
        release.version = history.first().map_or(0, |latest| latest.version) + 1;
        "pending-rollback".clone_into(&mut release.status);
        release.description = format!("Rollback to {}", good.version);
        release.last_deployed = object::timestamp(self.clock.now());
        crate::pace::spend(self.clock, 100, &self.names.release).await;
        self.records().create(&release).map_err(|error| format!("create: failed to create: {error}"))?;
        let outcome = async {
            let objects = self.prepared(objects(&good.manifest)?)?;
            let targets: Vec<Target> = objects.iter().map(|(target, _)| target.clone()).collect();
            self.write(objects, Writing::Patch)?;
            self.remove_dropped(history.first(), &targets);
            self.wait(&targets, settings).await
        }
        .await;
        match outcome {
            Ok(()) => {
                self.supersede(history.iter().find(|known| known.status == "deployed"));
                "deployed".clone_into(&mut release.status);
                self.update(&release);
                Ok(release)
            }
            Err(why) => {
                self.give_up(&mut release, "Rollback", &why);
                Err(why)
            }
        }
    }
}
