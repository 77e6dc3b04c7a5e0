//! Uninstalling a release.

use std::time::Duration;

use cluster_api::object;

use super::Engine;
use crate::helm::release::{Release, objects};
use crate::wait;

impl Engine<'_> {
    /// Deletes a release's objects and, once they are gone, its record.
    pub(in crate::helm) async fn take_down(&self, latest: &Release, limit: Duration) -> Result<(), String> {
        let mut leaving = latest.clone();
        "uninstalling".clone_into(&mut leaving.status);
        leaving.deleted = Some(object::timestamp(self.clock.now()));
        crate::pace::spend(self.clock, 60, &self.names.release).await;
        self.update(&leaving);
        let objects = self.prepared(objects(&latest.manifest).unwrap_or_default()).unwrap_or_default();
        let gone = self.remove(objects);
        wait::until_gone(self.store, self.clock, &gone, limit).await.map_err(|error| error.to_string())?;
        self.records().delete(&leaving);
        Ok(())
    }
}
