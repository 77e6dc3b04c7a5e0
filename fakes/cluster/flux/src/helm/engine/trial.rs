//! The tests of a release: hooks that run when somebody asks.

use super::{Engine, Settings};
use crate::helm::release::Release;

impl Engine<'_> {
    /// Runs them; how many there were.
    pub(in crate::helm) async fn test(
        &self,
        release: &Release,
        settings: &Settings,
    ) -> Result<usize, String> {
        let is_test = |events: &[String]| events.iter().any(|event| event == "test");
        let count = release.hooks.iter().filter(|hook| is_test(&hook.events)).count();
        let outcome = self.run_each(release, "test", settings).await;
        self.update(release);
        outcome.map(|()| count)
    }
}
