//! Memory that is taken away from a guest, and given back.

use std::time::Duration;

use serde_json::json;
use tokio::sync::broadcast::error::RecvError;

use super::Machine;
use crate::qmp::QmpError;
use crate::wish::Mebibytes;

/// What QEMU says when a guest has given back or taken some.
const CHANGED: &str = "BALLOON_CHANGE";
const MIB: u64 = 1 << 20;

/// A guest does not have as much memory as it was to have.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// More than it was made with.
    #[error("leave machine `{machine}` {wished} MiB: it was made with {} MiB, and cannot have more", made.0)]
    More {
        /// Whose.
        machine: String,
        /// How much it was to have.
        wished: u32,
        /// How much there is.
        made: Mebibytes,
    },
    /// The guest has not done its part.
    #[error(
        "leave machine `{machine}` {wished} MiB: it still has {has} MiB after {} s; its kernel needs the driver virtio_balloon, and memory to spare",
        limit.as_secs()
    )]
    Kept {
        /// Whose.
        machine: String,
        /// How much it was to have.
        wished: u32,
        /// How much it has.
        has: u64,
        /// The time it had.
        limit: Duration,
    },
    /// QEMU cannot say.
    #[error("change the memory of machine `{machine}`")]
    Monitor {
        /// Whose.
        machine: String,
        /// Why not.
        #[source]
        source: QmpError,
    },
}

impl Machine {
    /// Leaves the guest so much of its memory, by a balloon in it that takes the rest; the guest sees it as a smaller machine. Holds until
    /// it is told otherwise, also when the guest starts again, from the moment on at which its kernel loads the driver.
    ///
    /// # Errors
    /// It was made with less; the guest has not given back enough, or taken back enough, within the limit; or it is gone.
    pub async fn leave_memory(&self, left: Mebibytes, limit: Duration) -> Result<(), MemoryError> {
        let machine = || self.specification.name().to_owned();
        let made = self.specification.wish().memory;
        if left > made {
            return Err(MemoryError::More { machine: machine(), wished: left.0, made });
        }
        let failed = |source| MemoryError::Monitor { machine: machine(), source };
        let wished = u64::from(left.0) * MIB;
        let mut events = self.qmp.events();
        self.qmp.execute("balloon", json!({ "value": wished })).await.map_err(failed)?;
        let changed = async {
            while self.memory_left().await? != wished {
                loop {
                    match events.recv().await {
                        Ok(event) if event.name == CHANGED => break,
                        Ok(_) => {}
                        Err(RecvError::Lagged(_)) => break,
                        Err(RecvError::Closed) => {
                            return Err(QmpError::Gone { command: "query-balloon".to_owned() });
                        }
                    }
                }
            }
            Ok(())
        };
        if let Ok(outcome) = self.clock.timeout(limit, changed).await {
            return outcome.map_err(failed);
        }
        let has = self.memory_left().await.map_err(failed)?;
        Err(MemoryError::Kept { machine: machine(), wished: left.0, has: has / MIB, limit })
    }

    /// Bytes.
    async fn memory_left(&self) -> Result<u64, QmpError> {
        let told = self.qmp.execute("query-balloon", json!({})).await?;
        Ok(told["actual"].as_u64().unwrap_or_default())
    }
}
