//! Semantic versions and constraints on them.

use std::cmp::Ordering;
use std::fmt;
use std::rc::Rc;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::Param::Str;
use super::{Function, text};
use crate::value::{Value, display};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("semver", &[Str], |values| Ok(Value::Version(Rc::new(Version::parse(text(&values[0]))?)))),
    Function::new("semverCompare", &[Str, Str], |values| {
        let constraints = Constraints::parse(text(&values[0]))?;
        let version = Version::parse(text(&values[1]))?;
        Ok(Value::Bool(constraints.allow(&version)))
    }),
];

/// A version; its missing parts are 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) major: u64,
    pub(crate) minor: u64,
    pub(crate) patch: u64,
    pub(crate) pre: String,
    pub(crate) metadata: String,
    pub(crate) original: String,
}

static VERSION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?$",
    )
    .ok()
});

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.pre.is_empty() {
            write!(out, "-{}", self.pre)?;
        }
        if !self.metadata.is_empty() {
            write!(out, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

impl Version {
    pub(crate) fn parse(value: &str) -> Result<Self, String> {
        const INVALID: &str = "invalid semantic version";
        let found = VERSION.as_ref().and_then(|regex| regex.captures(value)).ok_or(INVALID)?;
        let part = |index: usize| -> Result<u64, String> {
            let digits = found.get(index).map_or("0", |part| part.as_str().trim_start_matches('.'));
            digits.parse().map_err(|_| {
                format!(
                    "error parsing version segment: strconv.ParseUint: parsing {}: value out of range",
                    display::quote(digits)
                )
            })
        };
        let text = |index: usize| found.get(index).map_or(String::new(), |part| part.as_str().into());
        let pre = text(5);
        if pre.split('.').any(|part| {
            part.len() > 1 && part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit())
        }) {
            return Err("version segment starts with 0".into());
        }
        Ok(Self {
            major: part(1)?,
            minor: part(2)?,
            patch: part(3)?,
            pre,
            metadata: text(8),
            original: value.into(),
        })
    }

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let numbers = (self.major, self.minor, self.patch).cmp(&(other.major, other.minor, other.patch));
        numbers.then_with(|| compare_pre(&self.pre, &other.pre))
    }
}

fn compare_pre(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) => match (left.parse::<u64>(), right.parse::<u64>()) {
                (Ok(left), Ok(right)) => left.cmp(&right),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => left.cmp(right),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Alternatives, each of which is a list of conditions.
pub(crate) struct Constraints(Vec<Vec<Constraint>>);

struct Constraint {
    operator: String,
    version: Version,
    /// Some part is missing or an x.
    dirty: bool,
    minor_dirty: bool,
    patch_dirty: bool,
}

const PART: &str = r"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?";
const OPERATORS: &str = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^";

struct Patterns {
    one: Regex,
    range: Regex,
    find: Regex,
    valid: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    Some(Patterns {
        one: Regex::new(&format!(r"^\s*({OPERATORS})\s*({PART})\s*$")).ok()?,
        range: Regex::new(&format!(r"\s*({PART})\s+-\s+({PART})\s*")).ok()?,
        find: Regex::new(&format!(r"({OPERATORS})\s*({PART})")).ok()?,
        valid: Regex::new(&format!(
            r"^(\s*({OPERATORS})\s*({PART})\s*)((?:\s+|,\s*)({OPERATORS})\s*({PART})\s*)*$"
        ))
        .ok()?,
    })
});

fn improper(text: &str) -> String {
    format!("improper constraint: {}", display::quote(text))
}

impl Constraints {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let patterns = PATTERNS.as_ref().ok_or_else(|| improper(text))?;
        let rewritten = patterns.range.replace_all(text, |found: &Captures<'_>| {
            let part = |index: usize| found.get(index).map_or("", |part| part.as_str()).to_owned();
            format!(">= {}, <= {} ", part(1), part(11))
        });
        let mut alternatives = Vec::new();
        for alternative in rewritten.split("||") {
            if !patterns.valid.is_match(alternative) {
                return Err(improper(alternative));
            }
            let mut conditions = Vec::new();
            for found in patterns.find.find_iter(alternative) {
                conditions.push(Constraint::parse(found.as_str(), patterns)?);
            }
            if conditions.is_empty() {
                conditions.push(Constraint::parse(alternative, patterns)?);
            }
            alternatives.push(conditions);
        }
        Ok(Self(alternatives))
    }

    pub(crate) fn allow(&self, version: &Version) -> bool {
        self.0.iter().any(|conditions| {
            let pre_releases = conditions.iter().any(|condition| !condition.version.pre.is_empty());
            (version.pre.is_empty() || pre_releases)
                && conditions.iter().all(|condition| condition.allows(version))
        })
    }
}

fn is_x(part: &str) -> bool {
    matches!(part, "" | "x" | "X" | "*")
}

