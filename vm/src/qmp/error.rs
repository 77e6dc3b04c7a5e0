//! What can go wrong between us and a monitor.

use std::io;
use std::time::Duration;

/// A monitor did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum QmpError {
    /// It refused.
    #[error("carry out `{command}`: {description} ({class})")]
    Refused {
        /// What.
        command: String,
        /// The kind of refusal, as QEMU names it.
        class: String,
        /// Why, in QEMU's words.
        description: String,
    },
    /// A job that was begun failed.
    #[error("finish `{command}`: {reason}")]
    Job {
        /// What.
        command: String,
        /// Why, in QEMU's words.
        reason: String,
    },
    /// It is gone, and most likely its machine too.
    #[error("carry out `{command}`: the monitor is gone")]
    Gone {
        /// What.
        command: String,
    },
    /// It did not answer in time.
    #[error("carry out `{command}`: no answer within {} s", limit.as_secs())]
    Silent {
        /// What.
        command: String,
        /// The time it had.
        limit: Duration,
    },
    /// It is no monitor.
    #[error("read a monitor's greeting: {line:?} is none")]
    Foreign {
        /// What it said.
        line: String,
        /// Why that is no greeting.
        #[source]
        source: serde_json::Error,
    },
    /// Nothing can be read.
    #[error("read from the monitor")]
    Io(#[from] io::Error),
}
