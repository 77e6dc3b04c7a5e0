//! Schemas against values.

use std::cell::RefCell;

use serde_json::Value as Json;

use super::unevaluated::Unevaluated;
use super::wording::{number, plain, quote};
use super::{Kind, Violation};
use crate::functions::{go_regex, is_multiple_of};

/// A whole schema document.
pub(super) struct Root<'s> {
    schema: &'s Json,
    /// The year or number of its draft.
    pub(super) draft: u16,
    /// The references that are being followed, each with how deep its value is.
    following: RefCell<Vec<(*const Json, usize)>>,
}

/// Somebody asks about one value.
pub(super) struct Check<'r, 's> {
    pub(super) root: &'r Root<'s>,
    pub(super) schema: &'s Json,
    pub(super) value: &'r Json,
    pub(super) location: &'r [String],
    pub(super) violations: Vec<Violation>,
    pub(super) unevaluated: Unevaluated,
}

/// What is left unevaluated of a value that is right.
pub(super) type Verdict = Result<Unevaluated, Violation>;

const TYPES: [&str; 7] = ["null", "boolean", "number", "integer", "string", "array", "object"];

fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

/// Whether two values are equal, numbers by what they are worth.
pub(super) fn equal(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => left.as_f64() == right.as_f64(),
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| equal(value, other)))
        }
        _ => left == right,
    }
}

impl<'s> Root<'s> {
    pub(super) fn new(schema: &'s Json) -> Self {
        let name = schema.get("$schema").and_then(Json::as_str).unwrap_or_default();
        let drafts = [("draft-04", 4), ("draft-06", 6), ("draft-07", 7), ("2019-09", 2019)];
        let draft = drafts.iter().find(|(known, _)| name.contains(known)).map_or(2020, |(_, draft)| *draft);
        Self { schema, draft, following: RefCell::default() }
    }

    pub(super) fn validate(&self, value: &Json) -> Result<(), Violation> {
        self.verdict(self.schema, value, &[], &Unevaluated::default()).map(|_| ())
    }

    /// What a schema says to a value, of which the asker would know what is unevaluated.
    pub(super) fn verdict(
        &self,
        schema: &'s Json,
        value: &Json,
        location: &[String],
        asker: &Unevaluated,
    ) -> Verdict {
        let unevaluated = Unevaluated::of(self, schema, value, asker);
        let check = Check { root: self, schema, value, location, violations: Vec::new(), unevaluated };
        check.run()
    }

    /// What a reference leads to, if it is in this document.
    fn resolve(&self, reference: &str) -> Option<&'s Json> {
        let fragment = reference.strip_prefix('#')?;
        if fragment.is_empty() || fragment.starts_with('/') {
            let pointer = fragment.replace("%25", "%").replace("%24", "$");
            return self.schema.pointer(&pointer);
        }
        anchored(self.schema, fragment)
    }
}

/// A pointer in a document that leads nowhere.
pub(super) fn dangling<'s>(root: &Json, schema: &'s Json) -> Option<&'s str> {
    let pointer = schema.get("$ref").and_then(Json::as_str).and_then(|reference| reference.strip_prefix('#'));
    if let Some(pointer) = pointer.filter(|pointer| pointer.starts_with('/') && !pointer.contains('%'))
        && root.pointer(pointer).is_none()
    {
        return Some(pointer);
    }
    match schema {
        Json::Object(entries) => entries.values().find_map(|inner| dangling(root, inner)),
        Json::Array(items) => items.iter().find_map(|inner| dangling(root, inner)),
        _ => None,
    }
}

fn anchored<'s>(schema: &'s Json, name: &str) -> Option<&'s Json> {
    let is_named = |key: &str| schema.get(key).and_then(Json::as_str) == Some(name);
    let has_id = schema.get("$id").and_then(Json::as_str).and_then(|id| id.strip_prefix('#')) == Some(name);
    if is_named("$anchor") || is_named("$dynamicAnchor") || has_id {
        return Some(schema);
    }
    match schema {
        Json::Object(entries) => entries.values().find_map(|inner| anchored(inner, name)),
        Json::Array(items) => items.iter().find_map(|inner| anchored(inner, name)),
        _ => None,
    }
}