impl Constraint {
    fn parse(text: &str, patterns: &Patterns) -> Result<Self, String> {
        if text.is_empty() {
            let version = Version::parse("0.0.0")?;
            return Ok(Self {
                operator: String::new(),
                version,
                dirty: true,
                minor_dirty: false,
                patch_dirty: false,
            });
        }
        let found = patterns.one.captures(text).ok_or_else(|| improper(text))?;
        let part = |index: usize| found.get(index).map_or("", |part| part.as_str());
        let (major, minor, patch, pre) = (part(3), part(4), part(5), part(6));
        let mut constraint = Self {
            operator: part(1).into(),
            version: Version::parse("0.0.0")?,
            dirty: true,
            minor_dirty: false,
            patch_dirty: false,
        };
        let version = if is_x(major) {
            format!("0.0.0{pre}")
        } else if is_x(minor.trim_start_matches('.')) {
            constraint.minor_dirty = true;
            format!("{major}.0.0{pre}")
        } else if is_x(patch.trim_start_matches('.')) {
            constraint.patch_dirty = true;
            format!("{major}{minor}.0{pre}")
        } else {
            constraint.dirty = false;
            part(2).into()
        };
        constraint.version = Version::parse(&version).map_err(|_| "constraint parser error".to_owned())?;
        Ok(constraint)
    }

    fn allows(&self, version: &Version) -> bool {
        match self.operator.as_str() {
            "" | "=" if self.dirty => self.tilde(version),
            "" | "=" => version.compare(&self.version) == Ordering::Equal,
            "!=" => self.differs(version),
            ">" => self.is_below(version),
            "<" => version.compare(&self.version) == Ordering::Less,
            ">=" | "=>" => version.compare(&self.version) != Ordering::Less,
            "<=" | "=<" => self.is_not_below(version),
            "~" | "~>" => self.tilde(version),
            _ => self.caret(version),
        }
    }

    fn differs(&self, version: &Version) -> bool {
        let own = &self.version;
        if self.dirty {
            if own.major != version.major || (own.minor != version.minor && !self.minor_dirty) {
                return true;
            }
            if self.minor_dirty {
                return false;
            }
            if own.patch != version.patch && !self.patch_dirty {
                return true;
            }
            if self.patch_dirty {
                return compare_pre(&version.pre, &own.pre) != Ordering::Equal;
            }
        }
        version.compare(own) != Ordering::Equal
    }

    fn is_below(&self, version: &Version) -> bool {
        let own = &self.version;
        if !self.dirty {
            return version.compare(own) == Ordering::Greater;
        }
        match version.major.cmp(&own.major) {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal if self.minor_dirty => false,
            Ordering::Equal if self.patch_dirty => version.minor > own.minor,
            Ordering::Equal => version.compare(own) == Ordering::Greater,
        }
    }

    fn is_not_below(&self, version: &Version) -> bool {
        let own = &self.version;
        if !self.dirty {
            return version.compare(own) != Ordering::Greater;
        }
        !(version.major > own.major
            || (version.major == own.major && version.minor > own.minor && !self.minor_dirty))
    }

    fn tilde(&self, version: &Version) -> bool {
        let own = &self.version;
        if version.compare(own) == Ordering::Less {
            return false;
        }
        if (own.major, own.minor, own.patch) == (0, 0, 0) && !self.minor_dirty && !self.patch_dirty {
            return true;
        }
        version.major == own.major && (version.minor == own.minor || self.minor_dirty)
    }

    fn caret(&self, version: &Version) -> bool {
        let own = &self.version;
        if version.compare(own) == Ordering::Less {
            return false;
        }
        if own.major > 0 || self.minor_dirty {
            return version.major == own.major;
        }
        if version.major > 0 {
            return false;
        }
        if own.minor > 0 || self.patch_dirty {
            return version.minor == own.minor;
        }
        version.minor == 0 && version.patch == own.patch
    }
}

#[cfg(test)]
mod tests {
    use super::{Constraints, Version};

    fn allows(constraint: &str, version: &str) -> bool {
        let constraints = Constraints::parse(constraint).expect("a constraint");
        constraints.allow(&Version::parse(version).expect("a version"))
    }

    #[test]
    fn constraints_allow_what_they_say() {
        assert!(allows(">=1.19-0", "v1.31.4-gke.100"));
        assert!(!allows(">=1.19", "v1.31.4-gke.100"));
        assert!(allows("^1.2.3", "1.9.0") && !allows("^1.2.3", "2.0.0"));
        assert!(allows("~1.2", "1.2.9") && !allows("~1.2", "1.3.0"));
        assert!(allows("1.2 - 1.4", "1.4.0") && !allows("1.2 - 1.4", "1.5.0"));
        assert!(allows("<1.0 || >=2.0, <3", "2.5.0") && !allows("<1.0 || >=2.0, <3", "3.0.0"));
        assert!(allows("1.x", "1.7.3") && allows("*", "0.1.0") && allows("!=1.2.x", "1.3.0"));
        assert!(Constraints::parse("what").is_err());
    }
}
