//! What is wrong with a regular expression, in Go's words.

use std::sync::LazyLock;

use regex::Regex;

/// The reason, and the part that is wrong.
type Mistake<'p> = (&'static str, &'p str);

/// The most often that something may be repeated.
const MOST: u32 = 1000;

const CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

macro_rules! pattern {
    ($name:ident, $source:literal) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($source).expect("a good expression"));
    };
}

pattern!(ESCAPED, r"\\Q.*?(\\E|$)|\\[pPx]\{[^}]*\}|\\.");
pattern!(REPEAT, r"\{(\d+)(,(\d*))?\}");
pattern!(NESTED, r"(?:\{\d+(?:,\d*)?\}|[*+?])([*+?]+)");
pattern!(CLASS, r"\[:\^?([a-z]*):\]");
pattern!(RANGE, r"([^\[\]\\^])-([^\[\]\\])");
pattern!(PROPERTY, r"\\[pP](\{[^}]*\}|.)");
pattern!(LOOK, r"\(\?<?[=!]");
pattern!(UNKNOWN_ESCAPE, r"\\[^\sa-zA-Z\W_]|\\[a-zA-Z]");

/// What Go does not take although this program's expressions allow it.
pub(super) fn refused(pattern: &str) -> Option<Mistake<'_>> {
    // Whatever is escaped is replaced by letters of the same length, and so are classes.
    let bare = ESCAPED.replace_all(pattern, |found: &regex::Captures<'_>| "a".repeat(found[0].len()));
    if bare.ends_with('\\') {
        return Some(("trailing backslash at end of expression", ""));
    }
    let named = CLASS.captures_iter(&bare).find(|found| !CLASSES.contains(&&found[1]));
    if let Some(found) = named.and_then(|found| found.get(0)) {
        return Some(("invalid character class range", &pattern[found.range()]));
    }
    let bare = without_classes(&bare);
    for found in REPEAT.captures_iter(&bare) {
        let low: u32 = found[1].parse().unwrap_or(u32::MAX);
        let high = found.get(3).map_or(low, |high| {
            if high.is_empty() { low } else { high.as_str().parse().unwrap_or(u32::MAX) }
        });
        if low > MOST || high > MOST || high < low {
            return Some(("invalid repeat count", &pattern[found.get(0)?.range()]));
        }
    }
    NESTED.captures_iter(&bare).find_map(|found| {
        let (whole, more) = (found.get(0)?, found.get(1)?.as_str());
        // One question mark after an operator is none of its own, and neither is what begins a group.
        let is_nested =
            !more.strip_prefix('?').unwrap_or(more).is_empty() && !bare[..whole.start()].ends_with('(');
        is_nested.then(|| ("invalid nested repetition operator", &pattern[whole.range()]))
    })
}

/// The same with letters in place of bracketed classes.
fn without_classes(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut inside = 0_usize;
    for character in pattern.chars() {
        match character {
            '[' => inside += 1,
            ']' if inside > 0 => inside -= 1,
            _ if inside == 0 => {
                out.push(character);
                continue;
            }
            _ => {}
        }
        out.extend(std::iter::repeat_n('a', character.len_utf8()));
    }
    out
}

/// Go's words for what cannot be compiled.
pub(super) fn explain<'p>(pattern: &'p str, error: &regex::Error) -> Mistake<'p> {
    let detail = error.to_string();
    let says = |words: &str| detail.contains(words);
    let first = |regex: &Regex| regex.find(pattern).map_or(pattern, |found| found.as_str());
    if says("unclosed group") {
        ("missing closing )", pattern)
    } else if says("unopened group") {
        ("unexpected )", pattern)
    } else if says("unclosed character class") {
        ("missing closing ]", &pattern[pattern.find('[').unwrap_or(0)..])
    } else if says("repetition operator missing expression") {
        let operator = pattern.find(['*', '+', '?']).unwrap_or(0);
        ("missing argument to repetition operator", pattern.get(operator..operator + 1).unwrap_or(pattern))
    } else if says("look-around") {
        ("invalid or unsupported Perl syntax", first(&LOOK))
    } else if says("invalid character class range") {
        ("invalid character class range", first(&RANGE))
    } else if says("Unicode property not found") {
        ("invalid character class range", first(&PROPERTY))
    } else if says("unrecognized escape") || says("backreferences are not supported") {
        ("invalid escape sequence", first(&UNKNOWN_ESCAPE))
    } else {
        ("invalid syntax", pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::refused;

    #[test]
    fn what_go_refuses_is_refused() {
        assert_eq!(refused("x**"), Some(("invalid nested repetition operator", "**")));
        assert_eq!(refused("a{1001}"), Some(("invalid repeat count", "{1001}")));
        assert_eq!(refused("[[:foo:]]"), Some(("invalid character class range", "[:foo:]")));
        assert_eq!(refused("abc\\"), Some(("trailing backslash at end of expression", "")));
    }

    #[test]
    fn what_go_takes_is_not_refused() {
        for pattern in
            ["a*?b+?c??", "[*+]{2,3}", r"\*\*", "(?i)x", "(?:a)?", "[^[:alnum:]-]+", "a{,5}", r"\\"]
        {
            assert_eq!(refused(pattern), None, "{pattern}");
        }
    }
}
