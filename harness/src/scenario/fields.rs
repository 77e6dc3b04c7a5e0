//! Reads maps field by field and gathers everything that is wrong on the way.

use std::str::FromStr;
use std::time::Duration;

use super::nearest::meant;
use super::problem::{Place, Problem};
use super::tree::{Key, Node, Value};

/// Everything wrong so far.
#[derive(Debug, Default)]
pub(super) struct Problems(pub(super) Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, place: Place, message: impl Into<String>) {
        self.0.push(Problem::new(place, message));
    }

    /// A map's entries.
    pub(super) fn map(&mut self, node: Node, what: &str) -> Option<Vec<(Key, Node)>> {
        match node.value {
            Value::Map(entries) => Some(entries),
            Value::Null => Some(Vec::new()),
            other => {
                self.add(node.place, format!("{what} is a map, not {}", other.kind()));
                None
            }
        }
    }

    /// A list's items.
    pub(super) fn list(&mut self, node: Node, what: &str) -> Vec<Node> {
        match node.value {
            Value::List(items) => items,
            Value::Null => Vec::new(),
            other => {
                self.add(node.place, format!("{what} is a list, not {}", other.kind()));
                Vec::new()
            }
        }
    }

    /// A text; numbers are texts where a text is asked for only if they were quoted.
    pub(super) fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        match &node.value {
            Value::Text(text) if !text.trim().is_empty() => Some(text.clone()),
            Value::Text(_) => {
                self.add(node.place, format!("{what} is empty"));
                None
            }
            Value::Integer(_) | Value::Float(_) => {
                self.add(node.place, format!("{what} is a text, not {}: quote it", node.value.kind()));
                None
            }
            other => {
                self.add(node.place, format!("{what} is a text, not {}", other.kind()));
                None
            }
        }
    }

    /// A name of a closed vocabulary.
    pub(super) fn name<T: FromStr<Err = super::UnknownName>>(
        &mut self,
        node: &Node,
        what: &str,
    ) -> Option<T> {
        let text = self.text(node, what)?;
        text.parse().map_err(|error: super::UnknownName| self.add(node.place, error.to_string())).ok()
    }

    /// One of these names.
    pub(super) fn one_of(&mut self, node: &Node, what: &str, known: &[&'static str]) -> Option<&'static str> {
        let text = self.text(node, what)?;
        let found = known.iter().copied().find(|name| *name == text);
        if found.is_none() {
            self.add(node.place, format!("no {what} is named `{text}`{}", meant(&text, known)));
        }
        found
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, node: &Node, what: &str) -> Option<bool> {
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        self.add(node.place, format!("{what} is true or false, not {}", node.value.kind()));
        None
    }

    /// A length of field time: `250ms`, `20s`, `5m`, `1m30s`, `2h`.
    pub(super) fn duration(&mut self, node: &Node, what: &str) -> Option<Duration> {
        let Value::Text(text) = &node.value else {
            self.add(
                node.place,
                format!("{what} is a duration such as 20s or 5m, not {}", node.value.kind()),
            );
            return None;
        };
        let parsed = duration(text);
        if parsed.is_none() {
            self.add(node.place, format!("`{text}` is not a duration such as 250ms, 20s, 5m or 1m30s"));
        }
        parsed
    }
}

/// The fields of one map, taken out one by one.
pub(super) struct Fields<'p> {
    what: &'static str,
    place: Place,
    known: Vec<&'static str>,
    left: Vec<(Key, Node)>,
    pub(super) problems: &'p mut Problems,
}

impl<'p> Fields<'p> {
    pub(super) fn new(node: Node, what: &'static str, problems: &'p mut Problems) -> Self {
        let place = node.place;
        let left = problems.map(node, what).unwrap_or_default();
        Self { what, place, known: Vec::new(), left, problems }
    }

    /// The field's value, if it is there.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Node> {
        self.known.push(name);
        let at = self.left.iter().position(|(key, _)| key.name == name)?;
        Some(self.left.remove(at).1)
    }

    /// The field's value, which must be there.
    pub(super) fn need(&mut self, name: &'static str) -> Option<Node> {
        let found = self.take(name);
        if found.is_none() {
            // A misspelt field is one mistake, not two.
            let misspelt = self.left.iter().any(|(key, _)| super::nearest(&key.name, [name]).is_some());
            if !misspelt {
                self.problems.add(self.place, format!("{} has no `{name}`", self.what));
            }
        }
        found
    }

    /// Says what is left over.
    pub(super) fn finish(self) {
        for (key, _) in self.left {
            let message =
                format!("{} has no field `{}`{}", self.what, key.name, meant(&key.name, &self.known));
            self.problems.add(key.place, message);
        }
    }
}

fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut sum = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let number: u64 = number.parse().ok()?;
        let unit_end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        sum += match unit {
            "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            "m" => Duration::from_secs(number.checked_mul(60)?),
            "h" => Duration::from_secs(number.checked_mul(3600)?),
            _ => return None,
        };
        rest = tail;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        assert_eq!(duration("20s"), Some(Duration::from_secs(20)));
        assert_eq!(duration("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
    }

    #[test]
    fn a_number_without_a_unit_is_not_a_duration() {
        assert_eq!(duration("20"), None);
        assert_eq!(duration("s"), None);
        assert_eq!(duration("20 lightyears"), None);
    }
}
