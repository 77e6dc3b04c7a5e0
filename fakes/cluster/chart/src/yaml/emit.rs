//! Writes YAML: where lines begin and break, and how texts are quoted.

use std::fmt::Write as _;

use super::{is_blankz, is_break};

/// The two libraries whose output differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Sequences in mappings are not indented, long lines are folded.
    Compact,
    /// Sequences in mappings are indented, lines are as long as they are.
    Pretty,
}

/// How a text wants to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

/// Whether a text is a key on one line with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Key,
    Value,
}

const WIDTH: usize = 80;
const INDENT: isize = 2;

pub(super) struct Emitter {
    pub(super) out: String,
    pub(super) dialect: Dialect,
    pub(super) indent: isize,
    column: usize,
    whitespace: bool,
    /// Only spaces and dashes have been written on this line.
    pub(super) indention: bool,
}

impl Emitter {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { out: String::new(), dialect, indent: -1, column: 0, whitespace: true, indention: true }
    }

    fn put(&mut self, character: char) {
        self.out.push(character);
        self.column += 1;
    }

    fn put_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    /// Copies a line break.
    fn write_break(&mut self, character: char) {
        if character == '\n' {
            self.put_break();
        } else {
            self.out.push(character);
            self.column = 0;
        }
    }

    /// Starts a line at the current indentation, unless there already is one.
    pub(super) fn start_line(&mut self) {
        let indent = usize::try_from(self.indent).unwrap_or(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.put_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        self.indention = true;
    }

    /// Writes an indicator with a space before it if there is none.
    pub(super) fn indicator(&mut self, text: &str) {
        if !self.whitespace {
            self.put(' ');
        }
        self.attached(text);
    }

    /// Writes an indicator right where it is.
    pub(super) fn attached(&mut self, text: &str) {
        for character in text.chars() {
            self.put(character);
        }
        self.whitespace = false;
        self.indention = false;
    }

    /// Writes a dash or question mark, after which a nested block may begin.
    pub(super) fn entry(&mut self, text: &str) {
        let indention = self.indention;
        self.indicator(text);
        self.indention = indention;
    }

    /// Goes one level in; the level to return to is the result.
    pub(super) fn go_in(&mut self) -> isize {
        let outer = self.indent;
        self.indent = if outer < 0 { 0 } else { outer + INDENT };
        outer
    }

    pub(super) fn scalar(&mut self, text: &str, wanted: Style, role: Role) {
        let outer = self.indent;
        self.indent = if outer < 0 { INDENT } else { outer + INDENT };
        let breaks = role == Role::Value && self.dialect == Dialect::Compact;
        match Analysis::of(text).style(text, wanted, role) {
            Style::Plain => self.plain(text, breaks),
            Style::SingleQuoted => self.single_quoted(text, breaks),
            Style::DoubleQuoted => self.double_quoted(text, breaks),
            Style::Literal => self.literal(text),
        }
        self.indent = outer;
    }

    fn plain(&mut self, text: &str, breaks: bool) {
        if !self.whitespace {
            self.put(' ');
        }
        let mut spaces = false;
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            let next = rest.as_str().chars().next();
            if character == ' ' {
                if breaks && !spaces && self.column > WIDTH && next != Some(' ') {
                    self.start_line();
                } else {
                    self.put(character);
                }
                spaces = true;
            } else {
                self.put(character);
                self.indention = false;
                spaces = false;
            }
        }
        self.whitespace = false;
        self.indention = false;
    }

    fn single_quoted(&mut self, text: &str, breaks: bool) {
        self.indicator("'");
        let mut spaces = false;
        let mut after_break = false;
        let mut rest = text.char_indices();
        while let Some((at, character)) = rest.next() {
            let next = rest.as_str().chars().next();
            if character == ' ' {
                let inside = at > 0 && next.is_some_and(|next| next != ' ');
                if breaks && !spaces && self.column > WIDTH && inside {
                    self.start_line();
                } else {
                    self.put(character);
                }
                spaces = true;
            } else if is_break(character) {
                if !after_break && character == '\n' {
                    self.put_break();
                }
                self.write_break(character);
                self.indention = true;
                after_break = true;
            } else {
                if after_break {
                    self.start_line();
                }
                if character == '\'' {
                    self.put('\'');
                }
                self.put(character);
                self.indention = false;
                spaces = false;
                after_break = false;
            }
        }
        self.attached("'");
    }

    fn double_quoted(&mut self, text: &str, breaks: bool) {
        self.indicator("\"");
        // Go's library takes every character of such a text for a byte order mark.
        let marked = text.starts_with('\u{feff}');
        let mut spaces = false;
        let mut rest = text.char_indices();
        while let Some((at, character)) = rest.next() {
            let next = rest.as_str().chars().next();
            if marked || !is_printable(character) || is_break(character) || matches!(character, '"' | '\\') {
                for character in escape(character).chars() {
                    self.put(character);
                }
                spaces = false;
            } else if character == ' ' {
                if breaks && !spaces && self.column > WIDTH && at > 0 && next.is_some() {
                    self.start_line();
                    if next == Some(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(character);
                }
                spaces = true;
            } else {
                self.put(character);
                spaces = false;
            }
        }
        self.attached("\"");
    }

    fn literal(&mut self, text: &str) {
        self.indicator("|");
        if text.starts_with(|first| first == ' ' || is_break(first)) {
            self.attached(&INDENT.to_string());
        }
        let mut from_end = text.chars().rev();
        match (from_end.next(), from_end.next()) {
            (Some(last), _) if !is_break(last) => self.attached("-"),
            (None, _) => self.attached("-"),
            (Some(_), None) => self.attached("+"),
            (Some(_), Some(before)) if is_break(before) => self.attached("+"),
            _ => {}
        }
        self.put_break();
        self.indention = true;
        self.whitespace = true;
        let mut after_break = true;
        for character in text.chars() {
            if is_break(character) {
                self.write_break(character);
                self.indention = true;
                after_break = true;
            } else {
                if after_break {
                    self.start_line();
                }
                self.put(character);
                self.indention = false;
                after_break = false;
            }
        }
    }

    /// The whole document, ended by a newline.
    pub(super) fn finish(mut self) -> String {
        self.indent = -1;
        self.start_line();
        self.out
    }
}

