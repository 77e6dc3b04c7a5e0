//! The functions that every Go template has.

use std::fmt::Write as _;

use super::compare;
use super::failure::Failure;
use crate::functions::Param::{Any, Reflect, Str};
use crate::functions::{Function, Run};
use crate::value::{Value, display, printf, text};

/// What these functions give.
type Outcome = Result<Value, Failure>;

pub(crate) const FUNCTIONS: &[Function] = &[
    Function { name: "and", params: &[Reflect], rest: Some(Reflect), run: Run::And },
    Function { name: "or", params: &[Reflect], rest: Some(Reflect), run: Run::Or },
    Function { name: "call", params: &[Reflect], rest: Some(Reflect), run: Run::Call },
    Function::new("not", &[Reflect], |values| Ok(Value::Bool(!values[0].truth()))),
    Function::new("len", &[Reflect], |values| length(&values[0])),
    Function::open("index", &[Reflect], Reflect, index),
    Function::open("html", &[], Any, |values| Ok(escape_html(&evaluated(values)).into())),
    Function::open("js", &[], Any, |values| Ok(escape_js(&evaluated(values)).into())),
    Function::open("urlquery", &[], Any, |values| Ok(escape_query(&evaluated(values)).into())),
    Function::open("print", &[], Any, |values| Ok(printf::sprint(values).into())),
    Function::open("println", &[], Any, |values| Ok(printf::sprintln(values).into())),
    Function::open("printf", &[Str], Any, |values| match values.split_first() {
        Some((Value::Str(format), values)) => Ok(printf::sprintf(format, values).into()),
        _ => Err("printf wants a format".into()),
    }),
    Function::open("eq", &[Reflect], Reflect, compare::eq),
    Function::new("ne", &[Reflect, Reflect], compare::ne),
    Function::new("lt", &[Reflect, Reflect], compare::lt),
    Function::new("le", &[Reflect, Reflect], compare::le),
    Function::new("gt", &[Reflect, Reflect], compare::gt),
    Function::new("ge", &[Reflect, Reflect], compare::ge),
];

fn length(value: &Value) -> Outcome {
    let length = match value {
        Value::Str(text) => text::len(text),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.as_slice().len(),
        Value::Map(map) => map.len(),
        Value::Nil => return Err("len of nil pointer".into()),
        Value::Invalid => return Err("reflect: call of reflect.Value.Type on zero Value".into()),
        other => return Err(format!("len of type {}", other.type_name().trim_start_matches('*')).into()),
    };
    Ok(Value::Int(length as i64))
}

fn index(values: &[Value]) -> Outcome {
    let mut item = values[0].clone();
    if item.is_nil() {
        return Err("index of untyped nil".into());
    }
    for index in &values[1..] {
        item = match &item {
            Value::Nil | Value::Invalid => return Err("index of nil pointer".into()),
            Value::Map(map) => match index {
                Value::Str(key) => map.get(key).unwrap_or_else(|| map.zero()),
                Value::Nil | Value::Invalid => return Err("value is nil; should be of type string".into()),
                other => return Err(format!("value has type {}; should be string", other.type_name()).into()),
            },
            Value::Str(text) => Value::Uint8(text::to_bytes(text)[place(index, text::len(text))?]),
            Value::Bytes(bytes) => Value::Uint8(bytes[place(index, bytes.len())?]),
            Value::List(list) => list.as_slice()[place(index, list.as_slice().len())?].clone(),
            other => return Err(format!("can't index item of type {}", other.type_name()).into()),
        };
    }
    Ok(item)
}

fn place(index: &Value, length: usize) -> Result<usize, Failure> {
    let number = match index {
        Value::Int(number) | Value::Int64(number) | Value::Duration(number) => *number,
        Value::Uint8(number) => i64::from(*number),
        Value::Nil | Value::Invalid => return Err("cannot index slice/array with nil".into()),
        other => return Err(format!("cannot index slice/array with type {}", other.type_name()).into()),
    };
    match usize::try_from(number) {
        Ok(place) if place < length => Ok(place),
        Ok(place) if place == length => Err("reflect: slice index out of range".into()),
        _ => Err(format!("index out of range: {number}").into()),
    }
}

/// The text that escaping functions work on.
fn evaluated(values: &[Value]) -> String {
    match values {
        [Value::Str(text)] => text.as_ref().into(),
        values => printf::sprint(values),
    }
}

fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\0' => out.push('\u{fffd}'),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
    out
}

fn escape_js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' => _ = write!(out, "\\u{:04X}", u32::from(character)),
            _ if u32::from(character) < 0x20
                || (!character.is_ascii() && !display::is_printable(character)) =>
            {
                _ = write!(out, "\\u{:04X}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out
}

/// `url.QueryEscape`
pub(crate) fn escape_query(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in text::to_bytes(value).iter() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(*byte))
            }
            b' ' => out.push('+'),
            other => _ = write!(out, "%{other:02X}"),
        }
    }
    out
}
