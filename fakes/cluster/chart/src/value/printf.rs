//! `fmt.Sprintf`, `Sprint` and `Sprintln`.

mod numbers;

use numbers::{float, integer};

use super::{Value, display, text};

/// `fmt.Sprint`: spaces only between operands of which neither is a string.
pub(crate) fn sprint(values: &[Value]) -> String {
    let mut out = String::new();
    for (index, value) in values.iter().enumerate() {
        if index > 0 && !matches!(value, Value::Str(_)) && !matches!(values[index - 1], Value::Str(_)) {
            out.push(' ');
        }
        out.push_str(&display::plain(value));
    }
    out
}

/// `fmt.Sprintln`
pub(crate) fn sprintln(values: &[Value]) -> String {
    let parts: Vec<String> = values.iter().map(display::plain).collect();
    format!("{}\n", parts.join(" "))
}

/// The flags, width and precision of one verb.
#[derive(Clone, Debug, Default)]
struct Spec {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

struct Printer<'a> {
    format: Vec<char>,
    at: usize,
    values: &'a [Value],
    next: usize,
    reordered: bool,
    good_index: bool,
    out: String,
}

/// `fmt.Sprintf`
pub(crate) fn sprintf(format: &str, values: &[Value]) -> String {
    let mut printer = Printer {
        format: format.chars().collect(),
        at: 0,
        values,
        next: 0,
        reordered: false,
        good_index: true,
        out: String::new(),
    };
    printer.run();
    printer.out
}

impl Printer<'_> {
    fn run(&mut self) {
        while let Some(&character) = self.format.get(self.at) {
            self.at += 1;
            if character == '%' {
                self.verb();
            } else {
                self.out.push(character);
            }
        }
        if !self.reordered && self.next < self.values.len() {
            let extra: Vec<String> = self.values[self.next..]
                .iter()
                .map(|value| if value.is_nil() { "<nil>".into() } else { describe(value) })
                .collect();
            self.out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
        }
    }

    fn verb(&mut self) {
        self.good_index = true;
        let mut after_index = false;
        let mut spec = self.flags();
        self.argument_index(&mut after_index);
        if self.format.get(self.at) == Some(&'*') {
            self.at += 1;
            self.star_width(&mut spec);
            after_index = false;
        } else {
            spec.width = self.digits();
            if after_index && spec.width.is_some() {
                self.good_index = false;
            }
        }
        if self.format.get(self.at) == Some(&'.') {
            self.at += 1;
            if after_index {
                self.good_index = false;
            }
            self.argument_index(&mut after_index);
            if self.format.get(self.at) == Some(&'*') {
                self.at += 1;
                self.star_precision(&mut spec);
                after_index = false;
            } else {
                spec.precision = Some(self.digits().unwrap_or(0));
            }
        }
        if !after_index {
            self.argument_index(&mut after_index);
        }
        let Some(&verb) = self.format.get(self.at) else {
            self.out.push_str("%!(NOVERB)");
            return;
        };
        self.at += 1;
        if verb == '%' {
            self.out.push('%');
        } else if !self.good_index {
            self.out.push_str(&format!("%!{verb}(BADINDEX)"));
        } else if let Some(value) = self.values.get(self.next) {
            self.next += 1;
            let printed = one(&spec, verb, value);
            self.out.push_str(&printed);
        } else {
            self.out.push_str(&format!("%!{verb}(MISSING)"));
        }
    }

    fn flags(&mut self) -> Spec {
        let mut spec = Spec::default();
        while let Some(flag) = self.format.get(self.at) {
            match flag {
                '#' => spec.sharp = true,
                '0' => spec.zero = true,
                '+' => spec.plus = true,
                '-' => spec.minus = true,
                ' ' => spec.space = true,
                _ => break,
            }
            self.at += 1;
        }
        spec
    }

    fn digits(&mut self) -> Option<usize> {
        let start = self.at;
        let mut number = 0_usize;
        while let Some(digit) = self.format.get(self.at).and_then(|digit| digit.to_digit(10)) {
            number = number.saturating_mul(10).saturating_add(digit as usize).min(1_000_000);
            self.at += 1;
        }
        (self.at > start).then_some(number)
    }

    fn argument_index(&mut self, after_index: &mut bool) {
        if self.format.get(self.at) != Some(&'[') {
            return;
        }
        self.reordered = true;
        let rest = &self.format[self.at + 1..];
        let Some(close) = rest.iter().position(|character| *character == ']') else {
            self.good_index = false;
            self.at += 1;
            return;
        };
        let inside: String = rest[..close].iter().collect();
        self.at += close + 2;
        match inside.parse::<usize>() {
            Ok(index) if index >= 1 && index <= self.values.len() => {
                self.next = index - 1;
                *after_index = true;
            }
            _ => self.good_index = false,
        }
    }

    fn star(&mut self) -> Option<i64> {
        let value = self.values.get(self.next);
        self.next += usize::from(value.is_some());
        match value {
            Some(Value::Int(number) | Value::Int64(number)) if number.unsigned_abs() <= 1_000_000 => {
                Some(*number)
            }
            _ => None,
        }
    }

    fn star_width(&mut self, spec: &mut Spec) {
        match self.star() {
            Some(width) => {
                spec.minus |= width < 0;
                spec.width = usize::try_from(width.unsigned_abs()).ok();
            }
            None => self.out.push_str("%!(BADWIDTH)"),
        }
    }

    fn star_precision(&mut self, spec: &mut Spec) {
        match self.star() {
            Some(precision) => spec.precision = usize::try_from(precision).ok(),
            None => self.out.push_str("%!(BADPREC)"),
        }
    }
}

