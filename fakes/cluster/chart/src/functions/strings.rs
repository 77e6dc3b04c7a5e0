//! Strings.

use super::Param::{Any, Int, Str};
use super::{Function, Outcome, int, text};
use crate::value::{Map, MapKind, Value, convert, display, text as bytes};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("toString", &[Any], |values| Ok(convert::to_text(&values[0]).into())),
    Function::new("trim", &[Str], |values| Ok(text(&values[0]).trim().into())),
    Function::new("trimAll", &[Str, Str], |values| Ok(trim_all(values))),
    Function::new("trimall", &[Str, Str], |values| Ok(trim_all(values))),
    Function::new("trimSuffix", &[Str, Str], |values| {
        let (suffix, value) = (text(&values[0]), text(&values[1]));
        Ok(value.strip_suffix(suffix).unwrap_or(value).into())
    }),
    Function::new("trimPrefix", &[Str, Str], |values| {
        let (prefix, value) = (text(&values[0]), text(&values[1]));
        Ok(value.strip_prefix(prefix).unwrap_or(value).into())
    }),
    Function::new("upper", &[Str], |values| Ok(map_characters(text(&values[0]), char::to_uppercase))),
    Function::new("lower", &[Str], |values| Ok(map_characters(text(&values[0]), char::to_lowercase))),
    Function::new("trunc", &[Int, Str], |values| Ok(truncate(int(&values[0]), text(&values[1])).into())),
    Function::new("substr", &[Int, Int, Str], substring),
    Function::new("repeat", &[Int, Str], |values| match usize::try_from(int(&values[0])) {
        Ok(count) => Ok(text(&values[1]).repeat(count).into()),
        Err(_) => Err("strings: negative Repeat count".into()),
    }),
    Function::new("nospace", &[Str], |values| {
        Ok(text(&values[0]).split_whitespace().collect::<String>().into())
    }),
    Function::new("contains", &[Str, Str], |values| {
        Ok(Value::Bool(text(&values[1]).contains(text(&values[0]))))
    }),
    Function::new("hasPrefix", &[Str, Str], |values| {
        Ok(Value::Bool(text(&values[1]).starts_with(text(&values[0]))))
    }),
    Function::new("hasSuffix", &[Str, Str], |values| {
        Ok(Value::Bool(text(&values[1]).ends_with(text(&values[0]))))
    }),
    Function::open("quote", &[], Any, |values| {
        Ok(joined(values, |value| display::quote(&convert::to_text(value))))
    }),
    Function::open("squote", &[], Any, |values| {
        Ok(joined(values, |value| format!("'{}'", display::plain(value))))
    }),
    Function::open("cat", &[], Any, |values| Ok(joined(values, display::plain))),
    Function::new("indent", &[Int, Str], |values| Ok(indent(values)?.into())),
    Function::new("nindent", &[Int, Str], |values| Ok(format!("\n{}", indent(values)?).into())),
    Function::new("replace", &[Str, Str, Str], |values| {
        Ok(text(&values[2]).replace(text(&values[0]), text(&values[1])).into())
    }),
    Function::new("plural", &[Str, Str, Int], |values| Ok(values[usize::from(int(&values[2]) != 1)].clone())),
    Function::new("split", &[Str, Str], |values| {
        Ok(numbered(&split_list(text(&values[1]), text(&values[0]), -1)))
    }),
    Function::new("splitList", &[Str, Str], |values| {
        Ok(Value::strings(split_list(text(&values[1]), text(&values[0]), -1)))
    }),
    Function::new("splitn", &[Str, Int, Str], |values| {
        Ok(numbered(&split_list(text(&values[2]), text(&values[0]), int(&values[1]))))
    }),
];

fn trim_all(values: &[Value]) -> Value {
    let set: Vec<char> = text(&values[0]).chars().collect();
    text(&values[1]).trim_matches(set.as_slice()).into()
}

/// Go maps each character to one character.
fn map_characters<I: Iterator<Item = char>>(value: &str, map: fn(char) -> I) -> Value {
    let mapped: String = value
        .chars()
        .map(|character| {
            let mut all = map(character);
            match (all.next(), all.next()) {
                (Some(single), None) => single,
                _ => character,
            }
        })
        .collect();
    mapped.into()
}

fn truncate(count: i64, value: &str) -> String {
    let length = bytes::len(value);
    match usize::try_from(count) {
        Ok(count) if count < length => bytes::cut(value, 0, count),
        Err(_) if (count.unsigned_abs() as usize) < length => {
            bytes::cut(value, length - count.unsigned_abs() as usize, length)
        }
        _ => value.into(),
    }
}

fn substring(values: &[Value]) -> Outcome {
    let (start, end, value) = (int(&values[0]), int(&values[1]), text(&values[2]));
    let length = bytes::len(value) as i64;
    let (from, to) = if start < 0 {
        (0, end)
    } else if end < 0 || end > length {
        (start, length)
    } else {
        (start, end)
    };
    if from > to || to > length || to < 0 {
        let shown = if to > length || to < 0 {
            format!(":{to}] with length {length}")
        } else {
            format!("{from}:{to}]")
        };
        return Err(format!("runtime error: slice bounds out of range [{shown}").into());
    }
    Ok(bytes::cut(value, from as usize, to as usize).into())
}

/// What is not nil, in one line.
fn joined(values: &[Value], show: impl Fn(&Value) -> String) -> Value {
    values.iter().filter(|value| !value.is_nil()).map(show).collect::<Vec<_>>().join(" ").into()
}

fn indent(values: &[Value]) -> Result<String, crate::template::failure::Failure> {
    let Ok(spaces) = usize::try_from(int(&values[0])) else {
        return Err("strings: negative Repeat count".into());
    };
    let pad = " ".repeat(spaces);
    Ok(format!("{pad}{}", text(&values[1]).replace('\n', &format!("\n{pad}"))))
}

/// `strings.SplitN`
pub(super) fn split_list(value: &str, separator: &str, count: i64) -> Vec<String> {
    let parts: Vec<String> = if separator.is_empty() {
        value.chars().map(String::from).collect()
    } else {
        value.split(separator).map(String::from).collect()
    };
    match usize::try_from(count) {
        Ok(0) => Vec::new(),
        Ok(count) if parts.len() > count => {
            let mut cut = parts[..count - 1].to_vec();
            cut.push(parts[count - 1..].join(separator));
            cut
        }
        _ => parts,
    }
}

fn numbered(parts: &[String]) -> Value {
    let entries = parts.iter().enumerate();
    let entries =
        entries.map(|(index, part)| (format!("_{index}").into(), Value::from(part.as_str()))).collect();
    Map::new(MapKind::Strings, entries).into()
}
