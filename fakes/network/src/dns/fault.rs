//! What can be wrong with a resolver.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::zone::Zone;
use crate::fault::Times;
use crate::pattern::Pattern;

/// Something wrong with a DNS server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DnsFault {
    /// Questions for some names are answered badly.
    Names {
        /// Which names, without the final dot.
        #[serde(default)]
        names: Pattern,
        /// How.
        effect: DnsEffect,
        /// How often.
        #[serde(default)]
        times: Times,
    },
    /// Nobody listens at the server's port, over UDP and TCP: clients get "connection refused" from the kernel, exactly as
    /// after [`stop`](crate::DnsControl::stop). It is for all names, since a closed port cannot read them. It leaves
    /// [probes](crate::PortProbe), not receipts.
    ClosedPort,
    /// The servers that this one passes questions on to do not answer: SERVFAIL for every name that it does not
    /// [know by itself](crate::Zone::with_own).
    UpstreamDead,
}

/// How a question is answered badly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DnsEffect {
    /// With the code REFUSED. (A refused *connection* is [`DnsFault::ClosedPort`].)
    Refused,
    /// With the code SERVFAIL.
    ServFail,
    /// There is no such name.
    NxDomain,
    /// Not at all.
    Timeout,
    /// With these addresses.
    WrongAnswer(Vec<IpAddr>),
}

impl DnsFault {
    /// Every name is answered so, until it is healed.
    #[must_use]
    pub fn all(effect: DnsEffect) -> Self {
        Self::names(Pattern::any(), effect)
    }

    /// Names that fit are answered so, until it is healed.
    pub fn names(names: impl Into<Pattern>, effect: DnsEffect) -> Self {
        Self::Names { names: names.into(), effect, times: Times::Always }
    }

    pub(crate) fn times(&self) -> Times {
        match self {
            Self::Names { times, .. } => *times,
            Self::ClosedPort | Self::UpstreamDead => Times::Always,
        }
    }

    /// `name` must be canonical.
    pub(crate) fn effect_on(&self, name: &str, zone: &Zone) -> Option<DnsEffect> {
        match self {
            Self::Names { names, effect, .. } if names.matches(name) => Some(effect.clone()),
            Self::UpstreamDead if !zone.is_own(name) => Some(DnsEffect::ServFail),
            Self::Names { .. } | Self::ClosedPort | Self::UpstreamDead => None,
        }
    }
}
