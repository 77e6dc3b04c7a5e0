//! Bearer tokens and whom they stand for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::chance;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `system:serviceaccount:NAMESPACE:NAME` for service accounts.
    pub user: String,
    /// Groups, `system:authenticated` among them.
    pub groups: Vec<String>,
}

/// The tokens of one cluster; clones are the same registry.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    known: Arc<Mutex<HashMap<String, Identity>>>,
}

impl Tokens {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// A new token of a user.
    pub fn issue(&self, user: &str, groups: &[&str]) -> String {
        let token = chance::secret();
        self.remember(token.clone(), user, groups);
        token
    }

    /// A new token that may do everything.
    pub fn administrator(&self) -> String {
        self.issue("kubernetes-admin", &["system:masters"])
    }

    /// A new token of a service account, shaped like the real ones; `pod` is empty when it is bound to none.
    pub fn service_account(&self, namespace: &str, name: &str, pod: &str) -> String {
        let user = format!("system:serviceaccount:{namespace}:{name}");
        let mut bound = json!({"namespace": namespace, "serviceaccount": {"name": name}});
        if !pod.is_empty() {
            bound["pod"] = json!({"name": pod});
        }
        let claims = json!({"iss": "https://kubernetes.default.svc", "sub": user, "jti": chance::uuid(),
            "aud": ["https://kubernetes.default.svc"], "kubernetes.io": bound});
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let token = format!(
            "{}.{}.{}",
            part(r#"{"alg":"RS256"}"#),
            part(&claims.to_string()),
            part(&chance::secret())
        );
        let group = format!("system:serviceaccounts:{namespace}");
        self.remember(token.clone(), &user, &["system:serviceaccounts", &group]);
        token
    }

    fn remember(&self, token: String, user: &str, groups: &[&str]) {
        let mut groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        groups.push("system:authenticated".to_owned());
        let identity = Identity { user: user.to_owned(), groups };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(token, identity);
    }

    /// Takes a token back.
    pub fn revoke(&self, token: &str) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
    }

    /// Whom a token stands for.
    pub fn identify(&self, token: &str) -> Option<Identity> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }
}
