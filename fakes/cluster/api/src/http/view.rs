//! How objects are shown: as they are, as table rows, or their metadata alone.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::table;
use crate::ApiError;
use crate::kind::KindInfo;
use crate::store::Stored;

/// What a client wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// The object.
    Object,
    /// `meta.k8s.io/v1` `Table`.
    Table(Include),
    /// `meta.k8s.io/v1` `PartialObjectMetadata`.
    Metadata,
}

/// What a table row carries along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Include {
    None,
    Metadata,
    Object,
}

impl Include {
    pub(super) fn parse(text: Option<&str>) -> Self {
        match text {
            Some("None") => Self::None,
            Some("Object") => Self::Object,
            _ => Self::Metadata,
        }
    }
}

impl View {
    /// The first kind of answer that `Accept` names and we know.
    pub(super) fn parse(accept: &str, include: Include) -> Result<Self, ApiError> {
        if accept.trim().is_empty() {
            return Ok(Self::Object);
        }
        for wanted in accept.split(',') {
            let mut parts = wanted.split(';').map(str::trim);
            let kind = parts.next().unwrap_or("");
            if !matches!(kind, "application/json" | "application/*" | "*/*" | "application/json;stream=watch")
            {
                continue;
            }
            let mut shape = "";
            let mut group = "";
            for part in parts {
                match part.split_once('=') {
                    Some(("as", value)) => shape = value,
                    Some(("g", value)) => group = value,
                    _ => {}
                }
            }
            match (shape, group) {
                ("", _) => return Ok(Self::Object),
                ("Table", "meta.k8s.io") => return Ok(Self::Table(include)),
                ("PartialObjectMetadata" | "PartialObjectMetadataList", "meta.k8s.io") => {
                    return Ok(Self::Metadata);
                }
                _ => {}
            }
        }
        Err(ApiError::new(
            406,
            "NotAcceptable",
            "only the following media types are accepted: application/json, application/json;as=Table;v=v1;g=meta.k8s.io",
        ))
    }
}

/// Shows objects of one kind in one version.
#[derive(Clone, Debug)]
pub(super) struct Lens {
    pub(super) info: std::sync::Arc<KindInfo>,
    pub(super) version: String,
    pub(super) view: View,
    pub(super) now: Timestamp,
}

impl Lens {
    /// One object.
    pub(super) fn one(&self, stored: &Stored) -> Bytes {
        match self.view {
            View::Object if self.version == self.info.version => stored.json().clone(),
            View::Object => Bytes::from(self.versioned(&stored.value).to_string()),
            View::Metadata => Bytes::from(metadata(&stored.value).to_string()),
            View::Table(include) => {
                let version = crate::object::resource_version(&stored.value);
                let rows = vec![self.row(&stored.value, include)];
                let table =
                    table::frame(&self.info, &self.version, rows, &json!({"resourceVersion": version}));
                Bytes::from(table.to_string())
            }
        }
    }

    /// A list; `meta` is the list's metadata.
    pub(super) fn many(&self, items: &[std::sync::Arc<Stored>], meta: &Value) -> Bytes {
        if let View::Table(include) = self.view {
            let rows = items.iter().map(|stored| self.row(&stored.value, include)).collect();
            return Bytes::from(table::frame(&self.info, &self.version, rows, meta).to_string());
        }
        let (kind, api_version) = match self.view {
            View::Metadata => ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1".to_owned()),
            _ => (self.info.list_kind(), self.info.res.api_version(&self.version)),
        };
        let mut list =
            format!("{{\"kind\":\"{kind}\",\"apiVersion\":\"{api_version}\",\"metadata\":{meta},\"items\":[")
                .into_bytes();
        for (at, stored) in items.iter().enumerate() {
            if at > 0 {
                list.push(b',');
            }
            list.extend_from_slice(&self.one(stored));
        }
        list.extend_from_slice(b"]}");
        Bytes::from(list)
    }

    fn row(&self, value: &Value, include: Include) -> Value {
        let mut row = json!({"cells": table::cells(&self.info, &self.version, value, self.now)});
        match include {
            Include::None => {}
            Include::Metadata => row["object"] = metadata(value),
            Include::Object => row["object"] = self.versioned(value),
        }
        row
    }

    fn versioned(&self, value: &Value) -> Value {
        let mut value = value.clone();
        value["apiVersion"] = json!(self.info.res.api_version(&self.version));
        value
    }

    /// A bookmark: nothing but a version.
    pub(super) fn bookmark(&self, version: u64, ends_initial: bool) -> Value {
        let mut meta = json!({"resourceVersion": version.to_string(), "creationTimestamp": null});
        if ends_initial {
            meta["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        match self.view {
            View::Table(_) => {
                let object = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta});
                let rows = vec![json!({"cells": [], "object": object})];
                let list = json!({"resourceVersion": version.to_string()});
                table::frame(&self.info, &self.version, rows, &list)
            }
            View::Metadata => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta})
            }
            View::Object => {
                let api_version = self.info.res.api_version(&self.version);
                json!({"kind": self.info.kind, "apiVersion": api_version, "metadata": meta})
            }
        }
    }
}

fn metadata(value: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": value["metadata"]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_kind_of_answer_wins() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        assert_eq!(View::parse(table, Include::Metadata).unwrap(), View::Table(Include::Metadata));
        let protobuf = "application/vnd.kubernetes.protobuf,application/json";
        assert_eq!(View::parse(protobuf, Include::None).unwrap(), View::Object);
        assert_eq!(View::parse("text/html", Include::None).unwrap_err().code, 406);
    }
}
