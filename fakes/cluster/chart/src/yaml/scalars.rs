//! The texts in YAML: plain, quoted, and in blocks.

use super::scan::{Scanned, Scanner};
use super::{Mark, is_blank, is_blankz, is_break, is_breakz};

/// What happens to the newlines at the end of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomp {
    Strip,
    Clip,
    Keep,
}

/// The spaces and line breaks between two words.
#[derive(Default)]
struct Gap {
    spaces: String,
    first_break: String,
    breaks: String,
    /// A line break has been seen.
    broken: bool,
}

impl Gap {
    fn is_empty(&self) -> bool {
        !self.broken && self.spaces.is_empty()
    }

    /// One line break is a space, more of them are one less.
    fn fold_into(&mut self, text: &mut String) {
        if self.broken {
            if self.first_break.starts_with('\n') {
                text.push_str(if self.breaks.is_empty() { " " } else { &self.breaks });
            } else {
                text.push_str(&self.first_break);
                text.push_str(&self.breaks);
            }
        } else {
            text.push_str(&self.spaces);
        }
        *self = Self::default();
    }
}

impl Scanner {
    pub(super) fn block_scalar(&mut self) -> Scanned<String> {
        let start = self.mark;
        let literal = self.look(0) == '|';
        self.skip();
        let (chomp, increment) = self.block_header(start)?;
        if !self.rest_of_line() {
            return self.fail(start, "did not find expected comment or line break");
        }
        let mut indent = increment.map_or(0, |increment| self.indent.max(0).unsigned_abs() + increment);
        let mut text = String::new();
        let mut first_break = String::new();
        let mut breaks = String::new();
        let mut after_blank = false;
        self.block_breaks(&mut indent, &mut breaks, start)?;
        while self.mark.column == indent && self.mark.index < self.text.len() {
            let blank = is_blank(self.look(0));
            if !literal && !after_blank && !blank && first_break.starts_with('\n') {
                if breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(&first_break);
            }
            first_break.clear();
            text.push_str(&breaks);
            breaks.clear();
            after_blank = blank;
            while !is_breakz(self.look(0)) {
                self.read(&mut text);
            }
            if is_break(self.look(0)) {
                self.read_line(&mut first_break);
            }
            self.block_breaks(&mut indent, &mut breaks, start)?;
        }
        if chomp != Chomp::Strip {
            text.push_str(&first_break);
        }
        if chomp == Chomp::Keep {
            text.push_str(&breaks);
        }
        Ok(text)
    }

    /// `+`, `-` and the number of spaces, in any order.
    fn block_header(&mut self, start: Mark) -> Scanned<(Chomp, Option<usize>)> {
        let mut chomp = None;
        let mut increment = None;
        loop {
            match self.look(0) {
                '+' if chomp.is_none() => chomp = Some(Chomp::Keep),
                '-' if chomp.is_none() => chomp = Some(Chomp::Strip),
                '0' if increment.is_none() => {
                    return self.fail(start, "found an indentation indicator equal to 0");
                }
                digit @ '1'..='9' if increment.is_none() => increment = digit.to_digit(10),
                _ => break,
            }
            self.skip();
        }
        Ok((chomp.unwrap_or(Chomp::Clip), increment.map(|increment| increment as usize)))
    }

    /// Empty lines in a block; finds out the block's indentation if it is not known.
    fn block_breaks(&mut self, indent: &mut usize, breaks: &mut String, start: Mark) -> Scanned<()> {
        let mut deepest = 0;
        loop {
            while (*indent == 0 || self.mark.column < *indent) && self.look(0) == ' ' {
                self.skip();
            }
            deepest = deepest.max(self.mark.column);
            if (*indent == 0 || self.mark.column < *indent) && self.look(0) == '\t' {
                return self.fail(start, "found a tab character where an indentation space is expected");
            }
            if !is_break(self.look(0)) {
                break;
            }
            self.read_line(breaks);
        }
        if *indent == 0 {
            let least = usize::try_from(self.indent + 1).unwrap_or(0);
            *indent = deepest.max(least).max(1);
        }
        Ok(())
    }

