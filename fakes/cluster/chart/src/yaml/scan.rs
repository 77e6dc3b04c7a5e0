//! Cuts YAML into tokens, finding out where keys and blocks begin.

use std::collections::{HashMap, VecDeque};

use crate::value::text::stray_byte;

use super::{Mark, YamlError, is_blank, is_blankz, is_break, is_breakz};

/// A piece of YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    StreamEnd,
    VersionDirective { major: u32, minor: u32 },
    TagDirective { handle: String, prefix: String },
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(String),
    Anchor(String),
    Tag { handle: String, suffix: String },
    Scalar { text: String, plain: Plain },
}

/// Whether a scalar has quotes or the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    Yes,
    No,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: Mark,
}

/// What may turn out to be a key once a colon follows.
#[derive(Clone, Copy, Debug, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token: usize,
    mark: Mark,
}

pub(super) type Scanned<T> = Result<T, YamlError>;

pub(super) struct Scanner {
    pub(super) text: Vec<char>,
    pub(super) mark: Mark,
    pub(super) indent: isize,
    pub(super) flow_level: usize,
    pub(super) key_allowed: bool,
    indents: Vec<isize>,
    keys: Vec<SimpleKey>,
    /// Which of the keys begins with which token; emptied as early as the Go library does it.
    key_of_token: HashMap<usize, usize>,
    queue: VecDeque<Token>,
    /// How many tokens have left the queue.
    taken: usize,
    done: bool,
}

/// How deep flow collections and blocks may be nested.
const MAX_DEPTH: usize = 1000;

impl Scanner {
    pub(super) fn new(text: &str) -> Scanned<Self> {
        let text: Vec<char> = text.strip_prefix('\u{feff}').unwrap_or(text).chars().collect();
        if let Some(bad) = text.iter().position(|character| !is_allowed(*character)) {
            return Err(YamlError::plain(complaint(&text[bad..])));
        }
        Ok(Self {
            text,
            mark: Mark::default(),
            indent: -1,
            flow_level: 0,
            key_allowed: true,
            indents: Vec::new(),
            keys: vec![SimpleKey::default()],
            key_of_token: HashMap::new(),
            queue: VecDeque::new(),
            taken: 0,
            done: false,
        })
    }

    /// The next token, which stays.
    pub(super) fn peek(&mut self) -> Scanned<&Token> {
        while self.needs_more()? {
            self.fetch()?;
        }
        self.queue
            .front()
            .ok_or_else(|| YamlError::plain("attempted to go past the end of stream; corrupted value?"))
    }

    /// Takes the token that was peeked at.
    pub(super) fn skip_token(&mut self) {
        self.queue.pop_front();
        self.taken += 1;
    }

    /// Whether the next token may still become a key.
    fn needs_more(&mut self) -> Scanned<bool> {
        if self.queue.is_empty() {
            return Ok(!self.done);
        }
        match self.key_of_token.get(&self.taken) {
            Some(index) => self.key_is_valid(*index),
            None => Ok(false),
        }
    }

    pub(super) fn look(&self, ahead: usize) -> char {
        self.text.get(self.mark.index + ahead).copied().unwrap_or('\0')
    }

    pub(super) fn skip(&mut self) {
        self.mark.index += 1;
        self.mark.column += 1;
    }

    pub(super) fn skip_line(&mut self) {
        self.mark.index += if self.look(0) == '\r' && self.look(1) == '\n' { 2 } else { 1 };
        self.mark.column = 0;
        self.mark.line += 1;
    }

    pub(super) fn read(&mut self, into: &mut String) {
        into.push(self.look(0));
        self.skip();
    }

    /// Takes a line break, which becomes a newline.
    pub(super) fn read_line(&mut self, into: &mut String) {
        let first = self.look(0);
        into.push(if matches!(first, '\r' | '\u{85}') { '\n' } else { first });
        self.skip_line();
    }

    pub(super) fn fail<T>(&self, context: Mark, problem: &str) -> Scanned<T> {
        Err(YamlError::scanner(self.mark, context, problem))
    }

    fn push(&mut self, kind: Kind, start: Mark) {
        self.queue.push_back(Token { kind, start });
    }

    /// A token of some characters.
    fn indicator(&mut self, kind: Kind, length: usize) {
        let start = self.mark;
        for _ in 0..length {
            self.skip();
        }
        self.push(kind, start);
    }

