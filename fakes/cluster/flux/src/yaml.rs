//! Documents of YAML streams.

use serde_json::Value;

/// All documents but empty ones.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, String> {
    // Of the words that YAML 1.1 takes for booleans only these two are.
    let options = serde_saphyr::options! { strict_booleans: true };
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| in_go_words(text, &error.to_string()))?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// One document; an empty text is null.
pub(crate) fn document(text: &str) -> Result<Value, String> {
    Ok(documents(text)?.into_iter().next().unwrap_or(Value::Null))
}

/// The error as Go's reader has it. It counts lines from 0 where a parser fails, and tells where the list or map began,
/// or, when that is the first line, where it should have ended.
fn in_go_words(text: &str, error: &str) -> String {
    let first = error.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let began = first
        .split_once("line ")
        .and_then(|(_, rest)| rest.split([' ', ':', ',']).next()?.parse::<usize>().ok());
    let closing = [
        ("unclosed bracket '['", "did not find expected ',' or ']'"),
        ("unclosed bracket '{'", "did not find expected ',' or '}'"),
    ];
    let known = closing.iter().find(|(ours, _)| first.contains(ours));
    match (known, began) {
        (Some((_, words)), Some(line)) => {
            let line = if line > 1 { line - 1 } else { text.lines().count() };
            format!("yaml: line {line}: {words}")
        }
        _ => format!("yaml: {first}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_documents_are_left_out() {
        let found = documents("---\na: 1\n---\n# nothing\n---\nb: '2'\n").unwrap();
        assert_eq!(found, [serde_json::json!({"a": 1}), serde_json::json!({"b": "2"})]);
        assert_eq!(document(""), Ok(Value::Null));
    }

    #[test]
    fn what_is_no_yaml_is_an_error() {
        assert!(documents("a: [1, 2\nb: 3\n").unwrap_err().starts_with("yaml: "));
    }
}
