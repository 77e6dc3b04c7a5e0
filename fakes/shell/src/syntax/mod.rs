//! What a script says: the grammar of the POSIX shell, as busybox reads it.

mod parser;
mod word;

use std::sync::Arc;

pub(crate) use parser::{Parser, SyntaxError, is_name};
pub(crate) use word::parse_text;

/// Commands in their order.
pub(crate) type List = Arc<Vec<Item>>;

/// One command of a list.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) first: Pipeline,
    pub(crate) rest: Vec<(Link, Pipeline)>,
    pub(crate) place: Place,
}

/// Whether a command is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Foreground,
    Background,
}

/// `&&` or `||`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    And,
    Or,
}

/// Commands with pipes between them.
#[derive(Debug)]
pub(crate) struct Pipeline {
    /// Begins with `!`.
    pub(crate) negated: bool,
    pub(crate) commands: Vec<Arc<Command>>,
}

/// A command with its redirections.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) kind: Kind,
    pub(crate) redirects: Vec<Redirect>,
    pub(crate) line: usize,
}

/// What kind of command it is.
#[derive(Debug)]
pub(crate) enum Kind {
    Simple { assignments: Vec<(String, Word)>, words: Vec<Word> },
    Subshell(List),
    Group(List),
    If { arms: Vec<(List, List)>, otherwise: Option<List> },
    While { condition: List, until: bool, body: List },
    For { name: String, words: Option<Vec<Word>>, body: List },
    Case { word: Word, arms: Vec<Arm> },
    Function { name: String, body: Arc<Command> },
}

/// One arm of a `case`.
#[derive(Debug)]
pub(crate) struct Arm {
    pub(crate) patterns: Vec<Word>,
    pub(crate) body: List,
    /// Ends with `;&`.
    pub(crate) falls_through: bool,
}

/// A redirection.
#[derive(Debug)]
pub(crate) struct Redirect {
    pub(crate) fd: i32,
    pub(crate) kind: RedirectKind,
    pub(crate) target: Word,
}

/// What a redirection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RedirectKind {
    Read,
    Write,
    /// `>|`
    Clobber,
    Append,
    ReadWrite,
    /// `<&` and `>&`
    Duplicate,
    HereDocument,
}

/// A word before its expansion.
pub(crate) type Word = Vec<Part>;

/// A piece of a word.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// Not quoted.
    Literal(String),
    /// Quoted, or escaped: stands for itself.
    Quoted(String),
    /// Within double quotes.
    Double(Vec<Part>),
    Parameter(Parameter),
    Command(List),
    Arithmetic(Vec<Part>),
}

/// `$x` and its kin.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) operation: Operation,
}

/// What is done with a parameter.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Value,
    Length,
    /// `-`, `=`, `?`, `+`; with a colon an empty value counts as none.
    Fallback {
        sign: char,
        colon: bool,
        word: Word,
    },
    /// `#`, `##`, `%`, `%%`.
    Strip {
        suffix: bool,
        longest: bool,
        pattern: Word,
    },
    /// `/` and `//`.
    Replace {
        all: bool,
        pattern: Word,
        with: Word,
    },
    /// `:offset:length`.
    Slice {
        offset: Word,
        length: Option<Word>,
    },
}
