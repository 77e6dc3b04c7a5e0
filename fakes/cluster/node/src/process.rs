//! The kubelet's own process: it can stop and start again while the containers run on.

use std::sync::Arc;

use tokio::sync::watch;

/// Whether it runs, and how often it was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) running: bool,
    /// Tells one process from the next.
    pub(crate) number: u32,
    /// Whether its machine runs.
    pub(crate) powered: bool,
    /// Tells one run of the machine from the next.
    pub(crate) boot: u32,
}

/// The process. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    life: Arc<watch::Sender<Life>>,
}

impl Default for Process {
    fn default() -> Self {
        Self { life: Arc::new(watch::Sender::new(Life { running: true, number: 1, powered: true, boot: 1 })) }
    }
}

impl Process {
    pub(crate) fn stop(&self) {
        self.life.send_modify(|life| life.running = false);
    }

    /// The machine ends, and the kubelet with it.
    pub(crate) fn power_off(&self) {
        self.life.send_modify(|life| (life.running, life.powered) = (false, false));
    }

    pub(crate) fn start(&self) {
        self.life.send_if_modified(|life| {
            let starts = !life.running;
            if starts {
                let boot = if life.powered { life.boot } else { life.boot + 1 };
                *life = Life { running: true, number: life.number + 1, powered: true, boot };
            }
            starts
        });
    }

    pub(crate) fn life(&self) -> Life {
        *self.life.borrow()
    }

    /// Hears of every stop and start.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Life> {
        self.life.subscribe()
    }

    /// Waits until it runs.
    pub(crate) async fn running(&self) -> Life {
        let mut life = self.subscribe();
        match life.wait_for(|life| life.running).await {
            Ok(life) => *life,
            Err(_) => self.life(),
        }
    }
}
