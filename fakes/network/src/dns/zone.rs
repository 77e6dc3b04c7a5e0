//! What the names of the world stand for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Long enough to be a real answer, short enough that a cache does not hide a change for long.
const TTL: u32 = 30;

/// Names and their addresses.
///
/// A name may begin with `*.`: it then stands for every name below that has no entry of its own. Capital letters and a final
/// dot do not matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Zone {
    names: BTreeMap<String, Vec<IpAddr>>,
    /// Those that the server knows by itself; others it would have to ask for.
    own: BTreeSet<String>,
    otherwise: Otherwise,
    ttl: u32,
}

/// What a zone says of a name that is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Otherwise {
    /// There is no such name.
    #[default]
    NxDomain,
    /// It stands for these addresses.
    Addresses(Vec<IpAddr>),
}

/// What a zone knows of a name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lookup<'a> {
    Addresses(&'a [IpAddr]),
    /// Only names below it exist.
    Empty,
    Absent,
}

impl Default for Zone {
    fn default() -> Self {
        Self { names: BTreeMap::new(), own: BTreeSet::new(), otherwise: Otherwise::default(), ttl: TTL }
    }
}

impl Zone {
    /// A zone without names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The zone with one more name.
    #[must_use]
    pub fn with(mut self, name: &str, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.set(name, addresses);
        self
    }

    /// The zone with one more name, one that the server knows by itself: a machine of its own site.
    #[must_use]
    pub fn with_own(mut self, name: &str, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.own.insert(canonical(name));
        self.set(name, addresses);
        self
    }

    /// The zone with another word on names that are not in it.
    #[must_use]
    pub fn otherwise(mut self, otherwise: Otherwise) -> Self {
        self.otherwise = otherwise;
        self
    }

    /// The zone with answers that caches may keep for so many seconds.
    #[must_use]
    pub fn ttl(mut self, seconds: u32) -> Self {
        self.ttl = seconds;
        self
    }

    /// Gives a name these addresses and no others.
    pub fn set(&mut self, name: &str, addresses: impl IntoIterator<Item = IpAddr>) {
        self.names.insert(canonical(name), addresses.into_iter().collect());
    }

    /// Takes a name out.
    pub fn remove(&mut self, name: &str) {
        self.names.remove(&canonical(name));
    }

    /// Whether the server knows a name by itself; `name` must be canonical.
    pub(crate) fn is_own(&self, name: &str) -> bool {
        self.own.contains(name)
    }

    pub(crate) fn seconds(&self) -> u32 {
        self.ttl
    }

    /// `name` must be canonical.
    pub(crate) fn lookup(&self, name: &str) -> Lookup<'_> {
        if let Some(addresses) = self.names.get(name) {
            return Lookup::Addresses(addresses);
        }
        if self.names.keys().any(|known| known.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))) {
            return Lookup::Empty;
        }
        let mut rest = name;
        while let Some((_, parent)) = rest.split_once('.') {
            if let Some(addresses) = self.names.get(&format!("*.{parent}")) {
                return Lookup::Addresses(addresses);
            }
            rest = parent;
        }
        match &self.otherwise {
            Otherwise::NxDomain => Lookup::Absent,
            Otherwise::Addresses(addresses) => Lookup::Addresses(addresses),
        }
    }
}

/// Lowercase, without the final dot.
pub(crate) fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{Lookup, Otherwise, Zone};

    #[test]
    fn names_are_found_by_themselves_by_a_star_or_by_the_default() {
        let one: IpAddr = "127.0.0.1".parse().unwrap();
        let two: IpAddr = "127.0.0.2".parse().unwrap();
        let zone = Zone::new().with("Ghcr.io.", [one]).with("*.docker.io", [two]);
        assert_eq!(zone.lookup("ghcr.io"), Lookup::Addresses(&[one]));
        assert_eq!(zone.lookup("a.registry-1.docker.io"), Lookup::Addresses(&[two]));
        assert_eq!(zone.lookup("docker.io"), Lookup::Empty);
        assert_eq!(zone.lookup("example.com"), Lookup::Absent);
        let open = zone.otherwise(Otherwise::Addresses(vec![one]));
        assert_eq!(open.lookup("example.com"), Lookup::Addresses(&[one]));
    }
}
