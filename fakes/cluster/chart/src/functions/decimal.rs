//! Decimal arithmetic, in which 0.1 + 0.2 is 0.3.

use super::Outcome;
use crate::template::failure::Failure;
use crate::value::Value;
use crate::value::convert::to_float;

/// `digits` times ten to the power of `exponent`.
#[derive(Clone, Copy, Debug)]
struct Decimal {
    digits: i128,
    exponent: i32,
}

/// What is done to two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// How many digits after the point a quotient has.
const QUOTIENT_DIGITS: i32 = 16;

/// The number, and then the operation with each of the others.
pub(super) fn fold(first: &Value, others: &[Value], operation: Operation) -> Outcome {
    let first = to_float(first);
    let numbers: Vec<f64> = others.iter().map(to_float).collect();
    if operation == Operation::Divide && numbers.contains(&0.0) {
        return Err("decimal division by 0".into());
    }
    if let Some(number) = numbers.iter().chain([&first]).find(|number| !number.is_finite()) {
        return Err(unfit(*number));
    }
    let exact = Decimal::of(first).and_then(|first| {
        numbers.iter().try_fold(first, |left, right| left.apply(Decimal::of(*right)?, operation))
    });
    // What does not fit is worked out as well as floats can.
    let rough = || numbers.iter().fold(first, |left, right| operation.roughly(left, *right));
    Ok(Value::Float(exact.map_or_else(rough, Decimal::float)))
}

fn unfit(number: f64) -> Failure {
    format!("Cannot create a Decimal from {}", crate::value::number::format_g(number)).into()
}

/// Whether a number is a whole multiple of another one, 0.3 being one of 0.1.
pub(crate) fn is_multiple_of(number: f64, unit: f64) -> bool {
    let exact = || {
        let (number, unit) = (Decimal::of(number)?, Decimal::of(unit)?);
        let exponent = number.exponent.min(unit.exponent);
        number.rescaled(exponent)?.checked_rem(unit.rescaled(exponent)?)
    };
    exact().map_or_else(|| number % unit == 0.0, |rest| rest == 0)
}

impl Operation {
    fn roughly(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
        }
    }
}

impl Decimal {
    /// The shortest decimal that is this float.
    fn of(number: f64) -> Option<Self> {
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e')?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}").parse().ok()?;
        let exponent: i32 = exponent.parse().ok()?;
        Some(Self { digits, exponent: exponent - i32::try_from(fraction.len()).ok()? })
    }

    /// The same number with a smaller exponent.
    fn rescaled(self, exponent: i32) -> Option<i128> {
        let power = 10_i128.checked_pow(u32::try_from(self.exponent - exponent).ok()?)?;
        self.digits.checked_mul(power)
    }

    fn apply(self, other: Self, operation: Operation) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        match operation {
            Operation::Add => Some(Self {
                digits: self.rescaled(exponent)?.checked_add(other.rescaled(exponent)?)?,
                exponent,
            }),
            Operation::Subtract => Some(Self {
                digits: self.rescaled(exponent)?.checked_sub(other.rescaled(exponent)?)?,
                exponent,
            }),
            Operation::Multiply => Some(Self {
                digits: self.digits.checked_mul(other.digits)?,
                exponent: self.exponent.checked_add(other.exponent)?,
            }),
            Operation::Divide => self.divided(other),
        }
    }

    fn divided(self, other: Self) -> Option<Self> {
        let shift = self.exponent - other.exponent + QUOTIENT_DIGITS;
        let power = 10_i128.checked_pow(shift.unsigned_abs())?;
        let (over, under) = if shift >= 0 {
            (self.digits.checked_mul(power)?, other.digits)
        } else {
            (self.digits, other.digits.checked_mul(power)?)
        };
        let (quotient, rest) = (over / under, over % under);
        let away = if (over < 0) == (under < 0) { 1 } else { -1 };
        let rounds_up = rest.checked_abs()?.checked_mul(2)? >= under.checked_abs()?;
        Some(Self { digits: quotient + if rounds_up { away } else { 0 }, exponent: -QUOTIENT_DIGITS })
    }

    fn float(self) -> f64 {
        format!("{}e{}", self.digits, self.exponent).parse().unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::{Operation, fold};
    use crate::value::Value;

    fn result(first: f64, others: &[f64], operation: Operation) -> f64 {
        let others: Vec<Value> = others.iter().copied().map(Value::Float).collect();
        match fold(&Value::Float(first), &others, operation) {
            Ok(Value::Float(number)) => number,
            other => panic!("no number but {other:?}"),
        }
    }

    #[test]
    fn decimals_have_no_rounding_errors_of_floats() {
        assert_eq!(result(0.1, &[0.2], Operation::Add), 0.3);
        assert_eq!(result(0.3, &[0.1], Operation::Subtract), 0.2);
        assert_eq!(result(1.1, &[1.1], Operation::Multiply), 1.21);
        assert_eq!(result(1.0, &[3.0], Operation::Divide), 0.333_333_333_333_333_3);
        assert_eq!(result(1e10, &[1e11], Operation::Multiply), 1e21);
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        assert!(fold(&Value::Int(1), &[Value::Int(0)], Operation::Divide).is_err());
    }
}
