//! What no part of a schema has looked at yet.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::validate::{Check, Root};

/// The properties and items that nothing has looked at, as far as anybody wants to know.
#[derive(Clone, Debug, Default)]
pub(super) struct Unevaluated {
    properties: BTreeSet<String>,
    items: BTreeSet<usize>,
}

impl Unevaluated {
    /// Everything in a value that a schema does not deal with by itself.
    pub(super) fn of(root: &Root<'_>, schema: &Json, value: &Json, asker: &Self) -> Self {
        let mut all = Self::default();
        let has = |keyword: &str| schema.get(keyword).is_some();
        match value {
            Json::Object(entries)
                if !has("additionalProperties") && (!asker.is_empty() || has("unevaluatedProperties")) =>
            {
                all.properties = entries.keys().cloned().collect();
            }
            Json::Array(items) => {
                let length = |keyword: &str| schema.get(keyword).and_then(Json::as_array).map_or(0, Vec::len);
                let (covers_all, first) = if root.draft >= 2020 {
                    (has("items"), length("prefixItems"))
                } else {
                    (
                        has("additionalItems") || schema.get("items").is_some_and(|items| !items.is_array()),
                        length("items"),
                    )
                };
                if !covers_all && (!asker.is_empty() || has("unevaluatedItems")) {
                    all.items = (first..items.len()).collect();
                }
            }
            _ => {}
        }
        all
    }

    pub(super) fn is_empty(&self) -> bool {
        self.properties.is_empty() && self.items.is_empty()
    }

    /// Keeps what another schema has not looked at either.
    pub(super) fn merge(&mut self, other: &Self) {
        self.properties.retain(|name| other.properties.contains(name));
        self.items.retain(|index| other.items.contains(index));
    }

    pub(super) fn evaluate_property(&mut self, name: &str) {
        self.properties.remove(name);
    }

    pub(super) fn evaluate_item(&mut self, index: usize) {
        self.items.remove(&index);
    }
}

impl Check<'_, '_> {
    /// Deals with what is left.
    pub(super) fn rest(&mut self) {
        if self.root.draft < 2019 {
            return;
        }
        if let Some(schema) = self.keyword("unevaluatedProperties") {
            for name in std::mem::take(&mut self.unevaluated.properties) {
                if let Some(value) = self.value.get(&name) {
                    self.ask_about(schema, value, &name);
                }
            }
        }
        if let Some(schema) = self.keyword("unevaluatedItems") {
            for index in std::mem::take(&mut self.unevaluated.items) {
                if let Some(value) = self.value.get(index) {
                    self.ask_about(schema, value, &index.to_string());
                }
            }
        }
    }
}
