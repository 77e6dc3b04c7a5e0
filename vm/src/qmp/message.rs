//! What goes over a monitor's line.

use serde::Deserialize;
use serde_json::Value;

use super::QmpError;

/// The first line.
#[derive(Debug, Deserialize)]
pub(super) struct Greeting {
    #[serde(rename = "QMP")]
    qmp: About,
}

#[derive(Debug, Deserialize)]
struct About {
    version: Versions,
}

#[derive(Debug, Deserialize)]
struct Versions {
    qemu: Version,
}

#[derive(Debug, Deserialize)]
struct Version {
    major: u32,
    minor: u32,
    micro: u32,
}

impl Greeting {
    pub(super) fn version(&self) -> String {
        let Version { major, minor, micro } = &self.qmp.version.qemu;
        format!("{major}.{minor}.{micro}")
    }
}

/// Any other line.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Message {
    Done {
        id: Option<u64>,
        #[serde(rename = "return")]
        value: Value,
    },
    Refused {
        id: Option<u64>,
        error: Refusal,
    },
    Event(Event),
}

/// Why a command was not carried out.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    class: String,
    desc: String,
}

/// What became of a command.
#[derive(Debug)]
pub(super) struct Answer(pub(super) Result<Value, Refusal>);

impl Answer {
    pub(super) fn of(self, command: &str) -> Result<Value, QmpError> {
        self.0.map_err(|refusal| QmpError::Refused {
            command: command.to_owned(),
            class: refusal.class,
            description: refusal.desc,
        })
    }
}

/// Something that happened to a machine, by the name that QEMU gives it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Event {
    /// What happened: `SHUTDOWN`, `BLOCK_IO_ERROR`, …
    #[serde(rename = "event")]
    pub name: String,
    /// More about it.
    #[serde(default)]
    pub data: Value,
}

impl Event {
    /// One of the things that are said of it.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.data.get(key)?.as_str()
    }
}
