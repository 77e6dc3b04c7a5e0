//! The end of a machine.

use std::time::Duration;

use serde_json::json;

use super::Machine;
use super::life::{Ended, Life};
use crate::console::LAST;

/// What a signal that nobody can refuse takes.
const KILL: Duration = Duration::from_secs(10);

/// How a machine was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HowStopped {
    /// It had ended before.
    Already,
    /// The guest was asked to switch itself off, and did.
    Orderly,
    /// It was switched off as by its plug.
    Forced,
}

/// A machine that was stopped. Nothing of it is left but what is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// How.
    pub how: HowStopped,
    /// How its QEMU ended; nothing where that was not known in time.
    pub ended: Option<Ended>,
    /// The console's last lines.
    pub last: Vec<String>,
}

impl Machine {
    /// Presses the power button, and pulls the plug when the guest has not switched itself off after `grace`.
    pub async fn stop(self, grace: Duration) -> Stopped {
        if let Life::Ended(ended) = self.now() {
            return self.stopped(HowStopped::Already, Some(ended));
        }
        // A machine that stands still does not feel its button.
        let pressed = self.qmp.execute("system_powerdown", json!({})).await.is_ok();
        if pressed && let Some(ended) = self.ended(grace).await {
            return self.stopped(HowStopped::Orderly, Some(ended));
        }
        self.kill().await
    }

    /// Pulls the plug.
    pub async fn kill(self) -> Stopped {
        if let Life::Ended(ended) = self.now() {
            return self.stopped(HowStopped::Already, Some(ended));
        }
        self.killer.kill();
        let ended = self.ended(KILL).await;
        self.stopped(HowStopped::Forced, ended)
    }

    /// Waits for the machine to end by itself; nothing where it has not after `limit`.
    pub async fn ended(&self, limit: Duration) -> Option<Ended> {
        let mut life = self.life.clone();
        let ended = life.wait_for(|life| matches!(life, Life::Ended(_)));
        match self.clock.timeout(limit, ended).await {
            Ok(Ok(life)) => match &*life {
                Life::Ended(ended) => Some(ended.clone()),
                Life::Running | Life::Halted(_) => None,
            },
            Ok(Err(_)) | Err(_) => None,
        }
    }

    fn now(&self) -> Life {
        self.life.borrow().clone()
    }

    fn stopped(&self, how: HowStopped, ended: Option<Ended>) -> Stopped {
        Stopped { how, ended, last: self.console.last(LAST) }
    }
}