impl<'s> Check<'_, 's> {
    pub(super) fn violation(&self, kind: Kind, causes: Vec<Violation>) -> Violation {
        Violation { location: self.location.to_vec(), kind, causes }
    }

    pub(super) fn say(&mut self, text: impl Into<String>) {
        let violation = self.violation(Kind::Said(text.into()), Vec::new());
        self.violations.push(violation);
    }

    pub(super) fn say_because(&mut self, text: &str, causes: Vec<Violation>) {
        let violation = self.violation(Kind::Said(text.into()), causes);
        self.violations.push(violation);
    }

    pub(super) fn keyword(&self, name: &str) -> Option<&'s Json> {
        self.schema.get(name)
    }

    pub(super) fn limit(&self, name: &str) -> Option<usize> {
        self.keyword(name)?.as_f64().map(|limit| limit as usize)
    }

    pub(super) fn list(&self, name: &str) -> &'s [Json] {
        self.keyword(name).and_then(Json::as_array).map_or(&[], Vec::as_slice)
    }

    /// Asks another schema about the same value.
    pub(super) fn ask(&mut self, schema: &'s Json) -> Result<(), Violation> {
        let left = self.root.verdict(schema, self.value, self.location, &self.unevaluated)?;
        self.unevaluated.merge(&left);
        Ok(())
    }

    /// Asks a schema about a part of the value.
    pub(super) fn ask_about(&mut self, schema: &'s Json, part: &Json, step: &str) {
        let answer = self.about(schema, part, step);
        self.violations.extend(answer.err());
    }

    pub(super) fn about(&self, schema: &'s Json, part: &Json, step: &str) -> Result<(), Violation> {
        let mut location = self.location.to_vec();
        location.push(step.into());
        self.root.verdict(schema, part, &location, &Unevaluated::default()).map(|_| ())
    }

    fn run(mut self) -> Verdict {
        match self.schema {
            Json::Bool(true) => return Ok(self.unevaluated),
            Json::Bool(false) => return Err(self.violation(Kind::Said("false schema".into()), Vec::new())),
            _ => {}
        }
        if let Some(text) = self.mismatch() {
            return Err(self.violation(Kind::Said(text), Vec::new()));
        }
        if let Some(reference) = self.keyword("$ref").and_then(Json::as_str) {
            let answer = self.follow(reference);
            if self.root.draft < 2019 {
                return answer.map(|()| self.unevaluated);
            }
            self.violations.extend(answer.err());
        }
        match self.value {
            Json::Object(entries) => self.object(entries),
            Json::Array(items) => self.array(items),
            Json::String(text) => self.text(text),
            Json::Number(found) => self.number(found.as_f64().unwrap_or_default()),
            Json::Null | Json::Bool(_) => {}
        }
        for keyword in ["$recursiveRef", "$dynamicRef"] {
            if let Some(reference) = self.keyword(keyword).and_then(Json::as_str) {
                let answer = self.follow(reference);
                self.violations.extend(answer.err());
            }
        }
        self.conditions();
        self.rest();
        match self.violations.len() {
            0 => Ok(self.unevaluated),
            1 => Err(self.violations.remove(0)),
            _ => {
                let causes = std::mem::take(&mut self.violations);
                Err(self.violation(Kind::Group, causes))
            }
        }
    }

    /// What is wrong so that nothing else needs to be looked at.
    fn mismatch(&self) -> Option<String> {
        let found = type_of(self.value);
        let wanted: Vec<&str> = match self.keyword("type") {
            Some(Json::String(name)) => vec![name],
            Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        };
        let is_whole = self.value.as_f64().is_some_and(|number| number.fract() == 0.0);
        let fits = wanted.contains(&found) || (wanted.contains(&"integer") && is_whole);
        if !wanted.is_empty() && !fits {
            let wanted: Vec<&str> = TYPES.into_iter().filter(|name| wanted.contains(name)).collect();
            return Some(format!("got {found}, want {}", wanted.join(" or ")));
        }
        if let Some(wanted) = self.keyword("const")
            && self.root.draft > 4
            && !equal(wanted, self.value)
        {
            let compound = wanted.is_array() || wanted.is_object();
            return Some(if compound {
                "'const' failed".into()
            } else {
                format!("value must be {}", plain(wanted))
            });
        }
        let allowed = self.keyword("enum")?.as_array()?;
        if allowed.iter().any(|allowed| equal(allowed, self.value)) {
            return None;
        }
        let shown: Vec<String> = allowed.iter().map(plain).collect();
        Some(match shown.as_slice() {
            _ if allowed.iter().any(|allowed| allowed.is_array() || allowed.is_object()) => {
                "'enum' failed".into()
            }
            [only] => format!("value must be {only}"),
            _ => format!("value must be one of {}", shown.join(", ")),
        })
    }

    fn follow(&mut self, reference: &str) -> Result<(), Violation> {
        let Some(target) = self.root.resolve(reference) else {
            return Ok(());
        };
        let step = (std::ptr::from_ref(target), self.location.len());
        if self.root.following.borrow().contains(&step) {
            let text = format!("{} resolves to itself, causing reference cycle", quote(reference));
            return Err(self.violation(Kind::Said(text), Vec::new()));
        }
        self.root.following.borrow_mut().push(step);
        let answer = self.ask(target);
        self.root.following.borrow_mut().pop();
        answer.map_err(|violation| {
            let causes = if violation.kind == Kind::Group { violation.causes } else { vec![violation] };
            self.violation(Kind::Reference, causes)
        })
    }

    fn text(&mut self, text: &str) {
        let length = text.chars().count();
        self.at_least("minLength", length);
        self.at_most("maxLength", length);
        if let Some(pattern) = self.keyword("pattern").and_then(Json::as_str)
            && let Some(regex) = go_regex(pattern)
            && !regex.is_match(text)
        {
            self.say(format!("{} does not match pattern {}", quote(text), quote(pattern)));
        }
    }

    fn number(&mut self, found: f64) {
        let bound = |name: &str| self.keyword(name).and_then(Json::as_f64);
        // In the oldest drafts the exclusive bounds only say how the others are meant.
        let excludes = |name: &str| self.keyword(name).and_then(Json::as_bool).unwrap_or(false);
        let (low_excluded, high_excluded) = (excludes("exclusiveMinimum"), excludes("exclusiveMaximum"));
        let (low, high) = (bound("minimum"), bound("maximum"));
        let checks = [
            ("minimum", low.filter(|low| !low_excluded && found < *low)),
            ("maximum", high.filter(|high| !high_excluded && found > *high)),
            (
                "exclusiveMinimum",
                if low_excluded { low } else { bound("exclusiveMinimum") }.filter(|low| found <= *low),
            ),
            (
                "exclusiveMaximum",
                if high_excluded { high } else { bound("exclusiveMaximum") }.filter(|high| found >= *high),
            ),
            ("multipleOf", bound("multipleOf").filter(|unit| !is_multiple_of(found, *unit))),
        ];
        for (name, violated) in checks {
            if let Some(wanted) = violated {
                self.say(format!("{name}: got {}, want {}", number(found), number(wanted)));
            }
        }
    }

    fn conditions(&mut self) {
        if let Some(schema) = self.keyword("not")
            && self.ask(schema).is_ok()
        {
            self.say("'not' failed");
        }
        let refused: Vec<Violation> =
            self.list("allOf").iter().filter_map(|schema| self.ask(schema).err()).collect();
        if !refused.is_empty() {
            self.say_because("'allOf' failed", refused);
        }
        self.any_of();
        self.one_of();
        if self.root.draft < 7 {
            return;
        }
        if let Some(condition) = self.keyword("if") {
            let branch = if self.ask(condition).is_ok() { "then" } else { "else" };
            if let Some(schema) = self.keyword(branch) {
                let answer = self.ask(schema);
                self.violations.extend(answer.err());
            }
        }
    }

    fn any_of(&mut self) {
        let mut refused = Vec::new();
        for schema in self.list("anyOf") {
            match self.ask(schema) {
                Ok(()) if self.unevaluated.is_empty() => return,
                Ok(()) => {}
                Err(violation) => refused.push(violation),
            }
        }
        if !refused.is_empty() && refused.len() == self.list("anyOf").len() {
            self.say_because("'anyOf' failed", refused);
        }
    }

    fn one_of(&mut self) {
        let mut first = None;
        let mut refused = Vec::new();
        let schemas = self.list("oneOf");
        for (index, schema) in schemas.iter().enumerate() {
            match (self.ask(schema), first) {
                (Ok(()), None) => first = Some(index),
                (Ok(()), Some(first)) => {
                    return self.say(format!("'oneOf' failed, subschemas {first}, {index} matched"));
                }
                (Err(violation), _) => refused.push(violation),
            }
        }
        if first.is_none() && !schemas.is_empty() {
            self.say_because("'oneOf' failed, none matched", refused);
        }
    }
}
