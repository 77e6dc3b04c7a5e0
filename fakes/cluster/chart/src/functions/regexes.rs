//! Regular expressions in Go's syntax.

use regex::Regex;

use super::Param::{Int, Str};
use super::regex_mistakes as mistakes;
use super::{Function, Outcome, int, text};
use crate::template::failure::Failure;
use crate::value::{Element, List, Value, display};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("regexMatch", &[Str, Str], |values| {
        Ok(Value::Bool(compile(text(&values[0])).is_ok_and(|regex| regex.is_match(text(&values[1])))))
    }),
    Function::new("mustRegexMatch", &[Str, Str], |values| {
        Ok(Value::Bool(checked(text(&values[0]))?.is_match(text(&values[1]))))
    }),
    Function::new("regexFind", &[Str, Str], |values| find(values, must)),
    Function::new("mustRegexFind", &[Str, Str], |values| find(values, checked)),
    Function::new("regexFindAll", &[Str, Str, Int], |values| find_all(values, must)),
    Function::new("mustRegexFindAll", &[Str, Str, Int], |values| find_all(values, checked)),
    Function::new("regexReplaceAll", &[Str, Str, Str], |values| replace(values, must)),
    Function::new("mustRegexReplaceAll", &[Str, Str, Str], |values| replace(values, checked)),
    Function::new("regexReplaceAllLiteral", &[Str, Str, Str], |values| replace_literal(values, must)),
    Function::new("mustRegexReplaceAllLiteral", &[Str, Str, Str], |values| replace_literal(values, checked)),
    Function::new("regexSplit", &[Str, Str, Int], |values| split(values, must)),
    Function::new("mustRegexSplit", &[Str, Str, Int], |values| split(values, checked)),
];

/// Compiles an expression, or says what is wrong in its way.
type Compile = fn(&str) -> Result<Regex, Failure>;

/// The expression, or what is wrong with it in Go's words.
fn compile(pattern: &str) -> Result<Regex, String> {
    let told = |(reason, part): (&str, &str)| format!("error parsing regexp: {reason}: `{part}`");
    match mistakes::refused(pattern) {
        Some(mistake) => Err(told(mistake)),
        None => Regex::new(&translate(pattern)).map_err(|error| told(mistakes::explain(pattern, &error))),
    }
}

/// The expression, if it is one.
pub(crate) fn go_regex(pattern: &str) -> Option<Regex> {
    compile(pattern).ok()
}

fn checked(pattern: &str) -> Result<Regex, Failure> {
    compile(pattern).map_err(Failure::from)
}

fn must(pattern: &str) -> Result<Regex, Failure> {
    compile(pattern).map_err(|error| {
        let can_stand_in_backquotes = !pattern.chars().any(|letter| {
            letter == '`' || letter == '\u{7f}' || letter == '\u{feff}' || (letter < ' ' && letter != '\t')
        });
        let shown = if can_stand_in_backquotes { format!("`{pattern}`") } else { display::quote(pattern) };
        format!("regexp: Compile({shown}): {error}").into()
    })
}

