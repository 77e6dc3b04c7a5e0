//! `echo` and `printf`.

use crate::escapes::unescape;

/// What `echo` writes.
pub(crate) fn echo(args: &[String]) -> String {
    let (mut newline, mut escapes) = (true, false);
    let mut rest = args;
    while let Some((arg, more)) = rest.split_first() {
        let letters = arg.strip_prefix('-').unwrap_or("");
        if letters.is_empty() || !letters.chars().all(|c| "neE".contains(c)) {
            break;
        }
        for letter in letters.chars() {
            match letter {
                'n' => newline = false,
                'e' => escapes = true,
                _ => escapes = false,
            }
        }
        rest = more;
    }
    let mut text = rest.join(" ");
    if escapes {
        let read = unescape(&text);
        text = read.text;
        newline &= !read.stops;
    }
    if newline {
        text.push('\n');
    }
    text
}

/// What `printf` writes, and what it did not like.
#[derive(Debug, Default)]
pub(crate) struct Printed {
    pub(crate) text: String,
    pub(crate) complaints: Vec<String>,
}

/// Formats arguments; the format is used again until none is left.
pub(crate) fn printf(args: &[String]) -> Result<Printed, String> {
    let args = if args.first().is_some_and(|arg| arg == "--") { &args[1..] } else { args };
    let Some((format, values)) = args.split_first() else {
        return Err("Usage: printf FORMAT [ARG]...".into());
    };
    let mut printed = Printed::default();
    let mut values = values.iter();
    loop {
        let before = values.len();
        let stops = once(format, &mut values, &mut printed)?;
        if stops || values.len() == 0 || values.len() == before {
            return Ok(printed);
        }
    }
}

fn once(
    format: &str,
    values: &mut std::slice::Iter<'_, String>,
    printed: &mut Printed,
) -> Result<bool, String> {
    let mut chars = format.chars().peekable();
    let mut literal = String::new();
    while let Some(c) = chars.next() {
        if c != '%' {
            literal.push(c);
            if c == '\\' {
                literal.extend(chars.next());
            }
            continue;
        }
        if chars.peek() == Some(&'%') {
            chars.next();
            literal.push('%');
            continue;
        }
        let read = unescape(&std::mem::take(&mut literal));
        printed.text.push_str(&read.text);
        if read.stops {
            return Ok(true);
        }
        let mut spec = Spec::default();
        while let Some(flag) = chars.next_if(|c| "-+ 0#".contains(*c)) {
            spec.flags.push(flag);
        }
        let mut width = String::new();
        if chars.next_if_eq(&'*').is_some() {
            width = values.next().cloned().unwrap_or_default();
        }
        while let Some(digit) = chars.next_if(char::is_ascii_digit) {
            width.push(digit);
        }
        spec.width = width.parse().unwrap_or(0);
        if chars.next_if_eq(&'.').is_some() {
            let mut precision = String::new();
            if chars.next_if_eq(&'*').is_some() {
                precision = values.next().cloned().unwrap_or_default();
            }
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                precision.push(digit);
            }
            spec.precision = Some(precision.parse().unwrap_or(0));
        }
        while chars.next_if(|c| "hlLqjzt".contains(*c)).is_some() {}
        let Some(kind) = chars.next() else {
            return Err("printf: %: invalid format".into());
        };
        if spec.convert(kind, values, printed)? {
            return Ok(true);
        }
    }
    let read = unescape(&literal);
    printed.text.push_str(&read.text);
    Ok(read.stops)
}

#[derive(Default)]
struct Spec {
    flags: String,
    width: usize,
    precision: Option<usize>,
}

impl Spec {
    fn convert(
        &self,
        kind: char,
        values: &mut std::slice::Iter<'_, String>,
        printed: &mut Printed,
    ) -> Result<bool, String> {
        let value = values.next().map_or("", String::as_str);
        let text = match kind {
            's' => self.cut(value),
            'b' => {
                let read = unescape(value);
                printed.text.push_str(&self.pad(self.cut(&read.text)));
                return Ok(read.stops);
            }
            'c' => value.chars().next().map(String::from).unwrap_or_default(),
            'd' | 'i' | 'u' => self.signed(integer(value, printed)),
            'x' => format!("{:x}", integer(value, printed)),
            'X' => format!("{:X}", integer(value, printed)),
            'o' => format!("{:o}", integer(value, printed)),
            'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
                let number = value.trim().parse::<f64>().unwrap_or(0.0);
                let precision = self.precision.unwrap_or(6);
                match kind {
                    'e' | 'E' => format!("{number:.precision$e}"),
                    'g' | 'G' => number.to_string(),
                    _ => format!("{number:.precision$}"),
                }
            }
            other => return Err(format!("printf: %{other}: invalid format")),
        };
        let padded = self.pad(text);
        printed.text.push_str(&padded);
        Ok(false)
    }

    fn cut(&self, value: &str) -> String {
        value.chars().take(self.precision.unwrap_or(usize::MAX)).collect()
    }

    fn signed(&self, number: i64) -> String {
        let digits = number.unsigned_abs().to_string();
        let digits = format!("{digits:0>width$}", width = self.precision.unwrap_or(0));
        let sign = match number {
            n if n < 0 => "-",
            _ if self.flags.contains('+') => "+",
            _ if self.flags.contains(' ') => " ",
            _ => "",
        };
        format!("{sign}{digits}")
    }

    fn pad(&self, text: String) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        if missing == 0 {
            text
        } else if self.flags.contains('-') {
            format!("{text}{}", " ".repeat(missing))
        } else if self.flags.contains('0') {
            let (sign, digits) = text.split_at(usize::from(text.starts_with(['-', '+'])));
            format!("{sign}{}{digits}", "0".repeat(missing))
        } else {
            format!("{}{text}", " ".repeat(missing))
        }
    }
}

fn integer(value: &str, printed: &mut Printed) -> i64 {
    let text = value.trim();
    if let Some(c) = text.strip_prefix(['"', '\'']).and_then(|rest| rest.chars().next()) {
        return i64::from(u32::from(c));
    }
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    let parsed = if let Some(hex) = digits.strip_prefix("0x") {
        i64::from_str_radix(hex, 16)
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8)
    } else if digits.is_empty() {
        Ok(0)
    } else {
        digits.parse()
    };
    match parsed {
        Ok(number) => {
            if negative {
                -number
            } else {
                number
            }
        }
        Err(_) => {
            printed.complaints.push(format!("invalid number '{value}'"));
            0
        }
    }
}
