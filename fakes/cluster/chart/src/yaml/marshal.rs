//! Values as YAML.

use super::emit::{Analysis, Dialect, Emitter, Role, Style};
use super::key_order;
use super::resolve::{Meaning, meaning};
use crate::json;
use crate::value::number::format_g;
use crate::value::{List, Map, Value, text};

/// As `sigs.k8s.io/yaml` writes it, which goes through JSON.
pub(crate) fn marshal(value: &Value) -> String {
    write(value, Dialect::Compact)
}

/// As `goyaml.v3` writes it with two spaces of indentation.
pub(crate) fn marshal_pretty(value: &Value) -> String {
    write(value, Dialect::Pretty)
}

fn write(value: &Value, dialect: Dialect) -> String {
    let mut emitter = Emitter::new(dialect);
    emitter.value(value, Place::Root);
    emitter.finish()
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Sequence,
    Mapping,
}

impl Emitter {
    fn value(&mut self, value: &Value, place: Place) {
        match value {
            Value::Map(map) if map.is_null() && self.dialect == Dialect::Compact => {
                self.scalar("null", Style::Plain, Role::Value);
            }
            Value::Map(map) if map.is_empty() => self.indicator("{}"),
            Value::Map(map) => self.mapping(map),
            Value::List(List { items: None, .. }) if self.dialect == Dialect::Compact => {
                self.scalar("null", Style::Plain, Role::Value);
            }
            Value::List(list) if list.as_slice().is_empty() => self.indicator("[]"),
            Value::List(list) => self.sequence(list.as_slice(), place),
            Value::Bytes(_) if self.dialect == Dialect::Pretty => {
                self.sequence(&value.elements().unwrap_or_default(), place);
            }
            Value::Str(text) => self.text(text, Role::Value),
            other => {
                let (text, style) = self.atom(other);
                self.scalar(&text, style, Role::Value);
            }
        }
    }

    /// The text of anything that is neither text nor collection.
    fn atom(&self, value: &Value) -> (String, Style) {
        let text = match value {
            Value::Nil | Value::Invalid => "null".into(),
            Value::Bool(flag) => flag.to_string(),
            Value::Int(number) | Value::Int64(number) => number.to_string(),
            Value::Duration(nanos) if self.dialect == Dialect::Compact => nanos.to_string(),
            Value::Uint8(number) => number.to_string(),
            Value::Float(number) if self.dialect == Dialect::Compact => compact_float(*number),
            Value::Float(number) => special_float(*number),
            Value::Time(moment) if self.dialect == Dialect::Pretty => {
                moment.format("2006-01-02T15:04:05.999999999Z07:00")
            }
            other => {
                let encoded = json::marshal(other);
                let text = encoded.trim_matches('"').to_owned();
                let style = style_of(&text);
                return (text, style);
            }
        };
        (text, Style::Plain)
    }

    fn text(&mut self, value: &str, role: Role) {
        if text::is_utf8(value) {
            self.scalar(value, style_of(value), role);
            return;
        }
        let cleaned: String = value
            .chars()
            .map(|character| if text::stray_byte(character).is_some() { '\u{fffd}' } else { character })
            .collect();
        self.scalar(&cleaned, style_of(&cleaned), role);
    }

    fn mapping(&mut self, map: &Map) {
        let outer = self.go_in();
        for (key, value) in &key_order::sort(map.entries(), self.dialect) {
            self.start_line();
            if key.len() <= 128 && !Analysis::of(key).multiline {
                self.text(key, Role::Key);
                self.attached(":");
            } else {
                self.entry("?");
                self.text(key, Role::Value);
                self.start_line();
                self.entry(":");
            }
            self.value(value, Place::Mapping);
        }
        self.indent = outer;
    }

    fn sequence(&mut self, items: &[Value], place: Place) {
        let indentless = place == Place::Mapping && self.dialect == Dialect::Compact && !self.indention;
        let outer = self.indent;
        if !indentless {
            self.go_in();
        }
        for item in items {
            self.start_line();
            self.entry("-");
            self.value(item, Place::Sequence);
        }
        self.indent = outer;
    }
}

/// How a text must be written in order to stay one.
fn style_of(value: &str) -> Style {
    if value.contains('\n') {
        return Style::Literal;
    }
    let is_text = meaning(value) == Meaning::Text && !is_base_60(value);
    if is_text { Style::Plain } else { Style::DoubleQuoted }
}

/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`
fn is_base_60(value: &str) -> bool {
    let body = value.strip_prefix(['-', '+']).unwrap_or(value);
    let (body, fraction) = body.split_once('.').unwrap_or((body, ""));
    let mut groups = body.split(':');
    let first = groups.next().unwrap_or("");
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let mut rest = groups.peekable();
    rest.peek().is_some()
        && first.starts_with(|digit: char| digit.is_ascii_digit())
        && digits(first)
        && digits(fraction)
        && rest.all(|group| match group.as_bytes() {
            [low] => low.is_ascii_digit(),
            [high, low] => (b'0'..=b'5').contains(high) && low.is_ascii_digit(),
            _ => false,
        })
}

/// A float after its way through JSON, where whole numbers are whole.
fn compact_float(number: f64) -> String {
    let encoded = crate::value::number::format_json(number);
    match meaning(&encoded) {
        Meaning::Int(whole) => whole.to_string(),
        Meaning::Uint(whole) => whole.to_string(),
        _ => format_g(number),
    }
}

fn special_float(number: f64) -> String {
    match format_g(number).as_str() {
        "+Inf" => ".inf".into(),
        "-Inf" => "-.inf".into(),
        "NaN" => ".nan".into(),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::marshal;
    use crate::yaml::unmarshal;

    fn rewritten(source: &str) -> String {
        marshal(&unmarshal(source).expect("YAML"))
    }

    #[test]
    fn what_is_written_compactly_is_written_the_same_again() {
        let source = "a: 1\nb:\n- 1\n- - 2\n  - 3\n- c: x\n  d: 1.5\ne: {}\nf: []\ng: |\n  line\n   two\nh: |-\n  no\n  end\ni: \"yes\"\nj: '- a'\nk: 'it''s: a'\nl: \"a\\tb\"\nm: null\n\"n\": 1000000\n";
        assert_eq!(rewritten(source), source);
    }

    #[test]
    fn long_plain_texts_are_folded() {
        let words = "word ".repeat(20);
        let written = rewritten(&format!("k: {words}end"));
        assert_eq!(written.lines().count(), 2);
        assert_eq!(rewritten(&written), written);
    }
}
