//! Cuts a template into tokens.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    Str,
    Text,
    Variable,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

impl Kind {
    fn is_keyword(self) -> bool {
        self as u8 > Self::Variable as u8
    }
}

/// A piece of a template, with where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) pos: usize,
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Token {
    /// As Go's error messages show it.
    pub(crate) fn show(&self) -> String {
        match self.kind {
            Kind::Eof => "EOF".into(),
            Kind::Error => self.text.clone(),
            kind if kind.is_keyword() => format!("<{}>", self.text),
            _ if self.text.len() > 10 => {
                let start: String = self.text.chars().take(10).collect();
                format!("{}...", crate::value::display::quote(&start))
            }
            _ => crate::value::display::quote(&self.text),
        }
    }
}

const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

struct Lexer<'a> {
    input: &'a str,
    pos: usize,
    start: usize,
    start_line: usize,
    parens: i32,
    tokens: Vec<Token>,
}

/// A failed scan has pushed its error token.
struct Stop;

/// All tokens, ending with the end or an error.
pub(crate) fn tokens(input: &str) -> Vec<Token> {
    let mut lexer = Lexer { input, pos: 0, start: 0, start_line: 1, parens: 0, tokens: Vec::new() };
    if lexer.text().is_ok() {
        lexer.start = lexer.pos;
        lexer.emit(Kind::Eof);
    }
    lexer.tokens
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.input[self.pos..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.pos += character.len_utf8();
        Some(character)
    }

    fn accept(&mut self, valid: &str) -> bool {
        match self.peek() {
            Some(character) if valid.contains(character) => {
                self.pos += character.len_utf8();
                true
            }
            _ => false,
        }
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    fn emit(&mut self, kind: Kind) {
        let text = self.input[self.start..self.pos].to_owned();
        self.tokens.push(Token { kind, pos: self.start, text, line: self.start_line });
        self.skip();
    }

    /// Forgets what was read since the last token.
    fn skip(&mut self) {
        self.start_line += self.input[self.start..self.pos].matches('\n').count();
        self.start = self.pos;
    }

    fn fail(&mut self, message: impl Into<String>) -> Stop {
        self.tokens.push(Token {
            kind: Kind::Error,
            pos: self.start,
            text: message.into(),
            line: self.start_line,
        });
        Stop
    }

    fn text(&mut self) -> Result<(), Stop> {
        while let Some(offset) = self.rest().find("{{") {
            let open = self.pos + offset;
            let trims = trims_left(&self.input[open + 2..]);
            let text = &self.input[self.pos..open];
            let kept = if trims { text.trim_end_matches(SPACES).len() } else { text.len() };
            self.pos += kept;
            if kept > 0 {
                self.emit(Kind::Text);
            }
            self.pos = open;
            self.skip();
            self.left_delim(trims)?;
        }
        self.pos = self.input.len();
        if self.pos > self.start {
            self.emit(Kind::Text);
        }
        Ok(())
    }

    fn left_delim(&mut self, trims: bool) -> Result<(), Stop> {
        self.pos += 2;
        let after = self.pos + if trims { 2 } else { 0 };
        if self.input[after..].starts_with("/*") {
            self.pos = after;
            self.skip();
            return self.comment();
        }
        self.emit(Kind::LeftDelim);
        self.pos = after;
        self.skip();
        self.parens = 0;
        while !self.inside_action()? {}
        Ok(())
    }

    fn comment(&mut self) -> Result<(), Stop> {
        self.pos += 2;
        let Some(offset) = self.rest().find("*/") else {
            return Err(self.fail("unclosed comment"));
        };
        self.pos += offset + 2;
        let Some(trims) = self.right_delim_ahead() else {
            return Err(self.fail("comment ends before closing delimiter"));
        };
        self.close(trims);
        Ok(())
    }

    /// Whether a closing delimiter is next, and if so whether it trims.
    fn right_delim_ahead(&self) -> Option<bool> {
        let rest = self.rest();
        if trims_right(rest) && rest[2..].starts_with("}}") {
            Some(true)
        } else {
            rest.starts_with("}}").then_some(false)
        }
    }

    /// Skips a closing delimiter, and the space after it if it trims.
    fn close(&mut self, trims: bool) {
        self.pos += if trims { 4 } else { 2 };
        if trims {
            let rest = self.rest();
            self.pos += rest.len() - rest.trim_start_matches(SPACES).len();
        }
        self.skip();
    }

    fn right_delim(&mut self, trims: bool) {
        if trims {
            self.pos += 2;
            self.skip();
        }
        self.pos += 2;
        self.emit(Kind::RightDelim);
        if trims {
            let rest = self.rest();
            self.pos += rest.len() - rest.trim_start_matches(SPACES).len();
            self.skip();
        }
    }

    /// One token inside of an action; true at its end.
    fn inside_action(&mut self) -> Result<bool, Stop> {
        if let Some(trims) = self.right_delim_ahead() {
            if self.parens != 0 {
                return Err(self.fail("unclosed left paren"));
            }
            self.right_delim(trims);
            return Ok(true);
        }
        let Some(character) = self.next() else {
            return Err(self.fail("unclosed action"));
        };
        match character {
            ' ' | '\t' | '\r' | '\n' => return Ok(self.space()),
            '=' => self.emit(Kind::Assign),
            ':' => {
                if self.next() != Some('=') {
                    return Err(self.fail("expected :="));
                }
                self.emit(Kind::Declare);
            }
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', Kind::Str, "unterminated quoted string")?,
            '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant")?,
            '`' => self.raw_string()?,
            '$' => self.field_or_variable(Kind::Variable, Kind::Variable)?,
            '.' if !self.peek().is_some_and(|next| next.is_ascii_digit()) => {
                self.field_or_variable(Kind::Dot, Kind::Field)?;
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.pos = self.start;
                self.number()?;
            }
            _ if is_alphanumeric(character) => self.identifier()?,
            '(' => {
                self.parens += 1;
                self.emit(Kind::LeftParen);
            }
            ')' => {
                self.parens -= 1;
                if self.parens < 0 {
                    return Err(self.fail("unexpected right paren"));
                }
                self.emit(Kind::RightParen);
            }
            ' '..='~' => self.emit(Kind::Char),
            other => return Err(self.fail(format!("unrecognized character in action: {}", show_rune(other)))),
        }
        Ok(false)
    }

    /// Spaces, but not the one that belongs to a closing ` -}}`; true if that closes the action.
    fn space(&mut self) -> bool {
        while self.peek().is_some_and(is_space) {
            self.pos += 1;
        }
        let last = &self.input[self.pos - 1..];
        if trims_right(last) && last[2..].starts_with("}}") {
            self.pos -= 1;
            if self.pos == self.start {
                self.right_delim(true);
                return true;
            }
        }
        self.emit(Kind::Space);
        false
    }

    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(character) => is_space(character) || self.rest().starts_with("}}"),
        }
    }

    fn bad_character(&mut self) -> Stop {
        let shown = self.peek().map_or_else(|| "U+FFFFFFFFFFFFFFFF".into(), show_rune);
        self.fail(format!("bad character {shown}"))
    }

    fn identifier(&mut self) -> Result<(), Stop> {
        while self.peek().is_some_and(is_alphanumeric) {
            self.next();
        }
        if !self.at_terminator() {
            return Err(self.bad_character());
        }
        let kind = match &self.input[self.start..self.pos] {
            "block" => Kind::Block,
            "break" => Kind::Break,
            "continue" => Kind::Continue,
            "define" => Kind::Define,
            "else" => Kind::Else,
            "end" => Kind::End,
            "if" => Kind::If,
            "range" => Kind::Range,
            "nil" => Kind::Nil,
            "template" => Kind::Template,
            "with" => Kind::With,
            "true" | "false" => Kind::Bool,
            _ => Kind::Identifier,
        };
        self.emit(kind);
        Ok(())
    }

    fn field_or_variable(&mut self, alone: Kind, named: Kind) -> Result<(), Stop> {
        if self.at_terminator() {
            self.emit(alone);
            return Ok(());
        }
        while self.peek().is_some_and(is_alphanumeric) {
            self.next();
        }
        if !self.at_terminator() {
            return Err(self.bad_character());
        }
        self.emit(named);
        Ok(())
    }

    fn quoted(&mut self, delimiter: char, kind: Kind, unterminated: &str) -> Result<(), Stop> {
        loop {
            match self.next() {
                Some('\\') => {
                    if matches!(self.next(), None | Some('\n')) {
                        return Err(self.fail(unterminated));
                    }
                }
                None | Some('\n') => return Err(self.fail(unterminated)),
                Some(character) if character == delimiter => break,
                Some(_) => {}
            }
        }
        self.emit(kind);
        Ok(())
    }

    fn raw_string(&mut self) -> Result<(), Stop> {
        loop {
            match self.next() {
                None => return Err(self.fail("unterminated raw quoted string")),
                Some('`') => break,
                Some(_) => {}
            }
        }
        self.emit(Kind::RawString);
        Ok(())
    }

    fn number(&mut self) -> Result<(), Stop> {
        if !self.scan_number() {
            return Err(self.bad_number());
        }
        if matches!(self.peek(), Some('+' | '-')) {
            if !self.scan_number() || !self.input[..self.pos].ends_with('i') {
                return Err(self.bad_number());
            }
            self.emit(Kind::Complex);
        } else {
            self.emit(Kind::Number);
        }
        Ok(())
    }

    fn bad_number(&mut self) -> Stop {
        let shown = crate::value::display::quote(&self.input[self.start..self.pos]);
        self.fail(format!("bad number syntax: {shown}"))
    }

    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponents = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if self.accept(exponents) {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }
}

