//! Violations as texts.

use serde_json::Value as Json;

use super::{Kind, Violation};
use crate::value::display;
use crate::value::number::format_g;

impl Violation {
    pub(super) fn show(&self, indent: usize) -> String {
        let mut text = String::new();
        let skipped = self.kind == Kind::Reference && self.causes.len() == 1;
        if !skipped {
            text.push_str(&format!("\n{}- at {}: {}", "  ".repeat(indent - 1), self.place(), self.said()));
        }
        let indent = if skipped { indent } else { indent + 1 };
        text.extend(self.causes.iter().map(|cause| cause.show(indent)));
        text
    }

    fn place(&self) -> String {
        let steps =
            self.location.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1")));
        quote(&steps.collect::<String>())
    }

    fn said(&self) -> &str {
        match &self.kind {
            Kind::Group | Kind::Reference => "validation failed",
            Kind::Said(text) => text,
        }
    }
}

/// A text in single quotes.
pub(super) fn quote(text: &str) -> String {
    let quoted = display::quote(text).replace("\\\"", "\"").replace('\'', "\\'");
    format!("'{}'", &quoted[1..quoted.len() - 1])
}

pub(super) fn quote_all<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    texts.into_iter().map(quote).collect::<Vec<_>>().join(", ")
}

/// A value that is no list and no map.
pub(super) fn plain(value: &Json) -> String {
    match value {
        Json::Null => "<nil>".into(),
        Json::String(text) => quote(text),
        Json::Array(_) | Json::Object(_) => "value".into(),
        other => other.to_string(),
    }
}

/// A count with commas.
pub(super) fn count(number: usize) -> String {
    grouped(&number.to_string())
}

/// A number as an English reader wants it.
pub(super) fn number(number: f64) -> String {
    let text = format_g(number);
    match text.split_once('e') {
        None => match text.split_once('.') {
            Some((whole, fraction)) => format!("{}.{fraction}", grouped(whole)),
            None => grouped(&text),
        },
        Some((mantissa, exponent)) => {
            format!("{mantissa}×10{}", exponent.chars().filter_map(raised).collect::<String>())
        }
    }
}

fn raised(character: char) -> Option<char> {
    match character {
        '-' => Some('⁻'),
        '+' => None,
        digit => "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(digit.to_digit(10)? as usize),
    }
}

fn grouped(whole: &str) -> String {
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use super::{count, number};

    #[test]
    fn numbers_are_grouped_and_large_ones_have_powers() {
        assert_eq!(number(-5000.5), "-5,000.5");
        assert_eq!(number(1e21), "1×10²¹");
        assert_eq!(number(0.00001), "1×10⁻⁰⁵");
        assert_eq!((count(100).as_str(), count(1_234_567).as_str()), ("100", "1,234,567"));
    }
}
