//! Lists.

use super::Param::{Any, Int, Str};
use super::defaults::is_set;
use super::{Function, Outcome, int};
use crate::template::failure::Failure;
use crate::value::equal::deep_equal;
use crate::value::{Element, List, Value, convert, text};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::open("list", &[], Any, |values| Ok(Value::list(values.to_vec()))),
    Function::open("tuple", &[], Any, |values| Ok(Value::list(values.to_vec()))),
    Function::new("append", &[Any, Any], append),
    Function::new("push", &[Any, Any], append),
    Function::new("mustAppend", &[Any, Any], append),
    Function::new("mustPush", &[Any, Any], append),
    Function::new("prepend", &[Any, Any], prepend),
    Function::new("mustPrepend", &[Any, Any], prepend),
    Function::new("first", &[Any], first),
    Function::new("mustFirst", &[Any], first),
    Function::new("last", &[Any], last),
    Function::new("mustLast", &[Any], last),
    Function::new("rest", &[Any], rest),
    Function::new("mustRest", &[Any], rest),
    Function::new("initial", &[Any], initial),
    Function::new("mustInitial", &[Any], initial),
    Function::new("reverse", &[Any], reverse),
    Function::new("mustReverse", &[Any], reverse),
    Function::new("compact", &[Any], compact),
    Function::new("mustCompact", &[Any], compact),
    Function::new("uniq", &[Any], uniq),
    Function::new("mustUniq", &[Any], uniq),
    Function::open("without", &[Any], Any, without),
    Function::open("mustWithout", &[Any], Any, without),
    Function::new("has", &[Any, Any], has),
    Function::new("mustHas", &[Any, Any], has),
    Function::open("slice", &[Any], Any, slice),
    Function::open("mustSlice", &[Any], Any, slice),
    Function::open("concat", &[], Any, concat),
    Function::new("chunk", &[Int, Any], chunk),
    Function::new("mustChunk", &[Int, Any], chunk),
    Function::new("sortAlpha", &[Any], sort_alpha),
    Function::new("toStrings", &[Any], |values| Ok(Value::strings(convert::to_texts(&values[0])))),
    Function::new("join", &[Str, Any], |values| {
        Ok(convert::to_texts(&values[1]).join(super::text(&values[0])).into())
    }),
];

const NIL_TYPE: &str = "runtime error: invalid memory address or nil pointer dereference";

/// The elements of a list, or what Sprig says about anything else.
fn elements(value: &Value, complaint: &str) -> Result<Vec<Value>, Failure> {
    if value.is_nil() {
        return Err(NIL_TYPE.into());
    }
    value.elements().ok_or_else(|| format!("{complaint} {}", value.kind_name()).into())
}

fn append(values: &[Value]) -> Outcome {
    let mut items = elements(&values[0], "Cannot push on type")?;
    items.push(values[1].clone());
    Ok(Value::list(items))
}

fn prepend(values: &[Value]) -> Outcome {
    let mut items = elements(&values[0], "Cannot prepend on type")?;
    items.insert(0, values[1].clone());
    Ok(Value::list(items))
}

fn first(values: &[Value]) -> Outcome {
    Ok(elements(&values[0], "Cannot find first on type")?.first().cloned().unwrap_or(Value::Nil))
}

fn last(values: &[Value]) -> Outcome {
    Ok(elements(&values[0], "Cannot find last on type")?.last().cloned().unwrap_or(Value::Nil))
}

/// A list, nil if what it was taken from has no elements.
fn part(items: Option<&[Value]>) -> Value {
    items.map_or_else(|| Value::List(List::nil(Element::Any)), |items| Value::list(items.to_vec()))
}

fn rest(values: &[Value]) -> Outcome {
    let items = elements(&values[0], "Cannot find rest on type")?;
    Ok(part(items.split_first().map(|(_, rest)| rest)))
}

fn initial(values: &[Value]) -> Outcome {
    let items = elements(&values[0], "Cannot find initial on type")?;
    Ok(part(items.split_last().map(|(_, initial)| initial)))
}

fn reverse(values: &[Value]) -> Outcome {
    let mut items = elements(&values[0], "Cannot find reverse on type")?;
    items.reverse();
    Ok(Value::list(items))
}

fn compact(values: &[Value]) -> Outcome {
    let mut items = elements(&values[0], "Cannot compact on type")?;
    items.retain(is_set);
    Ok(Value::list(items))
}

fn contains(items: &[Value], wanted: &Value) -> bool {
    items.iter().any(|item| deep_equal(item, wanted))
}

fn uniq(values: &[Value]) -> Outcome {
    let mut kept: Vec<Value> = Vec::new();
    for item in elements(&values[0], "Cannot find uniq on type")? {
        if !contains(&kept, &item) {
            kept.push(item);
        }
    }
    Ok(Value::list(kept))
}

fn without(values: &[Value]) -> Outcome {
    let mut items = elements(&values[0], "Cannot find without on type")?;
    items.retain(|item| !contains(&values[1..], item));
    Ok(Value::list(items))
}

fn has(values: &[Value]) -> Outcome {
    if values[1].is_nil() {
        return Ok(Value::Bool(false));
    }
    let items = elements(&values[1], "Cannot find has on type")?;
    Ok(Value::Bool(contains(&items, &values[0])))
}

fn slice(values: &[Value]) -> Outcome {
    let list = &values[0];
    let items = elements(list, "list should be type of slice or array but")?;
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let start = values.get(1).map_or(0, convert::to_int);
    let end = values.get(2).map_or(items.len() as i64, convert::to_int);
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let Some(range) = range.filter(|(start, end)| start <= end && *end <= items.len()) else {
        return Err("reflect.Value.Slice: slice index out of bounds".into());
    };
    let cut = items[range.0..range.1].to_vec();
    Ok(match list {
        Value::List(list) => Value::List(List::new(list.element, cut)),
        Value::Bytes(bytes) => Value::Bytes(bytes[range.0..range.1].into()),
        _ => Value::list(cut),
    })
}

fn concat(values: &[Value]) -> Outcome {
    let mut all = Vec::new();
    for value in values {
        if value.is_nil() {
            return Err(NIL_TYPE.into());
        }
        match value.elements() {
            Some(mut items) => all.append(&mut items),
            None => return Err(format!("Cannot concat type {} as list", value.kind_name()).into()),
        }
    }
    Ok(if all.is_empty() { Value::List(List::nil(Element::Any)) } else { Value::list(all) })
}

fn chunk(values: &[Value]) -> Outcome {
    let items = elements(&values[1], "Cannot chunk type")?;
    let size = usize::try_from(int(&values[0])).unwrap_or(0);
    if size == 0 {
        return Err("runtime error: makeslice: len out of range".into());
    }
    let chunks = items.chunks(size).map(|chunk| Value::list(chunk.to_vec())).collect();
    Ok(Value::List(List::new(Element::AnyList, chunks)))
}

fn sort_alpha(values: &[Value]) -> Outcome {
    if values[0].elements().is_none() {
        return Ok(Value::strings([convert::to_text(&values[0])]));
    }
    let mut texts = convert::to_texts(&values[0]);
    texts.sort_by(|left, right| text::to_bytes(left).cmp(&text::to_bytes(right)));
    Ok(Value::strings(texts))
}
