//! A recorder of the cluster beside a job, and what becomes of its recording.

use super::Plan;
use super::job::{Job, Role};
use super::outcome::Ending;
use super::play::{Performance, chain};
use crate::recording::{ApiError, Description, Opening, Tape};
use crate::timeline::Timeline;
use crate::world::{Beginning, World};

impl Job {
    /// A recorder of the cluster, where the plan wants one; a scenario that is repeated is recorded once.
    pub(super) async fn tape(&self, plan: &Plan, world: &dyn World) -> Result<Option<Tape>, ApiError> {
        match (self.role, &plan.recordings) {
            (Role::Scenario { turn: 1 }, Some(_)) => Tape::start(world).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Keeps what was recorded, also of a run that ended early; nothing of one that never began.
    pub(super) async fn keep_recording(
        &self,
        tape: Tape,
        performance: &mut Performance,
        plan: &Plan,
        world: &dyn World,
    ) {
        let timeline = performance.timeline.as_ref();
        let Some(((place, timeline), header)) =
            plan.recordings.as_ref().zip(timeline).zip(timeline.and_then(Timeline::header))
        else {
            return;
        };
        let broken = match &performance.ending {
            Ending::Played => None,
            Ending::Skipped(_) => return,
            Ending::Broken(reason) => Some(reason.as_str()),
        };
        let opening =
            if self.beginning() == Beginning::Installed { Opening::Fault } else { Opening::Install };
        let place = place.join(&self.scenario.name);
        let scenario = &*self.scenario;
        let kept = tape
            .keep(world, &place, |seconds| Description {
                scenario,
                header,
                timeline,
                opening,
                broken,
                seconds,
            })
            .await;
        if let Err(error) = kept {
            performance.ending = Ending::Broken(chain(&error));
        }
    }
}
