//! Releases as Secrets.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cluster_api::{ApiError, Store, kinds, object};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::policy::Names;
use super::release::Release;

/// The records of one release.
pub(super) struct Records<'a> {
    pub(super) store: &'a Store,
    pub(super) names: &'a Names,
}

impl Records<'_> {
    /// All versions, the newest first.
    pub(super) fn all(&self) -> Vec<Release> {
        let mut found: Vec<Release> = self
            .store
            .list(&kinds::SECRETS, Some(&self.names.storage))
            .iter()
            .filter(|secret| {
                object::label(secret, "owner") == Some("helm")
                    && object::label(secret, "name") == Some(self.names.release.as_str())
            })
            .filter_map(|secret| decode(secret["data"]["release"].as_str()?))
            .collect();
        found.sort_by_key(|release| std::cmp::Reverse(release.version));
        found
    }

    /// Writes a version for the first time.
    pub(super) fn create(&self, release: &Release) -> Result<(), ApiError> {
        let now = self.store.clock().now().as_second().to_string();
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
            "metadata": {"name": secret_name(release), "namespace": self.names.storage, "labels": {
                "createdAt": now, "name": release.name, "owner": "helm", "status": release.status,
                "version": release.version.to_string(),
            }},
            "data": {"release": encode(release)},
        });
        self.store.create(&kinds::SECRETS, secret).map(drop)
    }

    /// Writes a version again.
    pub(super) fn update(&self, release: &Release) -> Result<(), ApiError> {
        let now = self.store.clock().now().as_second().to_string();
        let data = json!({"release": encode(release)});
        let outcome =
            self.store.modify(&kinds::SECRETS, &self.names.storage, &secret_name(release), |secret| {
                secret["metadata"]["labels"] = json!({
                    "modifiedAt": now, "name": release.name, "owner": "helm", "status": release.status,
                    "version": release.version.to_string(),
                });
                secret["data"] = data;
            });
        outcome.map(drop)
    }

    pub(super) fn delete(&self, release: &Release) {
        self.store.remove(&kinds::SECRETS, &self.names.storage, &secret_name(release));
    }
}

fn secret_name(release: &Release) -> String {
    format!("sh.helm.release.v1.{}.v{}", release.name, release.version)
}

/// Gzipped JSON in Base64, as Helm writes it, and once more in Base64, as every Secret.
fn encode(release: &Release) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let bytes = encoder
        .write_all(release.to_json().to_string().as_bytes())
        .and_then(|()| encoder.finish())
        .expect("writing to memory cannot fail");
    STANDARD.encode(STANDARD.encode(bytes))
}

fn decode(data: &str) -> Option<Release> {
    let inner = STANDARD.decode(STANDARD.decode(data).ok()?).ok()?;
    let mut text = String::new();
    GzDecoder::new(inner.as_slice()).read_to_string(&mut text).ok()?;
    Release::from_json(&serde_json::from_str::<Value>(&text).ok()?)
}

#[cfg(test)]
mod tests {
    use field_clock::Clock;

    use super::*;

    fn release(version: u64) -> Release {
        Release::from_json(&json!({
            "name": "app", "namespace": "default", "version": version, "info": {"status": "deployed"},
            "chart": {"metadata": {"name": "app", "version": "1.0.0"}}, "config": {"a": 1}, "manifest": "a: 1\n", "hooks": [],
        }))
        .unwrap()
    }

    #[test]
    fn what_is_written_is_read_newest_first() {
        let store = Store::new(Clock::wall());
        let names = Names {
            release: "app".to_owned(),
            namespace: "default".to_owned(),
            storage: "default".to_owned(),
        };
        let records = Records { store: &store, names: &names };
        records.create(&release(1)).unwrap();
        records.create(&release(10)).unwrap();
        let found = records.all();
        assert_eq!(found.iter().map(|release| release.version).collect::<Vec<_>>(), [10, 1]);
        assert_eq!(found[0].text(), "default/app.v10 with chart app@1.0.0");
        let secret = store.get(&kinds::SECRETS, "default", "sh.helm.release.v1.app.v10").unwrap();
        assert_eq!(secret["type"], "helm.sh/release.v1");
    }
}
