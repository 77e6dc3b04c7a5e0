//! What a scenario expects, checked against the vocabulary.

use std::collections::BTreeMap;
use std::str::FromStr;

use regex::Regex;

use super::codes::code_names;
use super::fields::{Fields, Problems};
use super::model::{AfterHeal, Blocker, Consequence, Document, Exit, Expect, Operator, Pattern, Transient};
use super::tree::{Node, Value};
use super::{Readiness, UnknownName};

pub(super) fn expect(node: Node, problems: &mut Problems) -> Expect {
    let mut fields = Fields::new(node, "expect", problems);
    let mut expect = Expect::default();
    if let Some(node) = fields.take("order") {
        let items = fields.problems.list(node, "order");
        expect.order = items.iter().filter_map(|item| fields.problems.name(item, "a milestone")).collect();
    }
    if let Some(node) = fields.need("eventually") {
        (expect.eventually, expect.blockers) = eventually(node, fields.problems);
    }
    expect.operator = fields.take("operator").map(|node| operator(node, fields.problems));
    expect.always = documents(&mut fields, "always");
    expect.never = documents(&mut fields, "never");
    expect.once = documents(&mut fields, "once");
    if let Some(node) = fields.take("within") {
        expect.within = within(node, fields.problems);
    }
    if let Some(node) = fields.take("transient") {
        let items = fields.problems.list(node, "transient");
        expect.transient = items.into_iter().filter_map(|item| transient(item, fields.problems)).collect();
    }
    if let Some(node) = fields.take("after-heal") {
        let mut inner = Fields::new(node, "after-heal", fields.problems);
        expect.after_heal =
            AfterHeal { always: documents(&mut inner, "always"), never: documents(&mut inner, "never") };
        inner.finish();
    }
    fields.finish();
    expect
}

fn documents(fields: &mut Fields<'_>, name: &'static str) -> Vec<Document> {
    let Some(node) = fields.take(name) else { return Vec::new() };
    let items = fields.problems.list(node, name);
    items.into_iter().map(|item| document(item, "a condition", fields.problems)).collect()
}

/// Something that a status document says.
pub(super) fn document(node: Node, what: &'static str, problems: &mut Problems) -> Document {
    let place = node.place;
    let mut fields = Fields::new(node, what, problems);
    let mut found = said(&mut fields);
    found.blocker =
        fields.take("blocker").and_then(|node| fields.problems.one_of(&node, "blocker code", &code_names()));
    found.component = fields.take("component").and_then(|node| fields.problems.text(&node, "a component"));
    let before = fields.problems.0.len();
    fields.finish();
    if found.is_empty() && problems.0.len() == before && before == 0 {
        problems.add(place, format!("{what} says nothing"));
    }
    found
}

fn said(fields: &mut Fields<'_>) -> Document {
    let rollup = fields.take("rollup").and_then(|node| fields.problems.name(&node, "the rollup"));
    let tiers =
        fields.take("tiers").map(|node| readiness(node, "tiers", fields.problems)).unwrap_or_default();
    let components = fields.take("components").map(|node| readiness(node, "components", fields.problems));
    let operations =
        fields.take("operations").map(|node| by_name(node, "operations", "an operation", fields.problems));
    let unread = fields.take("unread").map(|node| fields.problems.list(node, "unread")).unwrap_or_default();
    let unread = unread.iter().filter_map(|item| fields.problems.text(item, "a read")).collect();
    Document {
        rollup,
        tiers,
        components: components.unwrap_or_default(),
        operations: operations.unwrap_or_default(),
        unread,
        ..Document::default()
    }
}

fn readiness<K: FromStr<Err = UnknownName> + Ord>(
    node: Node,
    what: &'static str,
    problems: &mut Problems,
) -> BTreeMap<K, Readiness> {
    by_name(node, what, "a readiness", problems)
}

fn by_name<K: FromStr<Err = UnknownName> + Ord, V: FromStr<Err = UnknownName>>(
    node: Node,
    what: &'static str,
    of_what: &'static str,
    problems: &mut Problems,
) -> BTreeMap<K, V> {
    let mut found = BTreeMap::new();
    for (key, value) in problems.map(node, what).unwrap_or_default() {
        let name =
            key.name.parse().map_err(|error: UnknownName| problems.add(key.place, error.to_string())).ok();
        let value = problems.name(&value, of_what);
        found.extend(name.zip(value));
    }
    found
}