    fn fetch(&mut self) -> Scanned<()> {
        self.seek_token();
        self.unroll_indent(self.mark.column as isize);
        let first = self.look(0);
        if first == '\0' && self.mark.index >= self.text.len() {
            return self.stream_end();
        }
        if self.mark.column == 0 {
            if first == '%' {
                self.end_blocks()?;
                let start = self.mark;
                let kind = self.directive()?;
                self.push(kind, start);
                return Ok(());
            }
            if self.at_document_indicator() {
                self.end_blocks()?;
                let kind = if first == '-' { Kind::DocumentStart } else { Kind::DocumentEnd };
                self.indicator(kind, 3);
                return Ok(());
            }
        }
        let blank_next = is_blankz(self.look(1));
        let in_flow = self.flow_level > 0;
        match first {
            '[' => self.flow_start(Kind::FlowSequenceStart),
            '{' => self.flow_start(Kind::FlowMappingStart),
            ']' => self.flow_end(Kind::FlowSequenceEnd),
            '}' => self.flow_end(Kind::FlowMappingEnd),
            ',' => {
                self.remove_key()?;
                self.key_allowed = true;
                self.indicator(Kind::FlowEntry, 1);
                Ok(())
            }
            '-' if blank_next => self.block_entry(),
            '?' if in_flow || blank_next => self.key(),
            ':' if in_flow || blank_next => self.value(),
            '*' | '&' => {
                self.save_key()?;
                self.key_allowed = false;
                let start = self.mark;
                let kind = self.anchor()?;
                self.push(kind, start);
                Ok(())
            }
            '!' => {
                self.save_key()?;
                self.key_allowed = false;
                let start = self.mark;
                let kind = self.tag()?;
                self.push(kind, start);
                Ok(())
            }
            '|' | '>' if !in_flow => {
                self.remove_key()?;
                self.key_allowed = true;
                let start = self.mark;
                let text = self.block_scalar()?;
                self.push(Kind::Scalar { text, plain: Plain::No }, start);
                Ok(())
            }
            '\'' | '"' => {
                self.save_key()?;
                self.key_allowed = false;
                let start = self.mark;
                let text = self.quoted_scalar()?;
                self.push(Kind::Scalar { text, plain: Plain::No }, start);
                Ok(())
            }
            _ if self.starts_plain(first) => {
                self.save_key()?;
                self.key_allowed = false;
                let start = self.mark;
                let text = self.plain_scalar()?;
                self.push(Kind::Scalar { text, plain: Plain::Yes }, start);
                Ok(())
            }
            _ => self.fail(self.mark, "found character that cannot start any token"),
        }
    }

    fn starts_plain(&self, first: char) -> bool {
        let indicator = "-?:,[]{}#&*!|>'\"%@`".contains(first);
        (!is_blankz(first) && !indicator)
            || (first == '-' && !is_blank(self.look(1)))
            || (self.flow_level == 0 && matches!(first, '?' | ':') && !is_blankz(self.look(1)))
    }

    /// Whether `---` or `...` stands here by itself.
    pub(super) fn at_document_indicator(&self) -> bool {
        let first = self.look(0);
        self.mark.column == 0
            && matches!(first, '-' | '.')
            && self.look(1) == first
            && self.look(2) == first
            && is_blankz(self.look(3))
    }

    fn seek_token(&mut self) {
        loop {
            if self.mark.column == 0 && self.look(0) == '\u{feff}' {
                self.skip();
            }
            while self.look(0) == ' ' || ((self.flow_level > 0 || !self.key_allowed) && self.look(0) == '\t')
            {
                self.skip();
            }
            if self.look(0) == '#' {
                while !is_breakz(self.look(0)) {
                    self.skip();
                }
            }
            if !is_break(self.look(0)) {
                return;
            }
            self.skip_line();
            if self.flow_level == 0 {
                self.key_allowed = true;
            }
        }
    }

