//! YAML as Go's `sigs.k8s.io/yaml` reads and writes it: version 1.1, with JSON's types.

mod emit;
mod indicators;
mod key_order;
mod marshal;
mod parse;
mod resolve;
mod scalars;
mod scan;
mod tags;

pub(crate) use marshal::{marshal, marshal_pretty};
pub(crate) use resolve::{unmarshal, unmarshal_whole};

/// Where something is in a text: all counted from 0, in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    index: usize,
    line: usize,
    column: usize,
}

/// Why a text is no YAML, in the words of Go's library.
#[derive(Clone, Debug)]
pub(crate) struct YamlError(String);

impl YamlError {
    /// An error of the scanner, which counts lines from 1.
    fn scanner(mark: Mark, context: Mark, problem: &str) -> Self {
        Self::at(if mark.line == 0 { context.line } else { mark.line + 1 }, problem)
    }

    /// An error of the parser, which counts lines from 0.
    fn parser(mark: Mark, problem: &str) -> Self {
        Self::at(mark.line, problem)
    }

    fn at(line: usize, problem: &str) -> Self {
        Self(if line == 0 { format!("yaml: {problem}") } else { format!("yaml: line {line}: {problem}") })
    }

    fn plain(problem: &str) -> Self {
        Self(format!("yaml: {problem}"))
    }
}

fn is_break(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

/// A line break, or the end of the text.
fn is_breakz(character: char) -> bool {
    is_break(character) || character == '\0'
}

fn is_blankz(character: char) -> bool {
    is_blank(character) || is_breakz(character)
}

fn is_alpha(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}
