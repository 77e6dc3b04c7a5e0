//! Where a registry is spoken to: itself, or a mirror that stands for it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Whether a registry is spoken to over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Over TLS.
    Https,
    /// In the clear.
    Http,
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }
}

/// A place that answers for a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    scheme: Scheme,
    /// Host, and port where one is named.
    authority: String,
    /// The registry that it stands for, when it is not that itself.
    stands_for: Option<String>,
}

impl Endpoint {
    /// The registry itself; as containerd does, only the machine itself is spoken to in the clear.
    pub fn of(authority: &str) -> Self {
        let scheme = if split_port(authority).0 == "localhost" { Scheme::Http } else { Scheme::Https };
        Self::with(scheme, authority)
    }

    /// The registry itself, spoken to in this way.
    pub fn with(scheme: Scheme, authority: &str) -> Self {
        Self { scheme, authority: authority.to_owned(), stands_for: None }
    }

    /// The same place as a mirror of `host`.
    #[must_use]
    pub fn standing_for(self, host: &str) -> Self {
        Self { stands_for: Some(host.to_owned()), ..self }
    }

    /// How it is spoken to.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Host, and port where one is named.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// Host and port.
    pub(super) fn place(&self) -> (&str, u16) {
        let (host, port) = split_port(&self.authority);
        (host, port.unwrap_or(if self.scheme == Scheme::Https { 443 } else { 80 }))
    }

    /// The path as it is asked for: a mirror is told whom it stands for.
    pub(super) fn target(&self, path: &str) -> String {
        match &self.stands_for {
            Some(host) => format!("{path}{}ns={host}", if path.contains('?') { '&' } else { '?' }),
            None => path.to_owned(),
        }
    }

    /// The whole URL of a path.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}://{}{}", self.scheme.name(), self.authority, self.target(path))
    }
}

/// The mirrors that a node's container engine asks in place of registries, as the `hosts.toml` files of containerd name
/// them: one for a host, which is then asked alone. Clones share the list.
#[derive(Clone, Debug, Default)]
pub struct Mirrors {
    list: Arc<RwLock<HashMap<String, Endpoint>>>,
}

impl Mirrors {
    /// From now on `host` is asked for at this endpoint.
    pub fn set(&self, host: &str, endpoint: Endpoint) {
        let endpoint = endpoint.standing_for(host);
        self.list.write().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned(), endpoint);
    }

    /// From now on `host` is asked itself.
    pub fn remove(&self, host: &str) {
        self.list.write().unwrap_or_else(PoisonError::into_inner).remove(host);
    }

    /// Whom to ask for what `host` has.
    pub fn endpoint(&self, host: &str) -> Endpoint {
        let list = self.list.read().unwrap_or_else(PoisonError::into_inner);
        list.get(host).cloned().unwrap_or_else(|| Endpoint::of(host))
    }
}

/// Splits `host:port`.
fn split_port(authority: &str) -> (&str, Option<u16>) {
    match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()),
        None => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Mirrors, Scheme};

    #[test]
    fn a_mirror_is_told_for_whom_it_stands() {
        let mirrors = Mirrors::default();
        mirrors.set("ghcr.io", Endpoint::with(Scheme::Http, "10.0.0.1:5001"));
        assert_eq!(
            mirrors.endpoint("ghcr.io").url("/v2/a/manifests/1"),
            "http://10.0.0.1:5001/v2/a/manifests/1?ns=ghcr.io"
        );
        assert_eq!(mirrors.endpoint("quay.io").url("/v2/"), "https://quay.io/v2/");
    }
}
