//! Helm's own functions for lengths of time.

use super::Param::Any;
use super::time::parse_duration;
use super::{Function, Outcome};
use crate::template::failure::Failure;
use crate::value::{Value, display, number};

const SECOND: f64 = 1e9;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("mustToDuration", &[Any], |values| Ok(Value::Duration(nanos(&values[0])?))),
    Function::new("durationSeconds", &[Any], |values| in_units(values, SECOND)),
    Function::new("durationMinutes", &[Any], |values| in_units(values, SECOND * 60.0)),
    Function::new("durationHours", &[Any], |values| in_units(values, SECOND * 3600.0)),
    Function::new("durationDays", &[Any], |values| in_units(values, SECOND * 86_400.0)),
    Function::new("durationWeeks", &[Any], |values| in_units(values, SECOND * 604_800.0)),
    Function::new("durationMilliseconds", &[Any], |values| whole_units(values, 1_000_000)),
    Function::new("durationMicroseconds", &[Any], |values| whole_units(values, 1_000)),
    Function::new("durationNanoseconds", &[Any], |values| whole_units(values, 1)),
    Function::new("durationRoundTo", &[Any, Any], |values| {
        Ok(to_multiple(values, |length, multiple| {
            let rest = length % multiple;
            let down = length - rest;
            if rest.abs().saturating_mul(2) < multiple { down } else { down + multiple * length.signum() }
        }))
    }),
    Function::new("durationTruncateTo", &[Any, Any], |values| {
        Ok(to_multiple(values, |length, multiple| length - length % multiple))
    }),
];

fn nanos(value: &Value) -> Result<i64, Failure> {
    match value {
        Value::Duration(nanos) => Ok(*nanos),
        Value::Str(text) if text.trim().is_empty() => Err("empty duration".into()),
        Value::Str(text) => {
            let trimmed = text.trim();
            let seconds = || number::parse_float(trimmed).map(|seconds| (seconds * SECOND) as i64);
            parse_duration(trimmed)
                .or_else(seconds)
                .ok_or_else(|| format!("could not parse duration {}", display::quote(text)).into())
        }
        Value::Int(seconds) | Value::Int64(seconds) => seconds
            .checked_mul(1_000_000_000)
            .ok_or_else(|| format!("duration seconds overflow: {seconds}").into()),
        Value::Uint8(seconds) => Ok(i64::from(*seconds) * 1_000_000_000),
        Value::Float(seconds) => Ok((seconds * SECOND) as i64),
        Value::Nil | Value::Invalid => Err("invalid duration".into()),
        other => Err(format!("unsupported duration type {}", other.type_name()).into()),
    }
}

fn in_units(values: &[Value], unit: f64) -> Outcome {
    Ok(Value::Float(nanos(&values[0]).map_or(0.0, |nanos| nanos as f64 / unit)))
}

fn whole_units(values: &[Value], unit: i64) -> Outcome {
    Ok(Value::Int64(nanos(&values[0]).map_or(0, |nanos| nanos / unit)))
}

fn to_multiple(values: &[Value], change: fn(i64, i64) -> i64) -> Value {
    let (Ok(length), multiple) = (nanos(&values[0]), nanos(&values[1])) else {
        return Value::Duration(0);
    };
    Value::Duration(
        multiple.ok().filter(|multiple| *multiple > 0).map_or(length, |multiple| change(length, multiple)),
    )
}
