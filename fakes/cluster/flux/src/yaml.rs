//! Documents of YAML streams.

use serde_json::Value;

/// All documents but empty ones.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, String> {
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(text).map_err(|error| first_line(&error.to_string()))?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// One document; an empty text is null.
pub(crate) fn document(text: &str) -> Result<Value, String> {
    Ok(documents(text)?.into_iter().next().unwrap_or(Value::Null))
}

fn first_line(text: &str) -> String {
    format!("yaml: {}", text.lines().next().unwrap_or_default().trim_start_matches("error: "))
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
