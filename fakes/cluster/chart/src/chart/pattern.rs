//! `filepath.Match`: stars that stop at slashes, question marks, classes.

/// Whether a name fits; nothing if the pattern is malformed.
pub(super) fn matches(pattern: &str, name: &str) -> Option<bool> {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    is_well_formed(&pattern).then(|| fits(&pattern, &name))
}

fn is_well_formed(pattern: &[char]) -> bool {
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            '\\' if at + 1 == pattern.len() => return false,
            '\\' => at += 2,
            '[' => match class(&pattern[at..], ' ') {
                Some((_, length)) => at += length,
                None => return false,
            },
            _ => at += 1,
        }
    }
    true
}

fn fits(pattern: &[char], name: &[char]) -> bool {
    let Some(first) = pattern.first() else {
        return name.is_empty();
    };
    match first {
        '*' => {
            let reach = name.iter().take_while(|character| **character != '/').count();
            (0..=reach).any(|taken| fits(&pattern[1..], &name[taken..]))
        }
        '?' => name.first().is_some_and(|character| *character != '/') && fits(&pattern[1..], &name[1..]),
        '[' => match (name.first(), name.first().and_then(|character| class(pattern, *character))) {
            (Some(character), Some((true, length))) if *character != '/' => {
                fits(&pattern[length..], &name[1..])
            }
            _ => false,
        },
        '\\' => name.first() == pattern.get(1) && fits(&pattern[2..], &name[1..]),
        literal => name.first() == Some(literal) && fits(&pattern[1..], &name[1..]),
    }
}

/// Whether a character is in the class at the start of a pattern, and how long the class is.
fn class(pattern: &[char], character: char) -> Option<(bool, usize)> {
    let negated = pattern.get(1) == Some(&'^');
    let mut at = 1 + usize::from(negated);
    let start = at;
    let mut found = false;
    let single = |at: &mut usize| -> Option<char> {
        let mut next = *pattern.get(*at)?;
        if next == '\\' {
            *at += 1;
            next = *pattern.get(*at)?;
        }
        *at += 1;
        Some(next)
    };
    loop {
        if *pattern.get(at)? == ']' && at > start {
            return Some((found != negated, at + 1));
        }
        let low = single(&mut at)?;
        let mut high = low;
        if pattern.get(at) == Some(&'-') {
            at += 1;
            high = single(&mut at)?;
        }
        found |= (low..=high).contains(&character);
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_fit_as_in_go() {
        assert_eq!(matches("*.txt", "a.txt"), Some(true));
        assert_eq!(matches("*.txt", "a/b.txt"), Some(false));
        assert_eq!(matches("templates/.?*", "templates/.x"), Some(true));
        assert_eq!(matches("[a-c]?[^x]", "bzy"), Some(true));
        assert_eq!(matches("[a", "a"), None);
    }
}
