//! JSON as Go's `encoding/json` writes and reads it.

pub(crate) mod read;

use std::fmt::Write as _;

use base64::Engine as _;

pub(crate) use read::unmarshal;

use crate::value::display::{HELM_VERSION, quote};
use crate::value::number::format_json;
use crate::value::{List, Value, text};

/// Whether `<`, `>` and `&` are escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Html {
    Escaped,
    Raw,
}

struct Writer {
    out: String,
    html: Html,
    /// Spaces per level, if on several lines.
    indent: Option<usize>,
}

/// `json.Marshal`
pub(crate) fn marshal(value: &Value) -> String {
    write(value, Html::Escaped, None)
}

/// The same on several lines.
pub(crate) fn marshal_pretty(value: &Value) -> String {
    write(value, Html::Escaped, Some(2))
}

/// The same without escaping for HTML.
pub(crate) fn marshal_raw(value: &Value) -> String {
    write(value, Html::Raw, None)
}

fn write(value: &Value, html: Html, indent: Option<usize>) -> String {
    let mut writer = Writer { out: String::new(), html, indent };
    writer.value(value, 0);
    writer.out
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Invalid | Value::Nil | Value::List(List { items: None, .. }) => self.out.push_str("null"),
            Value::Bool(flag) => self.out.push_str(if *flag { "true" } else { "false" }),
            Value::Int(number) | Value::Int64(number) | Value::Duration(number) => {
                _ = write!(self.out, "{number}")
            }
            Value::Uint8(number) => _ = write!(self.out, "{number}"),
            Value::Float(number) => self.out.push_str(&format_json(*number)),
            Value::Str(text) => self.text(text),
            Value::Bytes(bytes) => {
                let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
                _ = write!(self.out, "\"{encoded}\"");
            }
            Value::Map(map) if map.is_null() => self.out.push_str("null"),
            Value::Map(map) => {
                let entries = map.entries();
                self.collection(('{', '}'), entries.len(), depth, |writer, index| {
                    let (key, value) = &entries[index];
                    writer.entry(key, value, depth + 1);
                });
            }
            Value::List(list) => {
                let items = list.as_slice();
                self.collection(('[', ']'), items.len(), depth, |writer, index| {
                    writer.value(&items[index], depth + 1);
                });
            }
            Value::Time(moment) => {
                let text = moment.format("2006-01-02T15:04:05.999999999Z07:00");
                _ = write!(self.out, "\"{text}\"");
            }
            Value::Version(version) => _ = write!(self.out, "{}", quote(&version.original)),
            Value::KubeVersion(facts) => self.structure(
                depth,
                &[
                    ("Version", facts.version.as_str().into()),
                    ("Major", facts.major.as_str().into()),
                    ("Minor", facts.minor.as_str().into()),
                ],
            ),
            Value::Capabilities(facts) => self.structure(
                depth,
                &[
                    ("KubeVersion", Value::KubeVersion(facts.clone())),
                    ("APIVersions", facts.version_set()),
                    ("HelmVersion", Value::HelmVersion),
                ],
            ),
            Value::HelmVersion => self.structure(
                depth,
                &[
                    ("version", HELM_VERSION.version.into()),
                    ("go_version", HELM_VERSION.go_version.into()),
                    ("kube_client_version", HELM_VERSION.client_version.into()),
                ],
            ),
        }
    }

    fn entry(&mut self, key: &str, value: &Value, depth: usize) {
        self.text(key);
        self.out.push_str(if self.indent.is_some() { ": " } else { ":" });
        self.value(value, depth);
    }

    /// A struct, whose fields keep their order.
    fn structure(&mut self, depth: usize, fields: &[(&str, Value)]) {
        self.collection(('{', '}'), fields.len(), depth, |writer, index| {
            let (key, value) = &fields[index];
            writer.entry(key, value, depth + 1);
        });
    }

    fn collection(
        &mut self,
        (open, close): (char, char),
        count: usize,
        depth: usize,
        mut item: impl FnMut(&mut Self, usize),
    ) {
        self.out.push(open);
        for index in 0..count {
            if index > 0 {
                self.out.push(',');
            }
            self.line(depth + 1);
            item(self, index);
        }
        if count > 0 {
            self.line(depth);
        }
        self.out.push(close);
    }

    fn line(&mut self, depth: usize) {
        if let Some(indent) = self.indent {
            self.out.push('\n');
            self.out.push_str(&" ".repeat(indent * depth));
        }
    }

    fn text(&mut self, value: &str) {
        self.out.push('"');
        for character in value.chars() {
            match character {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                '<' | '>' | '&' if self.html == Html::Escaped => self.escape(character),
                '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => self.escape(character),
                _ if text::stray_byte(character).is_some() => self.out.push_str("\\ufffd"),
                other => self.out.push(other),
            }
        }
        self.out.push('"');
    }

    fn escape(&mut self, character: char) {
        _ = write!(self.out, "\\u{:04x}", u32::from(character));
    }
}

#[cfg(test)]
mod tests {
    use super::{marshal, marshal_pretty, marshal_raw, unmarshal};

    #[test]
    fn json_is_written_as_go_writes_it() {
        let value = unmarshal(r#"{"b": [1, 2.5, null, {}], "a": "<x> & \"y\"\n\u0001é"}"#).expect("JSON");
        assert_eq!(marshal(&value), r#"{"a":"\u003cx\u003e \u0026 \"y\"\n\u0001é","b":[1,2.5,null,{}]}"#);
        assert!(marshal_raw(&value).contains("<x> &"));
        assert!(marshal_pretty(&value).contains("\n  \"b\": [\n    1,\n"));
    }
}
