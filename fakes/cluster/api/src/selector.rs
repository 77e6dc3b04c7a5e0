//! Label selectors, as objects and as query strings.

use serde_json::Value;

use crate::ApiError;

/// Whether a `LabelSelector` (`matchLabels`, `matchExpressions`) selects labels; an absent selector selects nothing,
/// an empty one everything.
pub fn matches(selector: &Value, labels: &Value) -> bool {
    if !selector.is_object() {
        return false;
    }
    let by_labels = selector["matchLabels"].as_object().is_none_or(|wanted| all_equal(wanted, labels));
    let by_expressions = selector["matchExpressions"]
        .as_array()
        .is_none_or(|list| list.iter().all(|expression| expression_matches(expression, labels)));
    by_labels && by_expressions
}

/// Whether a plain map of labels (as a Service has) selects; an absent or empty map selects nothing.
pub fn map_matches(wanted: &Value, labels: &Value) -> bool {
    wanted.as_object().is_some_and(|wanted| !wanted.is_empty() && all_equal(wanted, labels))
}

fn all_equal(wanted: &serde_json::Map<String, Value>, labels: &Value) -> bool {
    wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
}

fn expression_matches(expression: &Value, labels: &Value) -> bool {
    let actual = expression["key"].as_str().and_then(|key| labels.get(key));
    let values = expression["values"].as_array();
    let among = || values.is_some_and(|list| actual.is_some_and(|actual| list.contains(actual)));
    match expression["operator"].as_str() {
        Some("In") => among(),
        Some("NotIn") => !among(),
        Some("Exists") => actual.is_some(),
        Some("DoesNotExist") => actual.is_none(),
        _ => false,
    }
}

/// A label selector of a query: `a=b,c!=d,e in (f,g),h,!i`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelQuery {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

impl LabelQuery {
    /// Parses a selector; the empty one selects everything.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let mut terms = Vec::new();
        for part in split_outside_parentheses(text) {
            let part = part.trim();
            if !part.is_empty() {
                terms.push(parse_term(part)?);
            }
        }
        Ok(Self { terms })
    }

    /// Whether it selects an object with these labels.
    pub fn matches(&self, labels: &Value) -> bool {
        self.terms.iter().all(|term| match term {
            Term::In(key, values) => label(labels, key).is_some_and(|v| values.iter().any(|w| w == v)),
            Term::NotIn(key, values) => label(labels, key).is_none_or(|v| values.iter().all(|w| w != v)),
            Term::Exists(key) => label(labels, key).is_some(),
            Term::Absent(key) => label(labels, key).is_none(),
        })
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

fn label<'a>(labels: &'a Value, key: &str) -> Option<&'a str> {
    labels.get(key)?.as_str()
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_usize, 0, Vec::new());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn parse_term(part: &str) -> Result<Term, ApiError> {
    let key = |text: &str| text.trim().to_owned();
    if let Some((name, value)) = part.split_once("!=") {
        return Ok(Term::NotIn(key(name), vec![key(value)]));
    }
    if let Some((name, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Ok(Term::In(key(name), vec![key(value)]));
    }
    if let Some(name) = part.strip_prefix('!') {
        return Ok(Term::Absent(key(name)));
    }
    let Some((head, list)) = part.split_once('(') else {
        if part.contains(char::is_whitespace) {
            return Err(unparsable(part));
        }
        return Ok(Term::Exists(key(part)));
    };
    let list = list.trim_end().strip_suffix(')').ok_or_else(|| unparsable(part))?;
    let values = list.split(',').map(key).collect();
    let mut words = head.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(name), Some("in"), None) => Ok(Term::In(name.to_owned(), values)),
        (Some(name), Some("notin"), None) => Ok(Term::NotIn(name.to_owned(), values)),
        _ => Err(unparsable(part)),
    }
}

fn unparsable(part: &str) -> ApiError {
    ApiError::bad_request(format!(
        "unable to parse requirement: found '{part}', expected: in, notin, =, ==, !=, gt, lt"
    ))
}

/// A field selector of a query: `metadata.name=x,status.phase!=Running`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldQuery {
    terms: Vec<(String, String, Wanted)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wanted {
    Equal,
    Different,
}

impl FieldQuery {
    /// Parses a selector; the empty one selects everything.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let mut terms = Vec::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (field, value, wanted) = if let Some((field, value)) = part.split_once("!=") {
                (field, value, Wanted::Different)
            } else if let Some((field, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
                (field, value, Wanted::Equal)
            } else {
                return Err(ApiError::bad_request(format!(
                    "invalid field selector {part:?}: can't understand '{part}'"
                )));
            };
            terms.push((field.trim().to_owned(), value.trim().to_owned(), wanted));
        }
        Ok(Self { terms })
    }

    /// The fields it asks about.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().map(|(field, ..)| field.as_str())
    }

    /// The name it demands, when it demands one.
    pub fn name(&self) -> Option<&str> {
        self.terms
            .iter()
            .find(|(field, _, wanted)| field == "metadata.name" && *wanted == Wanted::Equal)
            .map(|(_, value, _)| value.as_str())
    }

    /// Whether it selects an object.
    pub fn matches(&self, object: &Value) -> bool {
        self.terms
            .iter()
            .all(|(field, value, wanted)| (field_text(object, field) == *value) == (*wanted == Wanted::Equal))
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

fn field_text(object: &Value, field: &str) -> String {
    if field == "source" {
        return field_text(object, "source.component");
    }
    let value = field.split('.').fold(object, |value, part| &value[part]);
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_of_a_label_query_is_understood() {
        let labels = json!({"app": "db", "tier": "back"});
        for (query, expected) in [
            ("", true),
            ("app=db", true),
            ("app==db,tier!=front", true),
            ("app in (web,db)", true),
            ("app notin (web, db)", false),
            ("tier,!debug", true),
            ("debug", false),
        ] {
            assert_eq!(LabelQuery::parse(query).unwrap().matches(&labels), expected, "{query}");
        }
        assert!(LabelQuery::parse("app within (a)").is_err());
    }

    #[test]
    fn an_absent_selector_selects_nothing_and_an_empty_one_everything() {
        assert!(!matches(&Value::Null, &json!({"a": "b"})));
        assert!(matches(&json!({}), &json!({"a": "b"})));
        assert!(!map_matches(&json!({}), &json!({"a": "b"})));
    }

    #[test]
    fn expressions_and_labels_must_both_hold() {
        let selector = json!({"matchLabels": {"a": "b"},
            "matchExpressions": [{"key": "c", "operator": "NotIn", "values": ["d"]}]});
        assert!(matches(&selector, &json!({"a": "b"})));
        assert!(!matches(&selector, &json!({"a": "b", "c": "d"})));
    }

    #[test]
    fn a_field_query_reads_nested_fields() {
        let pod = json!({"metadata": {"name": "x"}, "status": {"phase": "Pending"}});
        assert!(FieldQuery::parse("metadata.name=x,status.phase!=Running").unwrap().matches(&pod));
        assert!(FieldQuery::parse("spec.nodeName=").unwrap().matches(&pod));
        assert!(FieldQuery::parse("what").is_err());
    }
}
