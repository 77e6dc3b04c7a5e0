//! Numbers.

use super::Param::{Any, Float, Int, Str};
use super::decimal::{self, Operation};
use super::{Function, Outcome, int, text};
use crate::value::convert::{to_float, to_int};
use crate::value::number::parse_int;
use crate::value::{Element, List, Value, display};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("atoi", &[Str], |values| Ok(Value::Int(parse_int(text(&values[0]), 10).unwrap_or(0)))),
    Function::new("int", &[Any], |values| Ok(Value::Int(to_int(&values[0])))),
    Function::new("int64", &[Any], |values| Ok(Value::Int64(to_int(&values[0])))),
    Function::new("float64", &[Any], |values| Ok(Value::Float(to_float(&values[0])))),
    Function::new("toDecimal", &[Any], |values| {
        Ok(Value::Int64(parse_int(&display::plain(&values[0]), 8).unwrap_or(0)))
    }),
    Function::new("add1", &[Any], |values| Ok(Value::Int64(to_int(&values[0]).wrapping_add(1)))),
    Function::open("add", &[], Any, |values| {
        Ok(Value::Int64(values.iter().map(to_int).fold(0, i64::wrapping_add)))
    }),
    Function::new("sub", &[Any, Any], |values| {
        Ok(Value::Int64(to_int(&values[0]).wrapping_sub(to_int(&values[1]))))
    }),
    Function::new("div", &[Any, Any], |values| divide(values, i64::wrapping_div)),
    Function::new("mod", &[Any, Any], |values| divide(values, i64::wrapping_rem)),
    Function::open("mul", &[Any], Any, |values| {
        Ok(Value::Int64(values.iter().map(to_int).fold(1, i64::wrapping_mul)))
    }),
    Function::open("max", &[Any], Any, |values| Ok(largest(values))),
    Function::open("biggest", &[Any], Any, |values| Ok(largest(values))),
    Function::open("min", &[Any], Any, |values| {
        Ok(Value::Int64(values.iter().map(to_int).min().unwrap_or(0)))
    }),
    Function::open("maxf", &[Any], Any, |values| {
        Ok(Value::Float(values.iter().map(to_float).fold(f64::NEG_INFINITY, f64::max)))
    }),
    Function::open("minf", &[Any], Any, |values| {
        Ok(Value::Float(values.iter().map(to_float).fold(f64::INFINITY, f64::min)))
    }),
    Function::new("floor", &[Any], |values| Ok(Value::Float(to_float(&values[0]).floor()))),
    Function::new("ceil", &[Any], |values| Ok(Value::Float(to_float(&values[0]).ceil()))),
    Function::open("round", &[Any, Int], Float, round),
    Function::new("add1f", &[Any], |values| decimal::fold(&values[0], &[Value::Int(1)], Operation::Add)),
    Function::open("addf", &[], Any, |values| decimal::fold(&Value::Int(0), values, Operation::Add)),
    Function::open("subf", &[Any], Any, |values| {
        decimal::fold(&values[0], &values[1..], Operation::Subtract)
    }),
    Function::open("divf", &[Any], Any, |values| decimal::fold(&values[0], &values[1..], Operation::Divide)),
    Function::open("mulf", &[Any], Any, |values| {
        decimal::fold(&values[0], &values[1..], Operation::Multiply)
    }),
    Function::new("until", &[Int], |values| {
        let count = int(&values[0]);
        Ok(int_list(&steps(0, count, if count < 0 { -1 } else { 1 })))
    }),
    Function::new("untilStep", &[Int, Int, Int], |values| {
        Ok(int_list(&steps(int(&values[0]), int(&values[1]), int(&values[2]))))
    }),
    Function::open("seq", &[], Int, |values| Ok(sequence(values).into())),
];

fn divide(values: &[Value], operation: fn(i64, i64) -> i64) -> Outcome {
    let divisor = to_int(&values[1]);
    if divisor == 0 {
        return Err("runtime error: integer divide by zero".into());
    }
    Ok(Value::Int64(operation(to_int(&values[0]), divisor)))
}

fn largest(values: &[Value]) -> Value {
    Value::Int64(values.iter().map(to_int).max().unwrap_or(0))
}

fn round(values: &[Value]) -> Outcome {
    let from = values.get(2).map_or(0.5, to_float);
    let power = 10_f64.powf(int(&values[1]) as f64);
    let digit = power * to_float(&values[0]);
    let rounded = if digit.fract() >= from { digit.ceil() } else { digit.floor() };
    Ok(Value::Float(rounded / power))
}

fn steps(start: i64, stop: i64, step: i64) -> Vec<i64> {
    let mut numbers = Vec::new();
    let mut number = start;
    let up = stop >= start;
    if (up && step <= 0) || (!up && step >= 0) {
        return numbers;
    }
    while (up && number < stop) || (!up && number > stop) {
        numbers.push(number);
        number += step;
    }
    numbers
}

fn int_list(numbers: &[i64]) -> Value {
    Value::List(List::new(Element::Int, numbers.iter().copied().map(Value::Int).collect()))
}

fn sequence(values: &[Value]) -> String {
    let numbers: Vec<i64> = values.iter().map(int).collect();
    let found = match *numbers.as_slice() {
        [end] => {
            let step = if end < 1 { -1 } else { 1 };
            steps(1, end + step, step)
        }
        [start, end] => {
            let step = if end < start { -1 } else { 1 };
            steps(start, end + step, step)
        }
        [start, step, end] => {
            if end < start && step > 0 {
                return String::new();
            }
            steps(start, end + if end < start { -1 } else { 1 }, step)
        }
        _ => Vec::new(),
    };
    found.iter().map(i64::to_string).collect::<Vec<_>>().join(" ")
}
