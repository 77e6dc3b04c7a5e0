//! Ending early, once and for all.

use std::sync::Arc;

use tokio::sync::watch;

/// A switch that is thrown once; clones are the same switch.
#[derive(Debug, Clone)]
pub struct Stop {
    sender: Arc<watch::Sender<bool>>,
}

impl Default for Stop {
    fn default() -> Self {
        Self { sender: Arc::new(watch::Sender::new(false)) }
    }
}

impl Stop {
    /// Throws it.
    pub fn throw(&self) {
        self.sender.send_replace(true);
    }

    /// Whether it was thrown.
    pub fn thrown(&self) -> bool {
        *self.sender.borrow()
    }

    /// Waits until it is thrown.
    pub async fn wait(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as `self`.
        let _ = receiver.wait_for(|thrown| *thrown).await;
    }
}
