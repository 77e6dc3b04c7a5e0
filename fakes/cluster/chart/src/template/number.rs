//! Number constants, which are of whatever type their place asks for.

use super::unquote::unquote_char;
use crate::value::number::{parse_float, parse_int, parse_uint};

/// A number constant.
#[derive(Clone, Debug)]
pub(crate) struct Number {
    pub(crate) text: String,
    pub(crate) int: Option<i64>,
    pub(crate) float: Option<f64>,
}

impl Number {
    /// Reads a number; the error is what Go says about it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let number = match (parse_int(text, 0), parse_uint(text, 0)) {
            (Ok(int), _) => Self { text: text.into(), int: Some(int), float: Some(int as f64) },
            (Err(_), Ok(uint)) => Self { text: text.into(), int: None, float: Some(uint as f64) },
            (Err(_), Err(_)) => Self::parse_fraction(text)?,
        };
        Ok(number)
    }

    fn parse_fraction(text: &str) -> Result<Self, String> {
        let quoted = crate::value::display::quote(text);
        let Some(float) = parse_float(&text.replace('_', "")) else {
            return Err(format!("illegal number syntax: {quoted}"));
        };
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {quoted}"));
        }
        let int = float as i64;
        Ok(Self { text: text.into(), int: (int as f64 == float).then_some(int), float: Some(float) })
    }

    /// Reads a character constant.
    pub(crate) fn parse_char(text: &str) -> Result<Self, String> {
        let Some(character) = unquote_char(text) else {
            let is_empty = text == "''";
            return Err(if is_empty {
                "invalid syntax".into()
            } else {
                format!("malformed character constant: {text}")
            });
        };
        let code = u32::from(character);
        Ok(Self { text: text.into(), int: Some(i64::from(code)), float: Some(f64::from(code)) })
    }

    /// Whether its text makes it a float where no type is asked for.
    pub(crate) fn is_ideal_float(&self) -> bool {
        let hex = self.text.len() > 2
            && (self.text.starts_with("0x") || self.text.starts_with("0X"))
            && !self.text.contains(['p', 'P']);
        !hex && !self.text.starts_with('\'') && self.text.contains(['.', 'e', 'E', 'p', 'P'])
    }
}
