//! Dates.

use super::Param::{Any, Str, Time};
use super::time::{Moment, display_duration, parse, parse_duration, parse_or_complain};
use super::{Function, Outcome, World, text};
use crate::value::number::parse_int;
use crate::value::{Value, display};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::world("now", &[], |world, _| Ok(Value::Time(world.now.clone()))),
    Function::world("date", &[Str, Any], |world, values| format_in(world, &values[0], &values[1], "Local")),
    Function::world("dateInZone", &[Str, Any, Str], date_in_zone),
    Function::world("date_in_zone", &[Str, Any, Str], date_in_zone),
    Function::world("htmlDate", &[Any], |world, values| {
        format_in(world, &"2006-01-02".into(), &values[0], "Local")
    }),
    Function::world("htmlDateInZone", &[Any, Str], |world, values| {
        format_in(world, &"2006-01-02".into(), &values[0], text(&values[1]))
    }),
    Function::new("dateModify", &[Str, Time], |values| {
        Ok(modify(values).unwrap_or_else(|| values[1].clone()))
    }),
    Function::new("date_modify", &[Str, Time], |values| {
        Ok(modify(values).unwrap_or_else(|| values[1].clone()))
    }),
    Function::new("mustDateModify", &[Str, Time], must_modify),
    Function::new("must_date_modify", &[Str, Time], must_modify),
    Function::new("toDate", &[Str, Str], |values| {
        Ok(Value::Time(parse(text(&values[0]), text(&values[1])).unwrap_or_else(Moment::zero)))
    }),
    Function::new("mustToDate", &[Str, Str], |values| {
        Ok(Value::Time(parse_or_complain(text(&values[0]), text(&values[1]))?))
    }),
    Function::new("unixEpoch", &[Time], |values| match &values[0] {
        Value::Time(moment) => Ok(moment.timestamp.as_second().to_string().into()),
        _ => Err("unixEpoch wants a time".into()),
    }),
    Function::world("ago", &[Any], |world, values| {
        let passed = world.now.timestamp.as_second() - moment_of(world, &values[0]).timestamp.as_second();
        Ok(display_duration(passed.saturating_mul(1_000_000_000)).into())
    }),
    Function::new("duration", &[Any], |values| {
        let seconds = match &values[0] {
            Value::Str(text) => parse_int(text, 10).unwrap_or(0),
            Value::Int64(seconds) => *seconds,
            _ => 0,
        };
        Ok(display_duration(seconds.saturating_mul(1_000_000_000)).into())
    }),
    Function::world("durationRound", &[Any], |world, values| {
        let nanos = match &values[0] {
            Value::Str(text) => parse_duration(text).unwrap_or(0),
            Value::Int64(nanos) => *nanos,
            Value::Time(moment) => {
                world.now.timestamp.as_nanosecond().saturating_sub(moment.timestamp.as_nanosecond()) as i64
            }
            _ => 0,
        };
        Ok(rounded(nanos.unsigned_abs()).into())
    }),
];

fn moment_of(world: &World<'_>, value: &Value) -> Moment {
    match value {
        Value::Time(moment) => moment.clone(),
        Value::Int(seconds) | Value::Int64(seconds) => Moment::from_unix(*seconds),
        _ => world.now.clone(),
    }
}

fn format_in(world: &World<'_>, layout: &Value, value: &Value, zone: &str) -> Outcome {
    Ok(moment_of(world, value).within(zone).format(text(layout)).into())
}

fn date_in_zone(world: &World<'_>, values: &[Value]) -> Outcome {
    format_in(world, &values[0], &values[1], text(&values[2]))
}

fn modify(values: &[Value]) -> Option<Value> {
    match (&values[1], parse_duration(text(&values[0]))) {
        (Value::Time(moment), Some(nanos)) => Some(Value::Time(moment.plus(nanos))),
        _ => None,
    }
}

fn must_modify(values: &[Value]) -> Outcome {
    modify(values)
        .ok_or_else(|| format!("time: invalid duration {}", display::quote(text(&values[0]))).into())
}

fn rounded(nanos: u64) -> String {
    const SECOND: u64 = 1_000_000_000;
    let units = [
        ("y", SECOND * 3600 * 24 * 365),
        ("mo", SECOND * 3600 * 24 * 30),
        ("d", SECOND * 3600 * 24),
        ("h", SECOND * 3600),
        ("m", SECOND * 60),
        ("s", SECOND),
    ];
    match units.iter().find(|(_, size)| nanos > *size) {
        Some((name, size)) => format!("{}{name}", nanos / size),
        None => "0s".into(),
    }
}