fn describe(value: &Value) -> String {
    format!("{}={}", value.type_name(), display::plain(value))
}

fn bad_verb(verb: char, value: &Value) -> String {
    if value.is_nil() { format!("%!{verb}(<nil>)") } else { format!("%!{verb}({})", describe(value)) }
}

fn one(spec: &Spec, verb: char, value: &Value) -> String {
    match verb {
        'T' => return pad(spec, value.type_name()),
        'p' => return bad_verb(verb, value),
        'v' if spec.sharp => return display::syntax(value),
        // There the plus asks for the names of fields, not for signs.
        'v' if spec.plus => return one(&Spec { plus: false, ..spec.clone() }, verb, value),
        _ => {}
    }
    match value {
        Value::Invalid | Value::Nil if verb == 'v' => pad(spec, "<nil>"),
        Value::Bool(flag) if matches!(verb, 't' | 'v') => pad(spec, if *flag { "true" } else { "false" }),
        Value::Int(number) | Value::Int64(number) => integer(spec, verb, i128::from(*number), value),
        Value::Uint8(number) => integer(spec, verb, i128::from(*number), value),
        Value::Float(number) => float(spec, verb, *number).unwrap_or_else(|| bad_verb(verb, value)),
        Value::Str(text) => string(spec, verb, text).unwrap_or_else(|| bad_verb(verb, value)),
        Value::Bytes(bytes) if !matches!(verb, 'v' | 'd') => {
            string(spec, verb, &text::from_bytes(bytes)).unwrap_or_else(|| bad_verb(verb, value))
        }
        Value::List(_) | Value::Bytes(_) => {
            let items: Vec<String> =
                value.elements().unwrap_or_default().iter().map(|item| inner(spec, verb, item)).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Map(map) => {
            let entries: Vec<String> = map
                .entries()
                .iter()
                .map(|(key, item)| {
                    format!("{}:{}", one(spec, verb, &Value::Str(key.clone())), inner(spec, verb, item))
                })
                .collect();
            format!("map[{}]", entries.join(" "))
        }
        Value::Duration(nanos) if !matches!(verb, 'v' | 's' | 'q') => {
            integer(spec, verb, i128::from(*nanos), value)
        }
        Value::Time(_)
        | Value::Duration(_)
        | Value::Version(_)
        | Value::KubeVersion(_)
        | Value::Capabilities(_)
        | Value::HelmVersion => {
            string(spec, verb, &display::plain(value)).unwrap_or_else(|| bad_verb(verb, value))
        }
        _ => bad_verb(verb, value),
    }
}

fn inner(spec: &Spec, verb: char, value: &Value) -> String {
    if value.is_nil() { "<nil>".into() } else { one(spec, verb, value) }
}

fn pad(spec: &Spec, text: &str) -> String {
    fill(spec, text, ' ')
}

fn fill(spec: &Spec, text: &str, filler: char) -> String {
    let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
    if missing == 0 {
        text.into()
    } else if spec.minus {
        format!("{text}{}", " ".repeat(missing))
    } else {
        format!("{}{text}", filler.to_string().repeat(missing))
    }
}

fn string(spec: &Spec, verb: char, value: &str) -> Option<String> {
    let cut: String = match spec.precision {
        Some(precision) if verb != 'x' && verb != 'X' => value.chars().take(precision).collect(),
        _ => value.into(),
    };
    let filler = if spec.zero { '0' } else { ' ' };
    match verb {
        'v' | 's' => Some(fill(spec, &cut, filler)),
        'q' if spec.sharp && !cut.contains('`') && !cut.contains(char::is_control) => {
            Some(fill(spec, &format!("`{cut}`"), filler))
        }
        'q' => Some(fill(spec, &display::quote(&cut), filler)),
        'x' | 'X' => {
            let bytes = text::to_bytes(value);
            let limit = spec.precision.unwrap_or(bytes.len()).min(bytes.len());
            let hex: Vec<String> = bytes[..limit].iter().map(|byte| format!("{byte:02x}")).collect();
            let joined =
                if spec.space { hex.join(if spec.sharp { " 0x" } else { " " }) } else { hex.concat() };
            let whole = if spec.sharp && !joined.is_empty() { format!("0x{joined}") } else { joined };
            Some(fill(spec, &if verb == 'X' { whole.to_uppercase() } else { whole }, filler))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{sprint, sprintf};
    use crate::value::Value;

    fn text(text: &str) -> Value {
        Value::from(text)
    }

    #[test]
    fn verbs_print_as_go_prints_them() {
        let printed = sprintf(
            "%5.2f|%-5s|%05d|%x|%q|%t|%T|%+d|%6.3v|%e",
            &[
                Value::Float(3.24159),
                text("ab"),
                Value::Int(42),
                Value::Int(255),
                text("q\"x"),
                Value::Bool(true),
                Value::Float(1.5),
                Value::Int(5),
                Value::Float(3.24159),
                Value::Float(123_456.789),
            ],
        );
        assert_eq!(printed, " 3.24|ab   |00042|ff|\"q\\\"x\"|true|float64|+5|  3.24|1.234568e+05");
    }

    #[test]
    fn mistakes_are_printed_in_place() {
        assert_eq!(sprintf("%d %s", &[Value::Float(1.5), Value::Int(3)]), "%!d(float64=1.5) %!s(int=3)");
        assert_eq!(sprintf("%d", &[]), "%!d(MISSING)");
        assert_eq!(sprintf("x", &[Value::Int(1)]), "x%!(EXTRA int=1)");
        assert_eq!(sprintf("%s %v", &[Value::Nil, Value::Nil]), "%!s(<nil>) <nil>");
        assert_eq!(sprintf("100%", &[]), "100%!(NOVERB)");
    }

    #[test]
    fn indices_and_stars_choose_arguments() {
        assert_eq!(sprintf("%[2]s %[1]s", &[text("a"), text("b")]), "b a");
        assert_eq!(sprintf("%*d", &[Value::Int(5), Value::Int(42)]), "   42");
    }

    #[test]
    fn sprint_puts_spaces_only_between_what_is_no_string() {
        let values = [Value::Int(1), Value::Int(2), text("a"), text("b"), Value::Int(3), Value::Nil];
        assert_eq!(sprint(&values), "1 2ab3 <nil>");
    }
}
