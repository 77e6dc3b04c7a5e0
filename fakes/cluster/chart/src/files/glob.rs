//! Patterns over paths: `*` stops at slashes, `**` does not, `{a,b}` are alternatives.

/// Whether a path fits; one that is malformed fits everything.
pub(super) fn fits(pattern: &str, path: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let path: Vec<char> = path.chars().collect();
    matches(&pattern, &path)
}

fn matches(pattern: &[char], path: &[char]) -> bool {
    let Some(first) = pattern.first() else {
        return path.is_empty();
    };
    match first {
        '*' if pattern.get(1) == Some(&'*') => {
            let rest = &pattern[pattern.iter().take_while(|star| **star == '*').count()..];
            (0..=path.len()).any(|taken| matches(rest, &path[taken..]))
        }
        '*' => {
            let reach = path.iter().take_while(|character| **character != '/').count();
            (0..=reach).any(|taken| matches(&pattern[1..], &path[taken..]))
        }
        '?' => path.first().is_some_and(|character| *character != '/') && matches(&pattern[1..], &path[1..]),
        '{' => match alternatives(pattern) {
            Some((choices, rest)) => choices.iter().any(|choice| {
                let whole: Vec<char> = choice.iter().chain(rest).copied().collect();
                matches(&whole, path)
            }),
            None => true,
        },
        '[' => match class(pattern) {
            Some((set, negated, length)) => path.first().is_some_and(|character| {
                let found = set.iter().any(|(low, high)| (low..=high).contains(&character));
                found != negated && matches(&pattern[length..], &path[1..])
            }),
            None => true,
        },
        '\\' => path.first() == pattern.get(1) && matches(&pattern[2.min(pattern.len())..], &path[1..]),
        literal => path.first() == Some(literal) && matches(&pattern[1..], &path[1..]),
    }
}

/// What stands between braces, and what follows them.
fn alternatives(pattern: &[char]) -> Option<(Vec<&[char]>, &[char])> {
    let mut choices = Vec::new();
    let mut depth = 0;
    let mut start = 1;
    for (at, character) in pattern.iter().enumerate() {
        match character {
            '{' => depth += 1,
            '}' if depth == 1 => {
                choices.push(&pattern[start..at]);
                return Some((choices, &pattern[at + 1..]));
            }
            '}' => depth -= 1,
            ',' if depth == 1 => {
                choices.push(&pattern[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    None
}

/// Ranges of characters, whether they are excluded, and the length of the class.
type Class = (Vec<(char, char)>, bool, usize);

fn class(pattern: &[char]) -> Option<Class> {
    let end = pattern.iter().position(|character| *character == ']')?;
    let negated = pattern.get(1) == Some(&'!');
    let inside = &pattern[1 + usize::from(negated)..end];
    let set = match inside {
        [low, '-', high] => vec![(*low, *high)],
        single => single.iter().map(|character| (*character, *character)).collect(),
    };
    Some((set, negated, end + 1))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn stars_stop_at_slashes_unless_there_are_two() {
        assert!(fits("conf/*.toml", "conf/a.toml") && !fits("conf/*.toml", "conf/x/a.toml"));
        assert!(fits("conf/**", "conf/x/a.toml") && fits("**.yaml", "a/b.yaml"));
        assert!(fits("{a,b/*}.txt", "b/c.txt") && !fits("[!a]?", "ab"));
    }
}
