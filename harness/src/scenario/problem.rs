//! What is wrong with a scenario file, and where.

use std::fmt;
use std::path::{Path, PathBuf};

/// A line and a column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl Place {
    /// Where a file begins.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, in a sentence without its end.
    pub message: String,
}

impl Problem {
    pub(super) fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: message.into() }
    }
}

/// A file that is no scenario, with all that is wrong with it.
#[derive(Debug, Clone)]
pub struct BadScenario {
    /// The file.
    pub path: PathBuf,
    /// What is wrong, by place.
    pub problems: Vec<Problem>,
    source: String,
}

impl BadScenario {
    pub(super) fn new(path: &Path, source: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.place);
        Self { path: path.to_owned(), problems, source: source.to_owned() }
    }
}

impl std::error::Error for BadScenario {}

impl fmt::Display for BadScenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            let Place { line, column } = problem.place;
            let text = self.source.lines().nth(line.saturating_sub(1)).unwrap_or_default();
            let gutter = line.to_string().len();
            writeln!(f, "{}:{line}:{column}: {}", self.path.display(), problem.message)?;
            writeln!(f, "{:gutter$} |", "")?;
            writeln!(f, "{line} | {text}")?;
            write!(f, "{:gutter$} | {:>column$}", "", "^")?;
        }
        Ok(())
    }
}
