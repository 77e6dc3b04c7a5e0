//! Bytes become lines.

use std::sync::LazyLock;

use regex::Regex;

use super::Position;

/// What moves a cursor, changes a colour or asks a terminal something, and what rings.
static CONTROL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-Z\\-_]|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]")
        .expect("a good pattern")
});

/// What was heard so far.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    lines: Vec<String>,
    rest: Vec<u8>,
    /// The rest, as a line.
    begun: String,
    ended: bool,
}

impl Splitter {
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            self.lines.push(readable(&line));
        }
        self.begun = readable(&self.rest);
    }

    pub(super) fn end(&mut self) {
        if !self.begun.is_empty() {
            self.lines.push(std::mem::take(&mut self.begun));
        }
        self.rest.clear();
        self.ended = true;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Where it is now.
    pub(super) fn position(&self) -> Position {
        Position { line: self.lines.len(), column: self.begun.len() }
    }

    /// Where the line begins that has not ended yet.
    pub(super) fn begun_at(&self) -> Position {
        Position { line: self.lines.len(), column: 0 }
    }

    /// The lines that have ended, from a position on.
    pub(super) fn ended_from(&self, from: Position) -> impl Iterator<Item = &str> {
        let first = self.lines.get(from.line).map(|line| rest(line, from.column));
        // Of a line that was read to its end there is nothing left to read.
        let first = first.filter(|line| from.column == 0 || !line.is_empty());
        first.into_iter().chain(self.lines.iter().skip(from.line + 1).map(String::as_str))
    }

    /// The line that has begun, from a position on.
    pub(super) fn begun_from(&self, from: Position) -> Option<&str> {
        let column = if from.line == self.lines.len() { from.column } else { 0 };
        Some(rest(&self.begun, column)).filter(|line| !line.is_empty())
    }
}

/// A line from a column on; all of it where it has changed so much that there is none.
fn rest(line: &str, column: usize) -> &str {
    line.get(column..).unwrap_or(line)
}

/// A line as a person sees it: after a carriage return the next text overwrites what was there.
fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches(['\n', '\r']);
    let last = text.rsplit('\r').find(|part| !part.is_empty()).unwrap_or_default();
    CONTROL.replace_all(last, "").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &Splitter) -> Vec<&str> {
        from(text, Position::default())
    }

    fn from(text: &Splitter, position: Position) -> Vec<&str> {
        text.ended_from(position).chain(text.begun_from(position)).collect()
    }

    #[test]
    fn a_line_may_come_in_pieces_and_is_seen_before_it_ends() {
        let mut text = Splitter::default();
        text.take(b"one\r\ntw");
        assert_eq!(all(&text), ["one", "tw"]);
        text.take(b"o\nlogin: ");
        assert_eq!(all(&text), ["one", "two", "login: "]);
        text.end();
        assert_eq!(text.ended_from(Position::default()).count(), 3);
    }

    #[test]
    fn what_was_read_of_a_line_is_not_read_again() {
        let mut text = Splitter::default();
        text.take(b"one\ncode 0");
        let read = text.position();
        assert!(from(&text, read).is_empty());
        text.take(b"\r\nnext\nlast");
        assert_eq!(from(&text, read), ["next", "last"]);
        text.take(b" words");
        let mut grown = Splitter::default();
        grown.take(b"code");
        let read = grown.position();
        grown.take(b" 12\n");
        assert_eq!(from(&grown, read), [" 12"]);
    }

    #[test]
    fn what_only_a_terminal_understands_is_left_out() {
        let mut text = Splitter::default();
        text.take(b"\x1b[1;32m[  0.1]\x1b[0m up\x07\x1b[6n\n 10%\r 50%\r100%\n\xff\n");
        assert_eq!(all(&text), ["[  0.1] up", "100%", "\u{fffd}"]);
    }
}
