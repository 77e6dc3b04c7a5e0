//! What can be wrong with a registry.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use super::name;
use crate::fault::Times;
use crate::pattern::Pattern;

/// Something wrong with a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryFault {
    /// Where.
    #[serde(default)]
    pub target: Target,
    /// What.
    pub effect: Effect,
    /// How often. A missing tag and a closed port know no "how often".
    #[serde(default)]
    pub times: Times,
}

/// Which content a fault is about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Target {
    /// The host that the client asks, without the port; `docker.io` for all hosts of the Docker Hub.
    pub host: Pattern,
    /// The repository's path at that host.
    pub repository: Pattern,
    /// A tag or a digest. A tag stands for all that hangs from it: a layer that is asked for by its digest counts as asked for
    /// by every tag whose image has it.
    pub reference: Pattern,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// The tags that fit are gone: taken out when the fault is injected, put back when it is healed, unless they were published
    /// again meanwhile.
    MissingTag,
    /// Manifests and blobs come so many bytes per second of field time, each response for itself.
    Slow {
        /// The speed.
        bytes_per_second: NonZeroU64,
    },
    /// No byte of a blob after this many is ever sent: the connection breaks there, also when the client goes on by a range.
    Cut {
        /// The bytes that still come. Shorter blobs come whole.
        after: u64,
    },
    /// 401, and the token service that it names says 401 too.
    Unauthorized,
    /// 403: the client may not.
    Forbidden,
    /// 429.
    RateLimited {
        /// What the answer says under `Retry-After`, in seconds.
        retry_after: u32,
    },
    /// The server fails with this status, such as 500 or 503.
    Error {
        /// The HTTP status.
        status: u16,
    },
    /// Blobs have another last byte than their digest promises.
    BadDigest,
    /// Nobody listens at the port, exactly as after [`stop`](crate::RegistryControl::stop); for all hosts and repositories,
    /// whatever the target says.
    Unreachable,
}

impl RegistryFault {
    /// This effect on an image, `host/path[:tag][@digest]` with stars wherever one likes, until it is healed.
    #[must_use]
    pub fn on(image: &str, effect: Effect) -> Self {
        Self { target: Target::image(image), effect, times: Times::Always }
    }

    /// This effect on everything, until it is healed.
    #[must_use]
    pub fn all(effect: Effect) -> Self {
        Self { target: Target::default(), effect, times: Times::Always }
    }

    /// The same fault, so often.
    #[must_use]
    pub fn times(mut self, times: Times) -> Self {
        self.times = times;
        self
    }
}

impl Target {
    /// Reads `host/path[:tag][@digest]`, with stars wherever one likes.
    #[must_use]
    pub fn image(image: &str) -> Self {
        name::target(image)
    }
}

impl Effect {
    /// The name under which receipts know it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::MissingTag => "missing-tag",
            Self::Slow { .. } => "slow",
            Self::Cut { .. } => "cut",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::RateLimited { .. } => "rate-limited",
            Self::Error { .. } => "error",
            Self::BadDigest => "bad-digest",
            Self::Unreachable => "unreachable",
        }
    }
}