/// The characters that YAML 1.1 lets stand for themselves, as far as Go's library knows them.
fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && character != '\u{feff}'
}

fn escape(character: char) -> String {
    let simple = match character {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        other => {
            let code = u32::from(other);
            let mut out = String::new();
            _ = match code {
                0..=0xff => write!(out, "\\x{code:02X}"),
                0x100..=0xffff => write!(out, "\\u{code:04X}"),
                _ => write!(out, "\\U{code:08X}"),
            };
            return out;
        }
    };
    format!("\\{simple}")
}

/// Which ways of writing a text are open.
pub(super) struct Analysis {
    pub(super) multiline: bool,
    plain: bool,
    single_quoted: bool,
    block: bool,
}

impl Analysis {
    pub(super) fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self { multiline: false, plain: true, single_quoted: true, block: false };
        }
        let characters: Vec<char> = text.chars().collect();
        let last = characters.len() - 1;
        let mut analysis = Self { multiline: false, plain: true, single_quoted: true, block: true };
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let mut special = false;
        let mut break_then_space = false;
        let mut space_then_break = false;
        let mut before = None;
        for (at, character) in characters.iter().copied().enumerate() {
            let followed_by_space = characters.get(at + 1).is_none_or(|next| matches!(next, ' ' | '\t'));
            let preceded_by_space = before.is_none_or(is_blankz);
            indicators |= match character {
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
                | '`'
                    if at == 0 =>
                {
                    true
                }
                '?' | '-' if at == 0 => followed_by_space,
                ':' => followed_by_space,
                '#' => preceded_by_space,
                _ => false,
            };
            special |= !is_printable(character);
            if character == ' ' {
                analysis.plain &= at != 0 && at != last;
                analysis.block &= at != last;
                break_then_space |= before.is_some_and(is_break);
            } else if is_break(character) {
                analysis.multiline = true;
                space_then_break |= before == Some(' ');
            }
            before = Some(character);
        }
        analysis.plain &= !(analysis.multiline || indicators || special);
        analysis.single_quoted = !(break_then_space || space_then_break || special);
        analysis.block &= !(space_then_break || special);
        analysis
    }

    fn style(&self, text: &str, wanted: Style, role: Role) -> Style {
        let mut style = if role == Role::Key && self.multiline { Style::DoubleQuoted } else { wanted };
        if style == Style::Plain && (!self.plain || (text.is_empty() && role == Role::Key)) {
            style = Style::SingleQuoted;
        }
        if style == Style::SingleQuoted && !self.single_quoted {
            style = Style::DoubleQuoted;
        }
        if style == Style::Literal && (!self.block || role == Role::Key) {
            style = Style::DoubleQuoted;
        }
        style
    }
}
