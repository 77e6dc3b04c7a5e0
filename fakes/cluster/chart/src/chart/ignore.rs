//! `.helmignore`.

use super::pattern::matches;

/// The rules of a file, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Clone, Debug)]
struct Rule {
    pattern: String,
    negated: bool,
    only_directories: bool,
    /// The pattern is held against the whole path, not just the name.
    whole_path: bool,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    File,
    Directory,
}

impl Rules {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut rules = Self::default();
        for line in text.trim_start_matches('\u{feff}').lines() {
            rules.add(line)?;
        }
        Ok(rules)
    }

    /// With the rule that hides dot files among the templates.
    pub(super) fn with_defaults(mut self) -> Self {
        let rule = Rule {
            pattern: "templates/.?*".into(),
            negated: false,
            only_directories: false,
            whole_path: true,
        };
        self.0.push(rule);
        self
    }

    fn add(&mut self, line: &str) -> Result<(), String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if line.contains("**") {
            return Err("double-star (**) syntax is not supported".into());
        }
        if matches(line, "abc").is_none() {
            return Err("syntax error in pattern".into());
        }
        let (negated, rule) = line.strip_prefix('!').map_or((false, line), |rule| (true, rule));
        let (only_directories, rule) = rule.strip_suffix('/').map_or((false, rule), |rule| (true, rule));
        let rooted = rule.strip_prefix('/');
        self.0.push(Rule {
            pattern: rooted.unwrap_or(rule).into(),
            negated,
            only_directories,
            whole_path: rooted.is_some() || rule.contains('/'),
        });
        Ok(())
    }

    pub(super) fn ignores(&self, path: &str, what: What) -> bool {
        for rule in &self.0 {
            let misses_kind = rule.only_directories && what != What::Directory;
            if rule.negated {
                if misses_kind || !rule.matches(path) {
                    return true;
                }
            } else if !misses_kind && rule.matches(path) {
                return true;
            }
        }
        false
    }
}

impl Rule {
    fn matches(&self, path: &str) -> bool {
        let held = if self.whole_path { path } else { path.rsplit('/').next().unwrap_or(path) };
        matches(&self.pattern, held) == Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::{Rules, What};

    #[test]
    fn rules_hold_for_names_paths_and_directories() {
        let rules = Rules::parse("# comment\n*.bak\n/top.txt\nsub/file\n.git/\n").expect("rules");
        assert!(rules.ignores("a/b.bak", What::File));
        assert!(rules.ignores("top.txt", What::File) && !rules.ignores("a/top.txt", What::File));
        assert!(rules.ignores("sub/file", What::File));
        assert!(rules.ignores(".git", What::Directory) && !rules.ignores(".git", What::File));
        assert!(Rules::parse("a/**/b").is_err());
    }
}
