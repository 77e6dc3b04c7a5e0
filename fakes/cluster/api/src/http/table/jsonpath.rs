//! The simple JSONPath of printer columns: `.a.b`, `[0]`, `['key']`, `[?(@.type=="Ready")]`, `[*]`.

use serde_json::Value;

/// The first value a path finds.
pub(super) fn find(value: &Value, path: &str) -> Option<Value> {
    let mut found = vec![value];
    let mut rest = path.trim_start_matches('$');
    while !rest.is_empty() {
        let (step, tail) = take(rest)?;
        found = found.into_iter().flat_map(|value| walk(value, &step)).collect();
        rest = tail;
    }
    found.first().map(|value| Value::clone(value)).filter(|value| !value.is_null())
}

enum Step {
    Field(String),
    Index(usize),
    Every,
    Where(Vec<String>, String),
}

/// One step and what follows it.
fn take(path: &str) -> Option<(Step, &str)> {
    if let Some(path) = path.strip_prefix("[?(") {
        let (condition, tail) = path.split_once(")]")?;
        let (field, wanted) = condition.split_once("==")?;
        let field = field.trim().trim_start_matches("@.").split('.').map(str::to_owned).collect();
        let wanted = wanted.trim().trim_matches(|c| matches!(c, '"' | '\'')).to_owned();
        return Some((Step::Where(field, wanted), tail));
    }
    if let Some(path) = path.strip_prefix('[') {
        let (inner, tail) = path.split_once(']')?;
        let step = match inner {
            "*" => Step::Every,
            _ if inner.starts_with(['"', '\'']) => {
                Step::Field(inner.trim_matches(|c| matches!(c, '"' | '\'')).to_owned())
            }
            _ => Step::Index(inner.parse().ok()?),
        };
        return Some((step, tail));
    }
    let path = path.strip_prefix('.')?;
    // A dot that is escaped belongs to the name: `.metadata.annotations.example\.com/a`.
    let mut name = String::new();
    let mut letters = path.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => name.extend(letters.next().map(|(_, escaped)| escaped)),
            '.' | '[' => return Some((Step::Field(name), &path[at..])),
            _ => name.push(letter),
        }
    }
    Some((Step::Field(name), ""))
}

fn walk<'a>(value: &'a Value, step: &Step) -> Vec<&'a Value> {
    match step {
        Step::Field(name) => value.get(name).into_iter().collect(),
        Step::Index(at) => value.get(at).into_iter().collect(),
        Step::Every => value.as_array().into_iter().flatten().collect(),
        Step::Where(field, wanted) => value
            .as_array()
            .into_iter()
            .flatten()
            .filter(|item| field.iter().fold(*item, |item, part| &item[part.as_str()]) == wanted)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_paths_of_real_definitions_are_understood() {
        let value = json!({"status": {"conditions": [{"type": "Ready", "status": "True", "message": "m"}]},
            "spec": {"suspend": false}, "metadata": {"annotations": {"a.b/c": "d"}}, "list": [{"x": 1}, {"x": 2}]});
        let condition = ".status.conditions[?(@.type==\"Ready\")].status";
        assert_eq!(find(&value, condition), Some(json!("True")));
        assert_eq!(find(&value, ".spec.suspend"), Some(json!(false)));
        assert_eq!(find(&value, ".metadata.annotations.a\\.b/c"), Some(json!("d")));
        assert_eq!(find(&value, ".list[1].x"), Some(json!(2)));
        assert_eq!(find(&value, ".status.artifact.revision"), None);
    }
}
