//! Regular expressions of POSIX, in the words of the library.

use regex::{Regex, RegexBuilder};

/// Which of the two kinds of expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    Basic,
    Extended,
}

/// Upper and lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Matters,
    Ignored,
}

/// Compiles an expression; the error is what `regcomp` would say.
pub(super) fn compile(text: &str, syntax: Syntax, case: Case) -> Result<Regex, String> {
    let pattern = translate(text, syntax);
    RegexBuilder::new(&pattern)
        .case_insensitive(case == Case::Ignored)
        .build()
        .map_err(|_| "Invalid regular expression".to_owned())
}

fn translate(text: &str, syntax: Syntax) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    // A star means itself where nothing stands before it, and so does an anchor in the middle of a basic expression.
    let mut at_start = true;
    while let Some(c) = chars.next() {
        let begins = std::mem::replace(&mut at_start, false);
        match c {
            '\\' => match chars.next() {
                Some(c @ ('(' | ')' | '{' | '}' | '|' | '+' | '?')) => {
                    if syntax == Syntax::Basic {
                        at_start = c == '(' || c == '|';
                        out.push(c);
                    } else {
                        out.extend(['\\', c]);
                    }
                }
                Some('<') => out.push_str(r"\b{start}"),
                Some('>') => out.push_str(r"\b{end}"),
                Some(c @ ('w' | 'W' | 's' | 'S' | 'b' | 'B' | 'n' | 't')) => out.extend(['\\', c]),
                Some(c) => out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
                None => out.push_str("\\\\"),
            },
            '[' => {
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if chars.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
                while let Some(c) = chars.next() {
                    match c {
                        ']' => {
                            out.push(']');
                            break;
                        }
                        '[' if chars.peek() == Some(&':') => {
                            out.push('[');
                            for c in chars.by_ref() {
                                out.push(c);
                                if c == ']' {
                                    break;
                                }
                            }
                        }
                        '[' | '\\' | '&' | '~' => out.extend(['\\', c]),
                        c => out.push(c),
                    }
                }
            }
            '(' | ')' | '{' | '}' | '|' | '+' | '?' if syntax == Syntax::Basic => out.extend(['\\', c]),
            '(' | '|' => {
                at_start = true;
                out.push(c);
            }
            '*' if begins => out.push_str("\\*"),
            '^' if syntax == Syntax::Basic && !begins => out.push_str("\\^"),
            '^' => {
                at_start = true;
                out.push('^');
            }
            '$' if syntax == Syntax::Basic => {
                let rest: String = chars.clone().take(2).collect();
                out.push_str(if rest.is_empty() || rest == "\\)" || rest == "\\|" { "$" } else { "\\$" });
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Case, Syntax, compile};

    #[test]
    fn basic_expressions_take_their_signs_with_backslashes() {
        let expression = compile(r"^a\(b*\)\{2\}+$", Syntax::Basic, Case::Matters).expect("it is one");
        assert!(expression.is_match("abb+"));
        assert!(compile("a+", Syntax::Extended, Case::Ignored).expect("it is one").is_match("AA"));
        assert!(compile("*x[]a]", Syntax::Basic, Case::Matters).expect("it is one").is_match("*x]"));
    }
}