fn eventually(node: Node, problems: &mut Problems) -> (Document, Vec<Blocker>) {
    let mut fields = Fields::new(node, "eventually", problems);
    let document = said(&mut fields);
    let blockers =
        fields.take("blockers").map(|node| fields.problems.list(node, "blockers")).unwrap_or_default();
    let blockers = blockers.into_iter().filter_map(|item| blocker(item, fields.problems)).collect();
    fields.finish();
    (document, blockers)
}

fn blocker(node: Node, problems: &mut Problems) -> Option<Blocker> {
    let mut fields = Fields::new(node, "a blocker", problems);
    let code =
        fields.need("code").and_then(|node| fields.problems.one_of(&node, "blocker code", &code_names()));
    let component = fields.take("component").and_then(|node| fields.problems.text(&node, "a component"));
    let login_blocking =
        fields.take("loginBlocking").and_then(|node| fields.problems.flag(&node, "loginBlocking"));
    let reason = fields.take("reason").and_then(|node| pattern(&node, fields.problems));
    let next_action = fields.take("nextAction").and_then(|node| pattern(&node, fields.problems));
    let layer = fields.take("layer").and_then(|node| fields.problems.text(&node, "a layer"));
    let consequences = fields.take("consequences").map(|node| {
        let items = fields.problems.list(node, "consequences");
        items.into_iter().filter_map(|item| consequence(item, fields.problems)).collect()
    });
    fields.finish();
    Some(Blocker { code: code?, component, login_blocking, reason, next_action, layer, consequences })
}

fn consequence(node: Node, problems: &mut Problems) -> Option<Consequence> {
    let mut fields = Fields::new(node, "a consequence", problems);
    let code =
        fields.need("code").and_then(|node| fields.problems.one_of(&node, "blocker code", &code_names()));
    let component = fields.take("component").and_then(|node| fields.problems.text(&node, "a component"));
    fields.finish();
    Some(Consequence { code: code?, component })
}

fn transient(node: Node, problems: &mut Problems) -> Option<Transient> {
    let mut fields = Fields::new(node, "a transient blocker", problems);
    let code =
        fields.need("code").and_then(|node| fields.problems.one_of(&node, "blocker code", &code_names()));
    let reason = fields.need("reason").and_then(|node| fields.problems.text(&node, "the reason"));
    fields.finish();
    Some(Transient { code: code?, reason: reason? })
}

fn within(node: Node, problems: &mut Problems) -> BTreeMap<super::Milestone, std::time::Duration> {
    let mut found = BTreeMap::new();
    for (key, value) in problems.map(node, "within").unwrap_or_default() {
        let milestone =
            key.name.parse().map_err(|error: UnknownName| problems.add(key.place, error.to_string())).ok();
        let budget = problems.duration(&value, "a budget");
        found.extend(milestone.zip(budget));
    }
    found
}

fn operator(node: Node, problems: &mut Problems) -> Operator {
    let mut fields = Fields::new(node, "operator", problems);
    let exit =
        fields.take("exit").and_then(|node| fields.problems.one_of(&node, "exit", &["success", "failure"]));
    let prints = fields.take("prints").map(|node| fields.problems.list(node, "prints")).unwrap_or_default();
    let prints = prints.iter().filter_map(|item| pattern(item, fields.problems)).collect();
    fields.finish();
    let exit = exit.map(|name| if name == "success" { Exit::Success } else { Exit::Failure });
    Operator { exit, prints }
}

/// A text, or a regular expression between slashes.
fn pattern(node: &Node, problems: &mut Problems) -> Option<Pattern> {
    let text = match &node.value {
        Value::Text(text) => text.clone(),
        _ => problems.text(node, "a pattern")?,
    };
    let Some(inner) =
        text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|inner| !inner.is_empty())
    else {
        return problems.text(node, "a pattern").map(Pattern::Text);
    };
    match Regex::new(inner) {
        Ok(regex) => Some(Pattern::Regex(regex)),
        Err(error) => {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
            problems.add(node.place, format!("/{inner}/ is not a regular expression: {why}"));
            None
        }
    }
}
