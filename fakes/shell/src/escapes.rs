//! Backslashes, as `echo -e`, `printf` and `$'…'` read them.

/// What came of a text with escapes.
pub(crate) struct Unescaped {
    pub(crate) text: String,
    /// A `\c` was met: nothing more is to be written.
    pub(crate) stops: bool,
}

/// Reads the escapes of a text.
pub(crate) fn unescape_c(text: &str) -> String {
    unescape(text).text
}

/// Reads the escapes of a text, and whether it ends the output.
pub(crate) fn unescape(text: &str) -> Unescaped {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            None => out.push('\\'),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('a') => out.push('\x07'),
            Some('b') => out.push('\x08'),
            Some('f') => out.push('\x0c'),
            Some('v') => out.push('\x0b'),
            Some('e') => out.push('\x1b'),
            Some('\\') => out.push('\\'),
            Some('"') => out.push('"'),
            Some('c') => return Unescaped { text: out, stops: true },
            Some('x') => {
                let mut value = 0;
                let mut digits = 0;
                while let Some(digit) = chars.peek().and_then(|c| c.to_digit(16)).filter(|_| digits < 2) {
                    value = value * 16 + digit;
                    digits += 1;
                    chars.next();
                }
                if digits == 0 {
                    out.push_str("\\x");
                } else {
                    out.extend(char::from_u32(value));
                }
            }
            Some(c) if c.is_digit(8) => {
                let mut value = c.to_digit(8).unwrap_or(0);
                let most = if c == '0' { 3 } else { 2 };
                let mut digits = 0;
                while let Some(digit) = chars.peek().and_then(|c| c.to_digit(8)).filter(|_| digits < most) {
                    value = value * 8 + digit;
                    digits += 1;
                    chars.next();
                }
                out.extend(char::from_u32(value & 0xff));
            }
            Some(c) => out.extend(['\\', c]),
        }
    }
    Unescaped { text: out, stops: false }
}
