//! Turns nodes into values: what a plain text means, and what JSON makes of it.

use std::rc::Rc;

use super::parse::{Node, parse};
use super::scan::Plain;
use crate::value::number::{format_g, parse_float, parse_int, parse_uint};
use crate::value::{Map, Value, display, text};

/// What a plain text stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Meaning {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text,
    Timestamp,
}

/// What an unquoted text means.
pub(super) fn meaning(plain: &str) -> Meaning {
    match plain {
        "" | "~" | "null" | "Null" | "NULL" => return Meaning::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Meaning::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Meaning::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Meaning::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Meaning::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Meaning::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match plain.as_bytes().first() {
        Some(b'.') => parse_float(plain).map_or(Meaning::Text, Meaning::Float),
        Some(b'+' | b'-' | b'0'..=b'9') => number(plain),
        _ => Meaning::Text,
    }
}

fn number(plain: &str) -> Meaning {
    if is_timestamp(plain) {
        return Meaning::Timestamp;
    }
    let digits = plain.replace('_', "");
    if let Ok(int) = parse_int(&digits, 0) {
        return Meaning::Int(int);
    }
    if let Ok(uint) = parse_uint(&digits, 0) {
        return Meaning::Uint(uint);
    }
    if looks_like_float(&digits)
        && let Some(float) = parse_float(&digits)
    {
        return Meaning::Float(float);
    }
    Meaning::Text
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn looks_like_float(text: &str) -> bool {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (body, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_ok = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_ok
}

fn is_timestamp(text: &str) -> bool {
    let year = text.bytes().take_while(u8::is_ascii_digit).count();
    if year != 4 || text.as_bytes().get(4) != Some(&b'-') {
        return false;
    }
    [
        "2006-1-2T15:4:5.999999999Z07:00",
        "2006-1-2t15:4:5.999999999Z07:00",
        "2006-1-2 15:4:5.999999999",
        "2006-1-2",
    ]
    .iter()
    .any(|layout| crate::functions::time::parse(layout, text).is_some())
}

const CONVERTING: &str = "error converting YAML to JSON";

/// What whole numbers become.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whole {
    Float,
    Int,
}

/// The first document of a text with JSON's types: every number is a float.
pub(crate) fn unmarshal(source: &str) -> Result<Value, String> {
    read(source, Whole::Float)
}

/// The same, but whole numbers stay whole.
pub(crate) fn unmarshal_whole(source: &str) -> Result<Value, String> {
    read(source, Whole::Int)
}

fn read(source: &str, whole: Whole) -> Result<Value, String> {
    let root = parse(source).map_err(|error| format!("{CONVERTING}: {}", error.0))?;
    let Some(root) = root else {
        return Ok(Value::Nil);
    };
    whole.value(&root).map_err(|error| format!("{CONVERTING}: {error}"))
}

impl Whole {
    fn value(self, node: &Node) -> Result<Value, String> {
        match node {
            Node::Alias(target) => self.value(target),
            Node::Sequence(items) => {
                Ok(Value::list(items.iter().map(|item| self.value(item)).collect::<Result<Vec<_>, _>>()?))
            }
            Node::Mapping(entries) => {
                let map = Map::empty();
                self.fill(&map, entries)?;
                Ok(map.into())
            }
            Node::Scalar { text, tag, plain } => {
                let value = scalar(text, tag.as_deref(), *plain)?;
                Ok(match value {
                    Value::Int64(number) if self == Self::Float => Value::Float(number as f64),
                    other => other,
                })
            }
        }
    }

    fn fill(self, map: &Map, entries: &[(Rc<Node>, Rc<Node>)]) -> Result<(), String> {
        for (key, entry) in entries {
            if is_merge(key) {
                self.merge(map, entry)?;
            } else {
                let value = self.value(entry)?;
                map.insert(key_text(key, &value)?, value);
            }
        }
        Ok(())
    }

    fn merge(self, map: &Map, from: &Node) -> Result<(), String> {
        const WANTS: &str = "yaml: map merge requires map or sequence of maps as the value";
        match from.target() {
            Node::Mapping(entries) => self.fill(map, entries),
            Node::Sequence(items) if matches!(from, Node::Sequence(_)) => {
                for item in items.iter().rev() {
                    let Node::Mapping(entries) = item.target() else {
                        return Err(WANTS.into());
                    };
                    self.fill(map, entries)?;
                }
                Ok(())
            }
            _ => Err(WANTS.into()),
        }
    }
}

fn is_merge(key: &Node) -> bool {
    matches!(key, Node::Scalar { text, tag, plain }
        if text == "<<" && (*plain == Plain::Yes || tag.as_deref() == Some("tag:yaml.org,2002:merge")))
}

/// Keys of JSON are texts.
fn key_text(key: &Node, value: &Value) -> Result<String, String> {
    let Node::Scalar { text, tag, plain } = key.target() else {
        return Err("yaml: invalid map key: map[interface {}]interface {}{}".into());
    };
    if *plain == Plain::No && tag.is_none() {
        return Ok(text.clone());
    }
    Ok(match meaning_of(text, tag.as_deref())? {
        Meaning::Null => {
            let shown = display::syntax(value);
            return Err(format!("unsupported map key of type: %!s(<nil>), key: <nil>, value: {shown}"));
        }
        Meaning::Bool(flag) => flag.to_string(),
        Meaning::Int(number) => number.to_string(),
        Meaning::Uint(number) => number.to_string(),
        Meaning::Float(number) if number.is_nan() => ".nan".into(),
        Meaning::Float(number) if number.is_infinite() => if number > 0.0 { ".inf" } else { "-.inf" }.into(),
        Meaning::Float(number) => short_float(number),
        Meaning::Text | Meaning::Timestamp => text.clone(),
    })
}

/// A float of 32 bits in its shortest form.
fn short_float(number: f64) -> String {
    let short: f64 = format!("{}", number as f32).parse().unwrap_or(number);
    format_g(short)
}

/// What a text means under its tag.
fn meaning_of(text: &str, tag: Option<&str>) -> Result<Meaning, String> {
    let Some(tag) = tag else {
        return Ok(meaning(text));
    };
    let Some(short) = tag.strip_prefix("tag:yaml.org,2002:") else {
        return Ok(Meaning::Text);
    };
    let found = meaning(text);
    match (short, found) {
        ("str", _) => Ok(Meaning::Text),
        ("bool", found @ Meaning::Bool(_))
        | ("int", found @ (Meaning::Int(_) | Meaning::Uint(_)))
        | ("float", found @ Meaning::Float(_))
        | ("null", found @ Meaning::Null)
        | ("timestamp", found @ Meaning::Timestamp) => Ok(found),
        ("float", Meaning::Int(number)) => Ok(Meaning::Float(number as f64)),
        ("bool" | "int" | "float" | "null" | "timestamp", found) => {
            let kind = match found {
                Meaning::Null => "null",
                Meaning::Bool(_) => "bool",
                Meaning::Int(_) | Meaning::Uint(_) => "int",
                Meaning::Float(_) => "float",
                Meaning::Text => "str",
                Meaning::Timestamp => "timestamp",
            };
            Err(format!("yaml: cannot decode !!{kind} `{text}` as a !!{short}"))
        }
        _ => Ok(Meaning::Text),
    }
}

fn scalar(text: &str, tag: Option<&str>, plain: Plain) -> Result<Value, String> {
    if tag.is_none() && plain == Plain::No {
        return Ok(json_text(text));
    }
    if tag == Some("tag:yaml.org,2002:binary") {
        return binary(text);
    }
    Ok(match meaning_of(text, tag)? {
        Meaning::Null => Value::Nil,
        Meaning::Bool(flag) => Value::Bool(flag),
        Meaning::Int(number) => Value::Int64(number),
        Meaning::Uint(number) => Value::Float(number as f64),
        Meaning::Float(number) if !number.is_finite() => {
            return Err(format!("json: unsupported value: {}", format_g(number)));
        }
        Meaning::Float(number) => Value::Float(number),
        Meaning::Text | Meaning::Timestamp => json_text(text),
    })
}

/// JSON knows no bytes that are not UTF-8.
fn json_text(value: &str) -> Value {
    if text::is_utf8(value) {
        return value.into();
    }
    let cleaned: String = value
        .chars()
        .map(|character| if text::stray_byte(character).is_some() { '\u{fffd}' } else { character })
        .collect();
    cleaned.into()
}

fn binary(encoded: &str) -> Result<Value, String> {
    use base64::Engine as _;
    let compact: String = encoded.chars().filter(|character| !matches!(character, '\n' | '\r')).collect();
    match base64::engine::general_purpose::STANDARD.decode(compact) {
        Ok(bytes) => Ok(json_text(&text::from_bytes(&bytes))),
        Err(_) => Err("yaml: !!binary value contains invalid base64 data".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::unmarshal;
    use crate::value::{Value, display};

    fn shown(source: &str) -> String {
        match unmarshal(source) {
            Ok(value) => display::plain(&value),
            Err(message) => message,
        }
    }

    #[test]
    fn plain_texts_mean_what_yaml_1_1_says() {
        let source =
            "a: yes\nb: 0777\nc: 1_000\nd: 1e3\ne: 2020-01-01\nf: ~\ng: 'no'\nh: 0x1F\ni: .5\nj: 1.2.3\n";
        assert_eq!(
            shown(source),
            "map[a:true b:511 c:1000 d:1000 e:2020-01-01 f:<nil> g:no h:31 i:0.5 j:1.2.3]"
        );
    }

    #[test]
    fn blocks_flows_anchors_and_merges_are_understood() {
        let source = "base: &b {x: 1, z: [2, 3]}\nover:\n  <<: *b\n  x: 9\nlit: |\n  a\n   b\n\nfold: >-\n  a\n  b\n\n  c\nseq:\n- 1\n- - 2\n  - k: v\n    l: w\n";
        assert_eq!(
            shown(source),
            "map[base:map[x:1 z:[2 3]] fold:a b\nc lit:a\n b\n over:map[x:9 z:[2 3]] seq:[1 [2 map[k:v l:w]]]]"
        );
    }

    #[test]
    fn mistakes_are_told_in_the_words_of_the_go_library() {
        assert_eq!(
            shown("a: b: c"),
            "error converting YAML to JSON: yaml: mapping values are not allowed in this context"
        );
        assert_eq!(
            shown("a: 1\n  b: 2\n"),
            "error converting YAML to JSON: yaml: line 2: mapping values are not allowed in this context"
        );
        assert_eq!(
            shown("a:\n  - b\n  c: d\n"),
            "error converting YAML to JSON: yaml: line 2: did not find expected '-' indicator"
        );
        assert_eq!(
            shown("a: {b\nc: d\n"),
            "error converting YAML to JSON: yaml: line 1: did not find expected ',' or '}'"
        );
        assert_eq!(
            shown("a: 1\nb: @x\n"),
            "error converting YAML to JSON: yaml: line 2: found character that cannot start any token"
        );
        assert!(matches!(unmarshal(""), Ok(Value::Nil)));
    }
}