    pub(super) fn quoted_scalar(&mut self) -> Scanned<String> {
        let start = self.mark;
        let quote = self.look(0);
        self.skip();
        let mut text = String::new();
        loop {
            if self.at_document_indicator() {
                return self.fail(start, "found unexpected document indicator");
            }
            if self.mark.index >= self.text.len() {
                return self.fail(start, "found unexpected end of stream");
            }
            let mut gap = Gap::default();
            self.quoted_word(quote, start, &mut text, &mut gap)?;
            if self.look(0) == quote {
                break;
            }
            self.gap(&mut gap);
            gap.fold_into(&mut text);
        }
        self.skip();
        Ok(text)
    }

    fn quoted_word(&mut self, quote: char, start: Mark, text: &mut String, gap: &mut Gap) -> Scanned<()> {
        while !is_blankz(self.look(0)) {
            match self.look(0) {
                '\'' if quote == '\'' && self.look(1) == '\'' => {
                    text.push('\'');
                    self.skip();
                    self.skip();
                }
                character if character == quote => break,
                '\\' if quote == '"' && is_break(self.look(1)) => {
                    self.skip();
                    self.skip_line();
                    gap.broken = true;
                    break;
                }
                '\\' if quote == '"' => self.escape(start, text)?,
                _ => self.read(text),
            }
        }
        Ok(())
    }

    fn escape(&mut self, start: Mark, text: &mut String) -> Scanned<()> {
        let length = match self.look(1) {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            code => {
                let Some(character) = simple_escape(code) else {
                    return self.fail(start, "found unknown escape character");
                };
                text.push(character);
                self.skip();
                self.skip();
                return Ok(());
            }
        };
        self.skip();
        self.skip();
        let mut code = 0_u32;
        for ahead in 0..length {
            let Some(digit) = self.look(ahead).to_digit(16) else {
                return self.fail(start, "did not find expected hexdecimal number");
            };
            code = code.wrapping_shl(4) | digit;
        }
        let Some(character) = char::from_u32(code) else {
            return self.fail(start, "found invalid Unicode character escape code");
        };
        text.push(character);
        for _ in 0..length {
            self.skip();
        }
        Ok(())
    }

    /// Takes spaces and line breaks.
    fn gap(&mut self, gap: &mut Gap) {
        loop {
            let next = self.look(0);
            if is_blank(next) {
                if gap.broken {
                    self.skip();
                } else {
                    self.read(&mut gap.spaces);
                }
            } else if is_break(next) {
                if gap.broken {
                    self.read_line(&mut gap.breaks);
                } else {
                    gap.spaces.clear();
                    self.read_line(&mut gap.first_break);
                    gap.broken = true;
                }
            } else {
                return;
            }
        }
    }

    pub(super) fn plain_scalar(&mut self) -> Scanned<String> {
        let start = self.mark;
        let indent = self.indent + 1;
        let mut text = String::new();
        let mut gap = Gap::default();
        loop {
            if self.at_document_indicator() || self.look(0) == '#' {
                break;
            }
            while !is_blankz(self.look(0)) && !self.ends_plain() {
                if !gap.is_empty() {
                    gap.fold_into(&mut text);
                }
                self.read(&mut text);
            }
            if !(is_blank(self.look(0)) || is_break(self.look(0))) {
                break;
            }
            self.plain_gap(&mut gap, indent, start)?;
            if self.flow_level == 0 && (self.mark.column as isize) < indent {
                break;
            }
        }
        if gap.broken {
            self.key_allowed = true;
        }
        Ok(text)
    }

    fn ends_plain(&self) -> bool {
        let first = self.look(0);
        (first == ':' && is_blankz(self.look(1))) || (self.flow_level > 0 && ",?[]{}".contains(first))
    }

    fn plain_gap(&mut self, gap: &mut Gap, indent: isize, start: Mark) -> Scanned<()> {
        loop {
            let next = self.look(0);
            if is_blank(next) {
                if gap.broken && (self.mark.column as isize) < indent && next == '\t' {
                    return self.fail(start, "found a tab character that violates indentation");
                }
                if gap.broken {
                    self.skip();
                } else {
                    self.read(&mut gap.spaces);
                }
            } else if is_break(next) {
                if gap.broken {
                    self.read_line(&mut gap.breaks);
                } else {
                    gap.spaces.clear();
                    self.read_line(&mut gap.first_break);
                    gap.broken = true;
                }
            } else {
                return Ok(());
            }
        }
    }
}

fn simple_escape(code: char) -> Option<char> {
    Some(match code {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        ' ' => ' ',
        '"' => '"',
        '\'' => '\'',
        '\\' => '\\',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        _ => return None,
    })
}