    /// Whether a possible key is still near enough.
    fn key_is_valid(&mut self, index: usize) -> Scanned<bool> {
        let Some(key) = self.keys.get(index).copied() else {
            return Ok(false);
        };
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line < self.mark.line || key.mark.index + 1024 < self.mark.index {
            if key.required {
                return self.fail(key.mark, "could not find expected ':'");
            }
            self.keys[index].possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    fn save_key(&mut self) -> Scanned<()> {
        let required = self.flow_level == 0 && self.indent == self.mark.column as isize;
        if self.key_allowed {
            self.remove_key()?;
            let key =
                SimpleKey { possible: true, required, token: self.taken + self.queue.len(), mark: self.mark };
            if let Some(last) = self.keys.last_mut() {
                *last = key;
                self.key_of_token.insert(key.token, self.keys.len() - 1);
            }
        }
        Ok(())
    }

    fn remove_key(&mut self) -> Scanned<()> {
        let Some(key) = self.keys.last().copied() else {
            return Ok(());
        };
        if key.possible && key.required {
            return self.fail(key.mark, "could not find expected ':'");
        }
        if let Some(last) = self.keys.last_mut()
            && last.possible
        {
            last.possible = false;
            self.key_of_token.remove(&key.token);
        }
        Ok(())
    }

    fn flow_start(&mut self, kind: Kind) -> Scanned<()> {
        self.save_key()?;
        self.keys.push(SimpleKey {
            token: self.taken + self.queue.len(),
            mark: self.mark,
            ..SimpleKey::default()
        });
        self.flow_level += 1;
        if self.flow_level > MAX_DEPTH {
            return self.fail(self.mark, &format!("exceeded max depth of {MAX_DEPTH}"));
        }
        self.key_allowed = true;
        self.indicator(kind, 1);
        Ok(())
    }

    fn flow_end(&mut self, kind: Kind) -> Scanned<()> {
        self.remove_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            if let Some(key) = self.keys.pop() {
                self.key_of_token.remove(&key.token);
            }
        }
        self.key_allowed = false;
        self.indicator(kind, 1);
        Ok(())
    }

    fn block_entry(&mut self) -> Scanned<()> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return self.fail(self.mark, "block sequence entries are not allowed in this context");
            }
            self.roll_indent(self.mark, None, Kind::BlockSequenceStart)?;
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.indicator(Kind::BlockEntry, 1);
        Ok(())
    }

    fn key(&mut self) -> Scanned<()> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return self.fail(self.mark, "mapping keys are not allowed in this context");
            }
            self.roll_indent(self.mark, None, Kind::BlockMappingStart)?;
        }
        self.remove_key()?;
        self.key_allowed = self.flow_level == 0;
        self.indicator(Kind::Key, 1);
        Ok(())
    }

    fn value(&mut self) -> Scanned<()> {
        let last = self.keys.len() - 1;
        if self.key_is_valid(last)? {
            let key = self.keys[last];
            self.queue.insert(key.token - self.taken, Token { kind: Kind::Key, start: key.mark });
            self.roll_indent(key.mark, Some(key.token), Kind::BlockMappingStart)?;
            self.keys[last].possible = false;
            self.key_of_token.remove(&key.token);
            self.key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.key_allowed {
                    return self.fail(self.mark, "mapping values are not allowed in this context");
                }
                self.roll_indent(self.mark, None, Kind::BlockMappingStart)?;
            }
            self.key_allowed = self.flow_level == 0;
        }
        self.indicator(Kind::Value, 1);
        Ok(())
    }

    /// Opens a block if the column is further in than the last one.
    fn roll_indent(&mut self, at: Mark, token: Option<usize>, kind: Kind) -> Scanned<()> {
        let column = at.column as isize;
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > MAX_DEPTH {
            return self.fail(self.mark, &format!("exceeded max depth of {MAX_DEPTH}"));
        }
        let start = Token { kind, start: at };
        match token {
            Some(token) => self.queue.insert(token - self.taken, start),
            None => self.queue.push_back(start),
        }
        Ok(())
    }

    /// Closes the blocks that are further in than the column.
    fn unroll_indent(&mut self, column: isize) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            self.push(Kind::BlockEnd, self.mark);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn end_blocks(&mut self) -> Scanned<()> {
        self.unroll_indent(-1);
        self.remove_key()?;
        self.key_allowed = false;
        Ok(())
    }

    fn stream_end(&mut self) -> Scanned<()> {
        if self.mark.column != 0 {
            self.mark.column = 0;
            self.mark.line += 1;
        }
        self.end_blocks()?;
        self.push(Kind::StreamEnd, self.mark);
        self.done = true;
        Ok(())
    }
}

fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
        && stray_byte(character).is_none()
}

/// What is wrong with the first of some characters.
fn complaint(text: &[char]) -> &'static str {
    let bytes: Vec<u8> = text.iter().map_while(|character| stray_byte(*character)).take(4).collect();
    let missing = match bytes.first() {
        None => return "control characters are not allowed",
        Some(0xc0..=0xdf) => 1,
        Some(0xe0..=0xef) => 2,
        Some(0xf0..=0xf7) => 3,
        Some(_) => return "invalid leading UTF-8 octet",
    };
    let left: usize =
        text.iter().take(4).map(|character| stray_byte(*character).map_or(character.len_utf8(), |_| 1)).sum();
    if left <= missing { "incomplete UTF-8 octet sequence" } else { "invalid trailing UTF-8 octet" }
}