fn is_space(character: char) -> bool {
    SPACES.contains(&character)
}

fn is_alphanumeric(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

fn trims_left(after: &str) -> bool {
    let mut characters = after.chars();
    characters.next() == Some('-') && characters.next().is_some_and(is_space)
}

fn trims_right(before: &str) -> bool {
    let mut characters = before.chars();
    characters.next().is_some_and(is_space) && characters.next() == Some('-')
}

/// `%#U`
fn show_rune(character: char) -> String {
    let code = u32::from(character);
    if crate::value::display::is_printable(character) {
        format!("U+{code:04X} '{character}'")
    } else {
        format!("U+{code:04X}")
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, tokens};

    fn kinds(input: &str) -> Vec<(Kind, String)> {
        tokens(input).into_iter().map(|token| (token.kind, token.text)).collect()
    }

    #[test]
    fn markers_trim_the_text_beside_them() {
        let found = kinds("a \n {{- 3 -}}\n b");
        let texts: Vec<&str> =
            found.iter().filter(|(kind, _)| *kind == Kind::Text).map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["a", "b"]);
    }

    #[test]
    fn lines_are_counted_through_trimmed_text() {
        let last = tokens("a\n\n{{- /* one\n two */ -}}\n\n{{ .x }}");
        let field = last.iter().find(|token| token.kind == Kind::Field).expect("a field");
        assert_eq!((field.line, field.text.as_str()), (6, ".x"));
    }

    #[test]
    fn an_action_without_end_is_an_error() {
        let found = kinds("{{ .x ");
        assert_eq!(
            found.last().map(|(kind, text)| (*kind, text.as_str())),
            Some((Kind::Error, "unclosed action"))
        );
    }
}
