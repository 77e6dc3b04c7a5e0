//! Checks values against `values.schema.json`, and says what is wrong in Helm's words.
//!
//! Formats are not checked, and what refers to other documents allows everything.

mod arrays;
mod objects;
mod unevaluated;
mod validate;
mod wording;

use serde_json::Value as Json;

use crate::chart::active::Active;
use validate::Root;

/// What is wrong with one value.
#[derive(Debug)]
struct Violation {
    /// The keys and indices that lead to the value.
    location: Vec<String>,
    kind: Kind,
    causes: Vec<Self>,
}

/// How a violation is shown.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// Several violations of one value.
    Group,
    /// A violation of what a schema refers to.
    Reference,
    Said(String),
}

/// Checks the values of a chart and those of its subcharts.
pub(crate) fn check(chart: &Active<'_>, values: &Json) -> Result<(), String> {
    let complaints = complaints(chart, values);
    if complaints.is_empty() {
        return Ok(());
    }
    Err(format!(
        "values don't meet the specifications of the schema(s) in the following chart(s):\n{complaints}"
    ))
}

fn complaints(chart: &Active<'_>, values: &Json) -> String {
    let mut text = String::new();
    if let Some(schema) = &chart.chart.schema
        && let Err(complaint) = check_one(schema, values)
    {
        text.push_str(&format!("{}:\n{complaint}", chart.name()));
    }
    for sub in &chart.dependencies {
        match values.get(sub.name()) {
            None | Some(Json::Null) => {}
            Some(own @ Json::Object(_)) => text.push_str(&complaints(sub, own)),
            Some(_) => {
                let name = sub.name();
                text.push_str(&format!("{name}:\ninvalid type for values: expected object (map)\n"));
            }
        }
    }
    text
}

fn check_one(source: &str, values: &Json) -> Result<(), String> {
    let schema: Json = serde_json::from_str(source).map_err(|error| {
        // Where the Go library would stumble too, in its words.
        crate::json::read::unmarshal(source).err().unwrap_or_else(|| error.to_string())
    })?;
    if let Some(pointer) = validate::dangling(&schema, &schema) {
        return Err(format!("json-pointer in \"file:///values.schema.json#{pointer}\" not found"));
    }
    match Root::new(&schema).validate(values) {
        Ok(()) => Ok(()),
        Err(violation) => {
            let violations = if violation.kind == Kind::Group { violation.causes } else { vec![violation] };
            Err(violations.iter().map(|violation| violation.show(1)).collect::<String>() + "\n")
        }
    }
    .map_err(|text| text.trim_start_matches('\n').to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check_one;

    fn complaint(schema: &serde_json::Value, values: &serde_json::Value) -> String {
        check_one(&schema.to_string(), values).expect_err("a violation")
    }

    #[test]
    fn violations_are_told_with_their_places() {
        let schema = json!({"properties": {"a": {"type": "array", "items": {"minimum": 5000}}, "b": {"type": "string"}}});
        let values = json!({"a": [1, 7000], "b": 2});
        assert_eq!(
            complaint(&schema, &values),
            "- at '/a/0': minimum: got 1, want 5,000\n- at '/b': got number, want string\n"
        );
    }

    #[test]
    fn what_is_referred_to_counts_and_nothing_goes_round_for_ever() {
        let schema = json!({"$defs": {"n": {"properties": {"next": {"$ref": "#/$defs/n"}, "v": {"type": "integer"}}}}, "$ref": "#/$defs/n"});
        assert!(check_one(&schema.to_string(), &json!({"next": {"next": {"v": 1.0}}})).is_ok());
        assert_eq!(
            complaint(&schema, &json!({"next": {"v": 1.5}})),
            "- at '/next/v': got number, want integer\n"
        );
        let endless = json!({"$ref": "#"});
        assert!(check_one(&endless.to_string(), &json!({})).is_err());
    }
}
