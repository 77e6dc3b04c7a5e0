//! Sets of fields, as `managedFields` keeps them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::layout::{Layout, Place, key_of};

/// A set of places in an object; elements are written as `fieldsV1` writes them (`f:`, `k:`, `v:`).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FieldSet {
    /// Whether this very place belongs to the set.
    pub(crate) here: bool,
    pub(crate) children: BTreeMap<String, FieldSet>,
}

impl FieldSet {
    fn leaf() -> Self {
        Self { here: true, children: BTreeMap::new() }
    }

    /// All that a value says.
    pub(crate) fn of(value: &Value, place: Place<'_>) -> Self {
        let mut set = Self::default();
        match (place.layout(value), value) {
            (Layout::Fields, Value::Object(map)) if !map.is_empty() => {
                for (name, inner) in map {
                    set.children.insert(format!("f:{name}"), Self::of(inner, place.field(name)));
                }
            }
            (Layout::Keyed(keys), Value::Array(items)) if !items.is_empty() => {
                for item in items {
                    let mut inner = Self::of(item, place.item());
                    inner.here = true;
                    set.children.insert(format!("k:{}", key_of(item, &keys)), inner);
                }
            }
            (Layout::Set, Value::Array(items)) if !items.is_empty() => {
                for item in items {
                    set.children.insert(format!("v:{item}"), Self::leaf());
                }
            }
            _ => set.here = true,
        }
        set
    }

    /// What `new` says that `old` does not, or says otherwise.
    pub(crate) fn changed(old: &Value, new: &Value, place: Place<'_>) -> Self {
        if old == new {
            return Self::default();
        }
        let mut set = Self::default();
        match (place.layout(new), old, new) {
            (Layout::Fields, Value::Object(before), Value::Object(after)) if !after.is_empty() => {
                for (name, inner) in after {
                    let here = place.field(name);
                    let part = before
                        .get(name)
                        .map_or_else(|| Self::of(inner, here), |b| Self::changed(b, inner, here));
                    set.insert(format!("f:{name}"), part);
                }
            }
            (Layout::Keyed(keys), Value::Array(before), Value::Array(after)) if !after.is_empty() => {
                for item in after {
                    let key = key_of(item, &keys);
                    let part = match before.iter().find(|other| key_of(other, &keys) == key) {
                        Some(other) => Self::changed(other, item, place.item()),
                        None => Self { here: true, ..Self::of(item, place.item()) },
                    };
                    set.insert(format!("k:{key}"), part);
                }
            }
            (Layout::Set, Value::Array(before), Value::Array(after)) if !after.is_empty() => {
                for item in after.iter().filter(|item| !before.contains(item)) {
                    set.children.insert(format!("v:{item}"), Self::leaf());
                }
            }
            _ => set = Self::of(new, place),
        }
        set
    }

    fn insert(&mut self, element: String, part: Self) {
        if !part.is_empty() {
            self.children.insert(element, part);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.here && self.children.is_empty()
    }

    pub(crate) fn union(mut self, other: &Self) -> Self {
        self.here |= other.here;
        for (element, part) in &other.children {
            let mine = self.children.remove(element).unwrap_or_default();
            self.children.insert(element.clone(), mine.union(part));
        }
        self
    }

    pub(crate) fn minus(&self, other: &Self) -> Self {
        let mut left = Self { here: self.here && !other.here, children: BTreeMap::new() };
        for (element, part) in &self.children {
            let rest = other.children.get(element).map_or_else(|| part.clone(), |theirs| part.minus(theirs));
            left.insert(element.clone(), rest);
        }
        left
    }

    pub(crate) fn common(&self, other: &Self) -> Self {
        let mut both = Self { here: self.here && other.here, children: BTreeMap::new() };
        for (element, part) in &self.children {
            if let Some(theirs) = other.children.get(element) {
                both.insert(element.clone(), part.common(theirs));
            }
        }
        both
    }

    /// Takes a part of the set out, given by plain field names.
    pub(crate) fn forget(&mut self, path: &[&str]) {
        let Some((first, rest)) = path.split_first() else { return };
        let element = format!("f:{first}");
        if rest.is_empty() {
            self.children.remove(&element);
        } else if let Some(part) = self.children.get_mut(&element) {
            part.forget(rest);
            if part.children.is_empty() {
                self.children.remove(&element);
            }
        }
    }

    /// Leaves only one field of the top.
    pub(crate) fn only(&mut self, field: &str) {
        let element = format!("f:{field}");
        self.children.retain(|known, _| *known == element);
    }

    /// Every place of the set, as people write it: `.spec.containers[name="db"].image`.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut all = Vec::new();
        self.collect("", &mut all);
        all
    }

    fn collect(&self, path: &str, all: &mut Vec<String>) {
        if self.here {
            all.push(path.to_owned());
        }
        for (element, part) in &self.children {
            part.collect(&format!("{path}{}", written(element)), all);
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut map = Map::new();
        if self.here && !self.children.is_empty() {
            map.insert(".".to_owned(), Value::Object(Map::new()));
        }
        for (element, part) in &self.children {
            map.insert(element.clone(), part.to_json());
        }
        Value::Object(map)
    }

    pub(crate) fn from_json(value: &Value) -> Self {
        let Some(map) = value.as_object() else { return Self::default() };
        let mut set = Self { here: map.is_empty(), children: BTreeMap::new() };
        for (element, part) in map {
            if element == "." {
                set.here = true;
            } else {
                set.children.insert(element.clone(), Self::from_json(part));
            }
        }
        set
    }
}

/// One element as people write it.
fn written(element: &str) -> String {
    match element.split_at(2) {
        ("f:", name) => format!(".{name}"),
        ("k:", key) => {
            let key: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
            let parts: Vec<String> = key.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("[{}]", parts.join(","))
        }
        (_, value) => format!("[={value}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TOP: Place<'static> = Place::BuiltIn { field: "", parent: "" };

    #[test]
    fn a_set_survives_its_json() {
        let value = json!({"spec": {"containers": [{"name": "a", "image": "b", "args": ["c"]}], "x": {}},
            "metadata": {"finalizers": ["f"]}});
        let set = FieldSet::of(&value, TOP);
        assert_eq!(FieldSet::from_json(&set.to_json()), set);
        assert!(set.paths().contains(&r#".spec.containers[name="a"].image"#.to_owned()));
        assert_eq!(set.to_json()["f:metadata"]["f:finalizers"], json!({"v:\"f\"": {}}));
    }

    #[test]
    fn a_change_names_just_what_differs() {
        let old = json!({"spec": {"replicas": 1, "containers": [{"name": "a", "image": "b"}]}});
        let new = json!({"spec": {"replicas": 1, "containers": [{"name": "a", "image": "c"}]}});
        assert_eq!(FieldSet::changed(&old, &new, TOP).paths(), [r#".spec.containers[name="a"].image"#]);
    }
}
