//! Volumes that are made of objects.

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cluster_api::kinds::{CONFIG_MAPS, SECRETS};
use cluster_api::object;
use serde_json::Value;

use super::files::Files;
use super::{Owner, Volumes};
use crate::pod::field;

/// Reads what a volume is made of.
pub(super) struct Sources<'a> {
    pub(super) volumes: &'a Volumes,
    pub(super) owner: &'a Owner<'a>,
}

/// What kind of object gives the keys.
#[derive(Clone, Copy)]
enum Keyed {
    ConfigMap,
    Secret,
}

impl Sources<'_> {
    /// The files of a volume; nothing for volumes that hold what their users put there.
    pub(super) fn files(&self, volume: &Value, dir: &Path) -> Result<Option<Files>, String> {
        let mut files = Files::default();
        if volume["configMap"].is_object() {
            self.keyed(Keyed::ConfigMap, &volume["configMap"], "name", &mut files)?;
        } else if volume["secret"].is_object() {
            self.keyed(Keyed::Secret, &volume["secret"], "secretName", &mut files)?;
        } else if volume["downwardAPI"].is_object() {
            self.downward(&volume["downwardAPI"], &mut files);
        } else if volume["projected"].is_object() {
            self.projected(&volume["projected"], dir, &mut files)?;
        } else {
            return Ok(None);
        }
        Ok(Some(files))
    }

    fn keyed(&self, kind: Keyed, source: &Value, name_field: &str, files: &mut Files) -> Result<(), String> {
        let name = source[name_field].as_str().unwrap_or("");
        let optional = source["optional"] == true;
        let (res, title) = match kind {
            Keyed::ConfigMap => (&CONFIG_MAPS, "configmap"),
            Keyed::Secret => (&SECRETS, "secret"),
        };
        let found = self.volumes.store.get(res, object::namespace(self.owner.pod), name);
        let found = match found {
            Some(found) => found,
            None if optional => return Ok(()),
            None => return Err(format!("{title} \"{name}\" not found")),
        };
        let Some(items) = source["items"].as_array() else {
            all_keys(kind, &found, files);
            return Ok(());
        };
        for item in items {
            let key = item["key"].as_str().unwrap_or("");
            match contents(kind, &found, key) {
                Some(bytes) => files.add(item["path"].as_str().unwrap_or(key), bytes),
                None if optional => {}
                None => {
                    return Err(match kind {
                        Keyed::ConfigMap => format!("configmap references non-existent config key: {key}"),
                        Keyed::Secret => format!("references non-existent secret key: {key}"),
                    });
                }
            }
        }
        Ok(())
    }

    fn downward(&self, source: &Value, files: &mut Files) {
        for item in source["items"].as_array().into_iter().flatten() {
            let path = item["fieldRef"]["fieldPath"].as_str().unwrap_or("");
            let value = field(self.owner.pod, path, &self.owner.pod_ip, &self.owner.host_ip);
            files.add(item["path"].as_str().unwrap_or(""), value.into_bytes());
        }
    }

    fn projected(&self, source: &Value, dir: &Path, files: &mut Files) -> Result<(), String> {
        for part in source["sources"].as_array().into_iter().flatten() {
            if part["configMap"].is_object() {
                self.keyed(Keyed::ConfigMap, &part["configMap"], "name", files)?;
            } else if part["secret"].is_object() {
                self.keyed(Keyed::Secret, &part["secret"], "name", files)?;
            } else if part["downwardAPI"].is_object() {
                self.downward(&part["downwardAPI"], files);
            } else if let Some(path) = part["serviceAccountToken"]["path"].as_str() {
                let token = std::fs::read(dir.join(path));
                files.add(path, token.unwrap_or_else(|_| self.volumes.token(self.owner.pod).into_bytes()));
            }
        }
        Ok(())
    }
}

fn all_keys(kind: Keyed, found: &Arc<Value>, files: &mut Files) {
    for field in ["data", "binaryData"] {
        for key in found[field].as_object().into_iter().flat_map(|map| map.keys()) {
            if let Some(bytes) = contents(kind, found, key) {
                files.add(key, bytes);
            }
        }
    }
}

fn contents(kind: Keyed, found: &Value, key: &str) -> Option<Vec<u8>> {
    let decode = |text: &str| STANDARD.decode(text).unwrap_or_default();
    match (kind, found["data"].get(key).and_then(Value::as_str)) {
        (Keyed::ConfigMap, Some(text)) => Some(text.as_bytes().to_vec()),
        (Keyed::Secret, Some(text)) => Some(decode(text)),
        (_, None) => found["binaryData"].get(key).and_then(Value::as_str).map(decode),
    }
}
