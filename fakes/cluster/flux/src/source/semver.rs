//! Versions and ranges of versions, as charts and sources name them.

use std::cmp::Ordering;

/// A version, or the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    numbers: [u64; 3],
    /// How many of the numbers were given.
    given: usize,
    pre: String,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('v');
        let text = text.split('+').next().unwrap_or(text);
        let (core, pre) = text.split_once('-').unwrap_or((text, ""));
        let mut numbers = [0; 3];
        let mut given = 0;
        for part in core.split('.') {
            if matches!(part, "x" | "X" | "*") {
                break;
            }
            *numbers.get_mut(given)? = part.parse().ok()?;
            given += 1;
        }
        Some(Self { numbers, given, pre: pre.to_owned() })
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (self.pre.is_empty(), other.pre.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => compare_pre(&self.pre, &other.pre),
        })
    }

    /// The first version above everything that this beginning covers, keeping so many numbers.
    fn above(&self, kept: usize) -> Self {
        let mut numbers = self.numbers;
        if kept == 0 {
            return Self { numbers: [u64::MAX; 3], given: 3, pre: String::new() };
        }
        numbers[kept - 1] += 1;
        numbers[kept..].fill(0);
        Self { numbers, given: 3, pre: String::new() }
    }
}

fn compare_pre(one: &str, two: &str) -> Ordering {
    let mut others = two.split('.');
    for part in one.split('.') {
        let Some(other) = others.next() else { return Ordering::Greater };
        let order = match (part.parse::<u64>(), other.parse::<u64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => part.cmp(other),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    if others.next().is_some() { Ordering::Less } else { Ordering::Equal }
}

fn clause_holds(clause: &str, version: &Version) -> Option<bool> {
    let split = clause.find(|c: char| !"<>=!~^".contains(c)).unwrap_or(clause.len());
    let (operator, rest) = clause.split_at(split);
    let bound = Version::parse(if rest.is_empty() { "*" } else { rest })?;
    let order = version.compare(&bound);
    let below = |kept: usize| version.compare(&bound.above(kept)) == Ordering::Less;
    if !version.pre.is_empty() && bound.pre.is_empty() {
        return Some(false);
    }
    Some(match operator {
        "" | "=" if bound.given < 3 => order != Ordering::Less && below(bound.given),
        "" | "=" => order == Ordering::Equal,
        "!=" => order != Ordering::Equal,
        ">" => order == Ordering::Greater,
        ">=" | "=>" => order != Ordering::Less,
        "<" => order == Ordering::Less,
        "<=" | "=<" => order != Ordering::Greater,
        "~" | "~>" => order != Ordering::Less && below(bound.given.min(2)),
        "^" => {
            let first =
                bound.numbers.iter().position(|number| *number > 0).unwrap_or(bound.given.saturating_sub(1));
            order != Ordering::Less && below((first + 1).min(bound.given))
        }
        _ => return None,
    })
}

/// Whether a text names one version and no range.
pub(super) fn is_exact(text: &str) -> bool {
    Version::parse(text).is_some_and(|version| version.given == 3)
}

/// The highest of these tags that lies in a range.
pub(super) fn highest<'a>(tags: &'a [String], range: &str) -> Option<&'a str> {
    let normal = [">= ", "<= ", "> ", "< ", "= ", "~ ", "^ "]
        .iter()
        .fold(range.to_owned(), |text, spaced| text.replace(spaced, spaced.trim_end()));
    let fits = |version: &Version| {
        normal.split("||").any(|all| {
            let mut clauses = all.split([',', ' ']).filter(|clause| !clause.is_empty());
            clauses.all(|clause| clause_holds(clause, version) == Some(true))
        })
    };
    let versions = tags.iter().filter_map(|tag| Some((Version::parse(tag).filter(|v| v.given == 3)?, tag)));
    versions
        .filter(|(version, _)| fits(version))
        .max_by(|(a, _), (b, _)| a.compare(b))
        .map(|(_, tag)| tag.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best<'a>(tags: &'a [String], range: &str) -> &'a str {
        highest(tags, range).unwrap_or("none")
    }

    #[test]
    fn ranges_choose_the_highest_version_within() {
        let tags = ["1.0.0", "1.2.3", "1.10.0", "2.0.0", "2.1.0-rc1", "latest"].map(str::to_owned);
        for (range, expected) in [
            ("1.x", "1.10.0"),
            ("*", "2.0.0"),
            (">=9.0.0", "none"),
            ("~1.2.0", "1.2.3"),
            ("^1.0.0", "1.10.0"),
            (">= 1.0.0, < 1.5", "1.2.3"),
            (">=2.1.0-0", "2.1.0-rc1"),
            ("1.2.3", "1.2.3"),
        ] {
            assert_eq!(best(&tags, range), expected, "{range}");
        }
    }

    #[test]
    fn a_whole_version_is_exact_and_its_beginning_is_not() {
        assert!(is_exact("1.0.0") && is_exact("1.0.0-rc5"));
        assert!(!is_exact("1.0") && !is_exact(">=1.0.0") && !is_exact("*"));
    }
}
