//! Init containers: one after the other, and those that stay.

use std::sync::Arc;

use serde_json::Value;

use super::spec;
use super::sync::TryAgain;
use super::worker::Worker;

/// What an init container needs.
enum Need {
    /// Nothing: the next one may go.
    Nothing,
    /// Time.
    Patience,
    /// To be started.
    Start,
}

impl Worker {
    /// Starts the init container whose turn it is; says whether all are through.
    pub(super) async fn sync_init(&mut self) -> Result<bool, TryAgain> {
        let pod = Arc::clone(&self.pod);
        let main_began =
            !self.anew && spec::containers(&pod).iter().any(|c| self.records.contains_key(spec::name(c)));
        for container in spec::init_containers(&pod) {
            match self.init_need(container) {
                Need::Nothing => {}
                Need::Patience if main_began => {}
                Need::Patience => return Ok(false),
                Need::Start => {
                    self.start_container(container, "spec.initContainers").await?;
                    if !main_began {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    fn init_need(&self, container: &Value) -> Need {
        let Some(record) = self.records.get(spec::name(container)) else { return Need::Start };
        if record.is_running() {
            return if spec::is_sidecar(container) && record.started {
                Need::Nothing
            } else {
                Need::Patience
            };
        }
        match record.ended() {
            None => Need::Start,
            Some(ended) if ended.code == 0 && !spec::is_sidecar(container) => Need::Nothing,
            Some(ended) if spec::init_restarts(&self.pod, container, ended.code) => Need::Start,
            Some(_) => Need::Patience,
        }
    }
}
