//! Makes a chart of its files.

use std::collections::BTreeMap;

use super::metadata::Metadata;
use super::{Chart, File, LoadError, archive};
use crate::value::{Map, Value, text};
use crate::values::to_json;
use crate::yaml::unmarshal;

pub(super) fn chart(files: Vec<File>) -> Result<Chart, LoadError> {
    let mut metadata = Metadata::default();
    let invalid = LoadError::Invalid;
    match files.iter().rev().find(|file| file.name == "Chart.yaml") {
        Some(file) => metadata.read(&file.name, &text::from_bytes(&file.data)).map_err(invalid)?,
        None => return Err(LoadError::Invalid("Chart.yaml file is missing".into())),
    }
    let mut chart = Chart {
        metadata,
        values: serde_json::Value::Object(serde_json::Map::new()),
        schema: None,
        templates: Vec::new(),
        files: Vec::new(),
        dependencies: Vec::new(),
    };
    let mut subcharts: BTreeMap<String, Vec<File>> = BTreeMap::new();
    for file in files {
        chart.take(file, &mut subcharts)?;
    }
    chart.metadata.validate().map_err(invalid)?;
    for (name, files) in subcharts {
        if name.starts_with(['_', '.']) {
            continue;
        }
        let subchart = subchart(&name, files, &chart.metadata.name).map_err(|error| {
            LoadError::Invalid(format!("error unpacking subchart {name} in {}: {error}", chart.metadata.name))
        })?;
        chart.dependencies.push(subchart);
    }
    Ok(chart)
}

impl Chart {
    fn take(&mut self, file: File, subcharts: &mut BTreeMap<String, Vec<File>>) -> Result<(), LoadError> {
        match file.name.as_str() {
            "Chart.yaml" | "Chart.lock" => {}
            "values.schema.json" => self.schema = Some(text::from_bytes(&file.data)),
            "values.yaml" => {
                let values = values(&text::from_bytes(&file.data))
                    .map_err(|error| LoadError::Invalid(format!("cannot load values.yaml: {error}")))?;
                self.values = to_json(&values.into());
            }
            "requirements.yaml" | "requirements.lock" => {
                if file.name == "requirements.yaml" {
                    self.metadata
                        .read(&file.name, &text::from_bytes(&file.data))
                        .map_err(LoadError::Invalid)?;
                }
                if self.metadata.api_version == "v1" {
                    self.files.push(file);
                }
            }
            name if name.starts_with("templates/") => self.templates.push(file),
            name if name.starts_with("charts/") && !name.ends_with(".prov") => {
                let inner = name["charts/".len()..].to_owned();
                let subchart = inner.split('/').next().unwrap_or(&inner).to_owned();
                subcharts.entry(subchart).or_default().push(File { name: inner, data: file.data });
            }
            _ => self.files.push(file),
        }
        Ok(())
    }
}

fn subchart(name: &str, files: Vec<File>, parent: &str) -> Result<Chart, LoadError> {
    if name.ends_with(".tgz") {
        let file = &files[0];
        if file.name != name {
            let message =
                format!("error unpacking subchart tar in {parent}: expected {name}, got {}", file.name);
            return Err(LoadError::Invalid(message));
        }
        return chart(archive::files(&file.data)?);
    }
    let inner = files.into_iter().filter_map(|file| {
        let (_, rest) = file.name.split_once('/')?;
        Some(File { name: rest.into(), data: file.data })
    });
    chart(inner.collect())
}

/// Values in one or more documents, later ones over earlier ones.
fn values(source: &str) -> Result<Map, String> {
    let merged = Map::empty();
    for document in documents(source) {
        match unmarshal(&document).map_err(|error| format!("cannot unmarshal yaml document: {error}"))? {
            Value::Map(map) => overlay(&merged, &map),
            Value::Nil => {}
            other => {
                let kind = match other {
                    Value::Str(_) => "string",
                    Value::List(_) => "array",
                    Value::Bool(_) => "bool",
                    _ => "number",
                };
                return Err(format!(
                    "cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
                ));
            }
        }
    }
    Ok(merged)
}

/// Splits at lines that begin with `---`.
fn documents(source: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in source.split_inclusive('\n') {
        let separates = line.strip_prefix("---").is_some_and(|rest| rest.trim_end().is_empty());
        match documents.last_mut() {
            Some(last) if separates && last.is_empty() => {}
            Some(_) if separates => documents.push(String::new()),
            Some(last) => last.push_str(line),
            None => {}
        }
    }
    documents
}

fn overlay(onto: &Map, from: &Map) {
    for (key, value) in from.entries() {
        match (onto.get(&key), &value) {
            (Some(Value::Map(inner)), Value::Map(value)) => overlay(&inner, value),
            _ => onto.insert(key, value),
        }
    }
}
