//! Words: quotes, parameters, substitutions.

use super::parser::{Parser, SyntaxError, is_name_char};
use super::{Operation, Parameter, Part, Word};

/// What ends a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// An operator or a blank.
    Token,
    /// The `}` of an expansion.
    Brace,
    /// As `Brace`, or this.
    BraceOr(char),
}

/// Parses the text of a here-document or of a value as if it stood in double quotes.
pub(crate) fn parse_text(text: &str) -> Result<Word, SyntaxError> {
    let mut parser = Parser::new(text);
    let mut parts = Vec::new();
    let mut literal = String::new();
    while let Some(c) = parser.peek() {
        parser.quoted_piece(c, None, &mut parts, &mut literal)?;
    }
    flush(&mut parts, &mut literal, true);
    Ok(vec![Part::Double(parts)])
}

fn flush(parts: &mut Vec<Part>, literal: &mut String, quoted: bool) {
    if !literal.is_empty() {
        let text = std::mem::take(literal);
        parts.push(if quoted { Part::Quoted(text) } else { Part::Literal(text) });
    }
}

impl Parser {
    /// A word, or nothing when there is none.
    pub(super) fn word(&mut self, until: Until) -> Result<Word, SyntaxError> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        while let Some(c) = self.peek() {
            let ends = match until {
                Until::Token => " \t\n;&|<>()".contains(c),
                Until::Brace => c == '}',
                Until::BraceOr(other) => c == '}' || c == other,
            };
            if ends {
                break;
            }
            match c {
                '\'' => {
                    flush(&mut parts, &mut literal, false);
                    self.advance();
                    parts.push(Part::Quoted(self.until_quote()?));
                }
                '"' => {
                    flush(&mut parts, &mut literal, false);
                    self.advance();
                    parts.push(Part::Double(self.double()?));
                }
                '\\' => {
                    self.advance();
                    match self.peek() {
                        Some('\n') => self.advance(),
                        Some(c) => {
                            flush(&mut parts, &mut literal, false);
                            parts.push(Part::Quoted(c.to_string()));
                            self.advance();
                        }
                        None => literal.push('\\'),
                    }
                }
                '$' => self.dollar(&mut parts, &mut literal, false)?,
                '`' => {
                    flush(&mut parts, &mut literal, false);
                    parts.push(self.backticks(false)?);
                }
                c => {
                    literal.push(c);
                    self.advance();
                }
            }
        }
        flush(&mut parts, &mut literal, false);
        Ok(parts)
    }

    fn until_quote(&mut self) -> Result<String, SyntaxError> {
        let mut text = String::new();
        loop {
            match self.next_char() {
                None => return Err(SyntaxError::Incomplete("unterminated quoted string".into())),
                Some('\'') => return Ok(text),
                Some(c) => text.push(c),
            }
        }
    }

    /// After an opening double quote.
    fn double(&mut self) -> Result<Vec<Part>, SyntaxError> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        loop {
            match self.peek() {
                None => return Err(SyntaxError::Incomplete("unterminated quoted string".into())),
                Some('"') => {
                    self.advance();
                    break;
                }
                Some(c) => self.quoted_piece(c, Some('"'), &mut parts, &mut literal)?,
            }
        }
        flush(&mut parts, &mut literal, true);
        Ok(parts)
    }

    /// One character, or one expansion, within double quotes.
    fn quoted_piece(
        &mut self,
        c: char,
        quote: Option<char>,
        parts: &mut Vec<Part>,
        literal: &mut String,
    ) -> Result<(), SyntaxError> {
        match c {
            '\\' => {
                self.advance();
                match self.peek() {
                    Some('\n') => self.advance(),
                    Some(c) if "$`\\".contains(c) || Some(c) == quote => {
                        literal.push(c);
                        self.advance();
                    }
                    _ => literal.push('\\'),
                }
            }
            '$' => self.dollar(parts, literal, true)?,
            '`' => {
                flush(parts, literal, true);
                parts.push(self.backticks(quote.is_some())?);
            }
            c => {
                literal.push(c);
                self.advance();
            }
        }
        Ok(())
    }

    /// At a `$`.
    fn dollar(
        &mut self,
        parts: &mut Vec<Part>,
        literal: &mut String,
        quoted: bool,
    ) -> Result<(), SyntaxError> {
        self.advance();
        let Some(c) = self.peek() else {
            literal.push('$');
            return Ok(());
        };
        if c == '(' {
            flush(parts, literal, quoted);
            self.advance();
            if self.peek() == Some('(')
                && let Some(part) = self.arithmetic()?
            {
                parts.push(part);
                return Ok(());
            }
            let list = self.nested_list()?;
            parts.push(Part::Command(list));
        } else if c == '{' {
            flush(parts, literal, quoted);
            self.advance();
            parts.push(Part::Parameter(self.braced(quoted)?));
        } else if c == '\'' && !quoted {
            flush(parts, literal, quoted);
            self.advance();
            let text = self.until_ansi_quote()?;
            parts.push(Part::Quoted(crate::escapes::unescape_c(&text)));
        } else if let Some(name) = self.parameter_name(false) {
            flush(parts, literal, quoted);
            parts.push(Part::Parameter(Parameter { name, operation: Operation::Value }));
        } else {
            literal.push('$');
        }
        Ok(())
    }

    fn until_ansi_quote(&mut self) -> Result<String, SyntaxError> {
        let mut text = String::new();
        loop {
            match self.next_char() {
                None => return Err(SyntaxError::Incomplete("unterminated quoted string".into())),
                Some('\'') => return Ok(text),
                Some('\\') => match self.next_char() {
                    Some('\'') => text.push('\''),
                    Some(c) => text.extend(['\\', c]),
                    None => text.push('\\'),
                },
                Some(c) => text.push(c),
            }
        }
    }

    fn parameter_name(&mut self, braced: bool) -> Option<String> {
        let c = self.peek()?;
        if "@*#?-$!".contains(c) {
            self.advance();
            return Some(c.to_string());
        }
        let mut name = String::new();
        if c.is_ascii_digit() {
            while let Some(c) = self.peek().filter(char::is_ascii_digit) {
                name.push(c);
                self.advance();
                if !braced {
                    break;
                }
            }
            return Some(name);
        }
        while let Some(c) = self.peek().filter(|c| is_name_char(*c)) {
            name.push(c);
            self.advance();
        }
        (!name.is_empty()).then_some(name)
    }

    /// After `${`.
    fn braced(&mut self, quoted: bool) -> Result<Parameter, SyntaxError> {
        let bad = || SyntaxError::Wrong("bad substitution".into());
        if self.peek() == Some('#')
            && !matches!(self.peek_at(1), Some('}' | '#' | '%' | ':' | '-' | '=' | '?' | '+'))
        {
            self.advance();
            let name = self.parameter_name(true).ok_or_else(bad)?;
            return if self.next_char() == Some('}') {
                Ok(Parameter { name, operation: Operation::Length })
            } else {
                Err(bad())
            };
        }
        let name = self.parameter_name(true).ok_or_else(bad)?;
        let operation = self.operation(quoted)?;
        match self.next_char() {
            Some('}') => Ok(Parameter { name, operation }),
            Some(_) => Err(bad()),
            None => Err(SyntaxError::Incomplete("missing '}'".into())),
        }
    }

    fn operation(&mut self, quoted: bool) -> Result<Operation, SyntaxError> {
        let Some(c) = self.peek() else { return Err(SyntaxError::Incomplete("missing '}'".into())) };
        match c {
            '}' => Ok(Operation::Value),
            ':' if matches!(self.peek_at(1), Some('-' | '=' | '?' | '+')) => {
                self.advance();
                let sign = self.next_char().unwrap_or('-');
                Ok(Operation::Fallback { sign, colon: true, word: self.operand(quoted)? })
            }
            '-' | '=' | '?' | '+' => {
                self.advance();
                Ok(Operation::Fallback { sign: c, colon: false, word: self.operand(quoted)? })
            }
            ':' => {
                self.advance();
                let offset = self.word(Until::BraceOr(':'))?;
                let length = if self.peek() == Some(':') {
                    self.advance();
                    Some(self.word(Until::Brace)?)
                } else {
                    None
                };
                Ok(Operation::Slice { offset, length })
            }
            '#' | '%' => {
                self.advance();
                let longest = self.peek() == Some(c);
                if longest {
                    self.advance();
                }
                Ok(Operation::Strip { suffix: c == '%', longest, pattern: self.word(Until::Brace)? })
            }
            '/' => {
                self.advance();
                let all = self.peek() == Some('/');
                if all {
                    self.advance();
                }
                let pattern = self.word(Until::BraceOr('/'))?;
                let with = if self.peek() == Some('/') {
                    self.advance();
                    self.word(Until::Brace)?
                } else {
                    Vec::new()
                };
                Ok(Operation::Replace { all, pattern, with })
            }
            _ => Err(SyntaxError::Wrong("bad substitution".into())),
        }
    }

    /// The word after `:-`; in double quotes its single quotes mean nothing.
    fn operand(&mut self, quoted: bool) -> Result<Word, SyntaxError> {
        if !quoted {
            return self.word(Until::Brace);
        }
        let mut parts = Vec::new();
        let mut literal = String::new();
        while let Some(c) = self.peek() {
            match c {
                '}' => break,
                '"' => {
                    flush(&mut parts, &mut literal, true);
                    self.advance();
                    parts.push(Part::Double(self.double()?));
                }
                '\\' if self.peek_at(1) == Some('}') => {
                    self.advance();
                    self.advance();
                    literal.push('}');
                }
                c => self.quoted_piece(c, Some('"'), &mut parts, &mut literal)?,
            }
        }
        flush(&mut parts, &mut literal, true);
        Ok(parts)
    }

    /// At the second parenthesis of `$((`; nothing when it is a subshell in a substitution after all.
    fn arithmetic(&mut self) -> Result<Option<Part>, SyntaxError> {
        let start = self.position();
        self.advance();
        let (mut depth, mut text) = (0_usize, String::new());
        loop {
            match self.next_char() {
                None => return Err(SyntaxError::Incomplete("missing '))'".into())),
                Some('(') => {
                    depth += 1;
                    text.push('(');
                }
                Some(')') if depth > 0 => {
                    depth -= 1;
                    text.push(')');
                }
                Some(')') if self.peek() == Some(')') => {
                    self.advance();
                    let word = parse_text(&text)?;
                    return Ok(Some(Part::Arithmetic(word)));
                }
                Some(')') => {
                    self.back_to(start);
                    return Ok(None);
                }
                Some(c) => text.push(c),
            }
        }
    }

    fn backticks(&mut self, quoted: bool) -> Result<Part, SyntaxError> {
        self.advance();
        let mut text = String::new();
        loop {
            match self.next_char() {
                None => return Err(SyntaxError::Incomplete("EOF in backquote substitution".into())),
                Some('`') => break,
                Some('\\') => match self.next_char() {
                    Some(c) if "`$\\".contains(c) || (quoted && c == '"') => text.push(c),
                    Some(c) => text.extend(['\\', c]),
                    None => text.push('\\'),
                },
                Some(c) => text.push(c),
            }
        }
        Ok(Part::Command(Parser::new(&text).everything()?))
    }
}