/// Rewrites Go's syntax into Rust's: classes are of ASCII, and braces that repeat nothing are themselves.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(character) = rest.chars().next() {
        let after = &rest[character.len_utf8()..];
        match character {
            '\\' => {
                let Some(code) = after.chars().next() else {
                    out.push('\\');
                    break;
                };
                match (code, in_class) {
                    ('d', false) => out.push_str("[0-9]"),
                    ('d', true) => out.push_str("0-9"),
                    ('D', false) => out.push_str("[^0-9]"),
                    ('w', false) => out.push_str("[0-9A-Za-z_]"),
                    ('w', true) => out.push_str("0-9A-Za-z_"),
                    ('W', false) => out.push_str("[^0-9A-Za-z_]"),
                    ('s', false) => out.push_str("[\\t\\n\\f\\r ]"),
                    ('s', true) => out.push_str("\\t\\n\\f\\r "),
                    ('S', false) => out.push_str("[^\\t\\n\\f\\r ]"),
                    ('b', false) => out.push_str("(?-u:\\b)"),
                    ('B', false) => out.push_str("(?-u:\\B)"),
                    // What is in braces belongs to the escape.
                    ('p' | 'P' | 'x', _) if after[1..].starts_with('{') => {
                        let end = after.find('}').map_or(after.len(), |end| end + 1);
                        out.push('\\');
                        out.push_str(&after[..end]);
                        rest = &after[end..];
                        continue;
                    }
                    ('Q', false) => {
                        let quoted = &after[1..];
                        let (quoted, after) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                        out.push_str(&regex::escape(quoted));
                        rest = after;
                        continue;
                    }
                    _ => {
                        out.push('\\');
                        out.push(code);
                    }
                }
                rest = &after[code.len_utf8()..];
                continue;
            }
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                let negated = after.strip_prefix('^');
                out.push_str(if negated.is_some() { "^" } else { "" });
                let inner = negated.unwrap_or(after);
                // A bracket right at the start is one of the class.
                rest = inner.strip_prefix(']').map_or(inner, |inner| {
                    out.push_str("\\]");
                    inner
                });
                continue;
            }
            '[' if after.starts_with(':') => out.push('['),
            '[' => out.push_str("\\["),
            ']' if in_class && !out.ends_with(':') => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(character);
            }
            '{' if !in_class && !is_repetition(after) => out.push_str("\\{"),
            other => out.push(other),
        }
        rest = after;
    }
    out
}

fn is_repetition(after: &str) -> bool {
    let Some((inside, _)) = after.split_once('}') else {
        return false;
    };
    let (low, high) = inside.split_once(',').unwrap_or((inside, ""));
    !low.is_empty() && low.bytes().chain(high.bytes()).all(|byte| byte.is_ascii_digit())
}

fn find(values: &[Value], compile: Compile) -> Outcome {
    let regex = compile(text(&values[0]))?;
    Ok(regex.find(text(&values[1])).map_or("", |found| found.as_str()).into())
}

fn find_all(values: &[Value], compile: Compile) -> Outcome {
    let regex = compile(text(&values[0]))?;
    let limit = usize::try_from(int(&values[2])).unwrap_or(usize::MAX);
    let found: Vec<&str> =
        regex.find_iter(text(&values[1])).take(limit).map(|found| found.as_str()).collect();
    Ok(if found.is_empty() { Value::List(List::nil(Element::Str)) } else { Value::strings(found) })
}

fn replace(values: &[Value], compile: Compile) -> Outcome {
    let regex = compile(text(&values[0]))?;
    Ok(regex.replace_all(text(&values[1]), text(&values[2])).into_owned().into())
}

fn replace_literal(values: &[Value], compile: Compile) -> Outcome {
    let regex = compile(text(&values[0]))?;
    Ok(regex.replace_all(text(&values[1]), regex::NoExpand(text(&values[2]))).into_owned().into())
}

fn split(values: &[Value], compile: Compile) -> Outcome {
    let pattern = text(&values[0]);
    let regex = compile(pattern)?;
    let value = text(&values[1]);
    let limit = match int(&values[2]) {
        0 => return Ok(Value::List(List::nil(Element::Str))),
        count => usize::try_from(count).unwrap_or(usize::MAX),
    };
    if !pattern.is_empty() && value.is_empty() {
        return Ok(Value::strings([""]));
    }
    let mut parts: Vec<&str> = Vec::new();
    let (mut start, mut end) = (0, 0);
    for found in regex.find_iter(value) {
        if parts.len() + 1 >= limit {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(&value[start..end]);
        }
        start = found.end();
    }
    if end != value.len() {
        parts.push(&value[start..]);
    }
    Ok(Value::strings(parts))
}

/// `regexp.QuoteMeta`
pub(super) fn quote_meta(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for character in value.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{compile, translate};

    #[test]
    fn go_expressions_become_rust_expressions() {
        assert_eq!(translate(r"^\d+[\w.-]*\s{2}{x$"), r"^[0-9]+[0-9A-Za-z_.-]*[\t\n\f\r ]{2}\{x$");
        assert!(compile(r"[^[:alnum:]-]+").is_ok_and(|regex| regex.is_match("_")));
        assert!(compile(r"^\p{L}+\Q.(\E$").is_ok_and(|regex| regex.is_match("é.(")));
        assert!(compile(r"[]a]").is_ok_and(|regex| regex.is_match("]")));
    }
}
