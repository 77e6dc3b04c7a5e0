//! One request about a resource, understood.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use super::protobuf;
use super::streaming::Upgrade;
use super::target::{Address, Query};
use super::view::{Lens, View};
use crate::kind::KindInfo;
use crate::store::{Run, Write};
use crate::{ApiError, Store};

/// A request about a resource.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) address: Address,
    pub(super) info: Arc<KindInfo>,
    pub(super) query: Query,
    pub(super) view: View,
    pub(super) content_type: String,
    pub(super) manager: String,
    pub(super) body: Bytes,
    pub(super) warnings: Warnings,
    pub(super) upgrade: Option<Upgrade>,
}

/// What the answer warns of, in its header.
#[derive(Clone, Debug, Default)]
pub(super) struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    /// Everything so far.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Call {
    /// Has the answer warn, of each thing once.
    pub(super) fn warn(&self, text: &str) {
        let mut warnings = self.warnings.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.iter().any(|known| known == text) {
            warnings.push(text.to_owned());
        }
    }

    pub(super) fn lens(&self, store: &Store) -> Lens {
        Lens {
            info: self.info.clone(),
            version: self.address.version.clone(),
            view: self.view,
            now: store.clock().now(),
        }
    }

    /// How the store is to write for this call.
    pub(super) fn write(&self) -> Write<'_> {
        Write { manager: &self.manager, sub: &self.address.sub, run: self.run() }
    }

    pub(super) fn run(&self) -> Run {
        if self.query.says("dryRun") { Run::Dry } else { Run::Commit }
    }

    /// The body as a value, JSON or YAML.
    pub(super) fn value(&self) -> Result<Value, ApiError> {
        parse(&self.body, &self.content_type)
    }

    /// The body as an object of this call's kind, name and namespace.
    pub(super) fn object(&self) -> Result<Value, ApiError> {
        let mut value = self.value()?;
        if !value.is_object() {
            return Err(ApiError::bad_request("the request body is not an object"));
        }
        let expected = self.info.res.api_version(&self.address.version);
        let stated = value["apiVersion"].as_str().unwrap_or(&expected);
        if stated != expected {
            return Err(ApiError::bad_request(format!(
                "the API version in the data ({stated}) does not match the expected API version ({expected})"
            )));
        }
        let kind = value["kind"].as_str().unwrap_or(&self.info.kind);
        if kind != self.info.kind {
            let message = format!(
                "the kind in the data ({kind}) does not match the expected kind ({})",
                self.info.kind
            );
            return Err(ApiError::bad_request(message));
        }
        self.place(&mut value)?;
        Ok(value)
    }

    /// Writes the path's name and namespace into an object, unless it names others.
    pub(super) fn place(&self, value: &mut Value) -> Result<(), ApiError> {
        let meta = crate::object::child(value, "metadata");
        let namespace = meta["namespace"].as_str().unwrap_or("").to_owned();
        if self.info.namespaced {
            if !namespace.is_empty() && namespace != self.address.namespace {
                return Err(ApiError::bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request",
                ));
            }
            meta["namespace"] = Value::from(self.address.namespace.as_str());
        }
        if !self.address.name.is_empty() {
            let name = meta["name"].as_str().unwrap_or("").to_owned();
            if !name.is_empty() && name != self.address.name {
                return Err(ApiError::bad_request(format!(
                    "the name of the object ({name}) does not match the name on the URL ({})",
                    self.address.name
                )));
            }
            meta["name"] = Value::from(self.address.name.as_str());
        }
        Ok(())
    }
}

/// Reads JSON, YAML, or the protobuf of what kubectl makes.
pub(super) fn parse(body: &[u8], content_type: &str) -> Result<Value, ApiError> {
    if content_type.contains("yaml") && body.first() != Some(&b'{') {
        let text =
            std::str::from_utf8(body).map_err(|_| ApiError::bad_request("the request body is not UTF-8"))?;
        return serde_saphyr::from_str(text)
            .map_err(|problem| ApiError::bad_request(format!("error decoding YAML: {problem}")));
    }
    if content_type.starts_with("application/vnd.kubernetes.protobuf") {
        return protobuf::decode(body);
    }
    serde_json::from_slice(body).map_err(|problem| {
        ApiError::bad_request(format!("couldn't get version/kind; json parse error: {problem}"))
    })
}
