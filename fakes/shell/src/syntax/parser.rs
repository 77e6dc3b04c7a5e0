//! Commands: lists, pipelines, compound commands, redirections.

use std::sync::Arc;

use super::word::Until;
use super::{Arm, Command, Item, Kind, Link, List, Part, Pipeline, Place, Redirect, RedirectKind, Word};

/// Why a script cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SyntaxError {
    /// It ends too early; more lines may mend it.
    #[error("syntax error: {0}")]
    Incomplete(String),
    /// No more lines will mend it.
    #[error("syntax error: {0}")]
    Wrong(String),
}

/// Reads a script command by command.
pub(crate) struct Parser {
    text: Vec<char>,
    at: usize,
    /// Where the text goes on after this line, when here-documents follow it.
    after_line: Option<usize>,
    first_line: usize,
}

/// Words with a meaning of their own where a command begins.
const ENDS: [&str; 9] = ["}", "do", "done", "elif", "else", "esac", "fi", "then", "in"];

pub(super) fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether this may be the name of a variable.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(is_name_char)
}

type Parsed<T> = Result<T, SyntaxError>;

impl Parser {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.chars().collect(), at: 0, after_line: None, first_line: 1 }
    }

    /// A text that begins at some line of its script.
    pub(crate) fn at_line(text: &str, line: usize) -> Self {
        Self { first_line: line, ..Self::new(text) }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    pub(super) fn peek_at(&self, offset: usize) -> Option<char> {
        self.text.get(self.at + offset).copied()
    }

    pub(super) fn advance(&mut self) {
        self.at += 1;
    }

    pub(super) fn next_char(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn back_to(&mut self, position: usize) {
        self.at = position;
    }

    /// Whether nothing but blanks and comments is left.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.skip_lines();
        self.peek().is_none()
    }

    /// The line that is being read.
    pub(crate) fn line(&self) -> usize {
        self.first_line + self.text[..self.at.min(self.text.len())].iter().filter(|c| **c == '\n').count()
    }

    /// All that is left, as one list.
    pub(crate) fn everything(&mut self) -> Parsed<List> {
        let list = self.list()?;
        if self.peek().is_some() { Err(self.unexpected()) } else { Ok(list) }
    }

    /// The commands up to the end of a line; nothing at the end of the text.
    pub(crate) fn complete_command(&mut self) -> Parsed<Option<List>> {
        self.skip_lines();
        if self.peek().is_none() {
            return Ok(None);
        }
        let mut items = Vec::new();
        loop {
            items.push(self.item()?);
            self.skip_blanks();
            match self.peek() {
                None => break,
                Some('\n') => {
                    self.newline();
                    break;
                }
                Some(')') => return Err(self.unexpected()),
                Some(_) if self.at_end_word() => return Err(self.unexpected()),
                Some(_) => {}
            }
        }
        Ok(Some(Arc::new(items)))
    }

    fn newline(&mut self) {
        self.advance();
        if let Some(after) = self.after_line.take() {
            self.at = after;
        }
    }

    fn skip_blanks(&mut self) {
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' => self.advance(),
                '\\' if self.peek_at(1) == Some('\n') => self.at += 2,
                '#' => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.advance();
                    }
                }
                _ => break,
            }
        }
    }

    fn skip_lines(&mut self) {
        loop {
            self.skip_blanks();
            if self.peek() != Some('\n') {
                return;
            }
            self.newline();
        }
    }

    fn looking_at(&self, operator: &str) -> bool {
        operator.chars().enumerate().all(|(n, c)| self.peek_at(n) == Some(c))
    }

    fn eat(&mut self, operator: &str) -> bool {
        let found = self.looking_at(operator);
        if found {
            self.at += operator.len();
        }
        found
    }

    /// The plain word that stands here, not consumed.
    fn bare_word(&self) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default();
        rest.iter().take_while(|c| !" \t\r\n;&|<>()".contains(**c)).collect()
    }

    fn at_end_word(&self) -> bool {
        ENDS.contains(&self.bare_word().as_str())
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.bare_word() == word;
        if found {
            self.at += word.chars().count();
        }
        found
    }

    fn unexpected(&self) -> SyntaxError {
        let Some(c) = self.peek() else {
            return SyntaxError::Incomplete("unexpected end of file".into());
        };
        let token = match c {
            '\n' => return SyntaxError::Wrong("unexpected newline".into()),
            ';' | '&' | '|' if self.peek_at(1) == Some(c) => format!("{c}{c}"),
            ';' | '&' | '|' | '(' | ')' | '<' | '>' => c.to_string(),
            _ => self.bare_word(),
        };
        SyntaxError::Wrong(format!("unexpected \"{token}\""))
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        self.skip_lines();
        if self.eat_word(word) {
            return Ok(());
        }
        Err(match self.unexpected() {
            SyntaxError::Incomplete(text) => {
                SyntaxError::Incomplete(format!("{text} (expecting \"{word}\")"))
            }
            SyntaxError::Wrong(text) => SyntaxError::Wrong(format!("{text} (expecting \"{word}\")")),
        })
    }

    /// After `$(`, up to its `)`.
    pub(super) fn nested_list(&mut self) -> Parsed<List> {
        let list = self.list()?;
        if self.eat(")") { Ok(list) } else { Err(self.unexpected_for(")")) }
    }

    fn unexpected_for(&self, wanted: &str) -> SyntaxError {
        match self.unexpected() {
            SyntaxError::Incomplete(text) => {
                SyntaxError::Incomplete(format!("{text} (expecting \"{wanted}\")"))
            }
            wrong => wrong,
        }
    }

    /// Commands until something that ends a list.
    fn list(&mut self) -> Parsed<List> {
        let mut items = Vec::new();
        loop {
            self.skip_lines();
            match self.peek() {
                None | Some(')') => break,
                Some(';') if self.peek_at(1) == Some(';') || self.peek_at(1) == Some('&') => break,
                Some(_) if self.at_end_word() => break,
                Some(_) => items.push(self.item()?),
            }
        }
        Ok(Arc::new(items))
    }

    /// A list that must not be empty.
    fn body(&mut self) -> Parsed<List> {
        let list = self.list()?;
        // At the end of the text whoever called says what is missing.
        if list.is_empty() && self.peek().is_some() { Err(self.unexpected()) } else { Ok(list) }
    }

    fn item(&mut self) -> Parsed<Item> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.skip_blanks();
            let link = if self.eat("&&") {
                Link::And
            } else if self.eat("||") {
                Link::Or
            } else {
                break;
            };
            self.skip_lines();
            rest.push((link, self.pipeline()?));
        }
        let mut place = Place::Foreground;
        if self.looking_at(";;") || self.looking_at(";&") {
            return Ok(Item { first, rest, place });
        }
        if self.eat("&") {
            place = Place::Background;
        } else if !self.eat(";") && !matches!(self.peek(), None | Some('\n' | ')')) {
            return Err(self.unexpected());
        }
        Ok(Item { first, rest, place })
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        let mut negated = false;
        self.skip_blanks();
        while self.eat_word("!") {
            negated = !negated;
            self.skip_blanks();
        }
        let mut commands = vec![Arc::new(self.command()?)];
        loop {
            self.skip_blanks();
            if self.looking_at("||") || !self.eat("|") {
                return Ok(Pipeline { negated, commands });
            }
            self.skip_lines();
            commands.push(Arc::new(self.command()?));
        }
    }

    fn command(&mut self) -> Parsed<Command> {
        self.skip_blanks();
        let line = self.line();
        if let Some(kind) = self.compound()? {
            let mut redirects = Vec::new();
            if !matches!(kind, Kind::Function { .. }) {
                while let Some(redirect) = self.redirect()? {
                    redirects.push(redirect);
                }
            }
            return Ok(Command { kind, redirects, line });
        }
        self.simple(line)
    }

    fn compound(&mut self) -> Parsed<Option<Kind>> {
        if self.eat("(") {
            let list = self.body()?;
            return if self.eat(")") {
                Ok(Some(Kind::Subshell(list)))
            } else {
                Err(self.unexpected_for(")"))
            };
        }
        let word = self.bare_word();
        if ENDS.contains(&word.as_str()) && word != "in" {
            return Err(self.unexpected());
        }
        let kind = match word.as_str() {
            "{" => {
                self.at += 1;
                let list = self.body()?;
                self.expect_word("}")?;
                Kind::Group(list)
            }
            "if" => self.if_clause()?,
            "while" | "until" => {
                self.at += word.len();
                let condition = self.body()?;
                Kind::While { condition, until: word == "until", body: self.do_group()? }
            }
            "for" => self.for_clause()?,
            "case" => self.case_clause()?,
            _ => return self.function(&word),
        };
        Ok(Some(kind))
    }

    fn do_group(&mut self) -> Parsed<List> {
        self.expect_word("do")?;
        let body = self.body()?;
        self.expect_word("done")?;
        Ok(body)
    }

    fn if_clause(&mut self) -> Parsed<Kind> {
        self.at += 2;
        let mut arms = Vec::new();
        loop {
            let condition = self.body()?;
            self.expect_word("then")?;
            arms.push((condition, self.body()?));
            if self.eat_word("elif") {
                continue;
            }
            let otherwise = if self.eat_word("else") { Some(self.body()?) } else { None };
            self.expect_word("fi")?;
            return Ok(Kind::If { arms, otherwise });
        }
    }

    fn for_clause(&mut self) -> Parsed<Kind> {
        self.at += 3;
        self.skip_blanks();
        let name = self.bare_word();
        if !is_name(&name) {
            return Err(match self.peek() {
                None => self.unexpected(),
                Some(_) => SyntaxError::Wrong("bad for loop variable".into()),
            });
        }
        self.at += name.len();
        self.skip_lines();
        let mut words = None;
        if self.eat_word("in") {
            let mut list = Vec::new();
            loop {
                self.skip_blanks();
                let word = self.word(Until::Token)?;
                if word.is_empty() {
                    break;
                }
                list.push(word);
            }
            if !self.eat(";") && !matches!(self.peek(), Some('\n') | None) {
                return Err(self.unexpected());
            }
            words = Some(list);
        } else {
            self.eat(";");
        }
        Ok(Kind::For { name, words, body: self.do_group()? })
    }

    fn case_clause(&mut self) -> Parsed<Kind> {
        self.at += 4;
        self.skip_blanks();
        let word = self.word(Until::Token)?;
        self.expect_word("in")?;
        let mut arms = Vec::new();
        loop {
            self.skip_lines();
            if self.eat_word("esac") {
                return Ok(Kind::Case { word, arms });
            }
            self.eat("(");
            let mut patterns = Vec::new();
            loop {
                self.skip_blanks();
                let pattern = self.word(Until::Token)?;
                if pattern.is_empty() {
                    return Err(self.unexpected_for(")"));
                }
                patterns.push(pattern);
                self.skip_blanks();
                if !self.eat("|") {
                    break;
                }
            }
            if !self.eat(")") {
                return Err(self.unexpected_for(")"));
            }
            let body = self.list()?;
            let falls_through = self.eat(";&");
            let more = falls_through || self.eat(";;");
            arms.push(Arm { patterns, body, falls_through });
            if !more {
                self.expect_word("esac")?;
                return Ok(Kind::Case { word, arms });
            }
        }
    }

    /// `name() command`, or nothing when it is none.
    fn function(&mut self, word: &str) -> Parsed<Option<Kind>> {
        let start = self.at;
        let name = if word == "function" {
            self.at += word.len();
            self.skip_blanks();
            let name = self.bare_word();
            self.at += name.chars().count();
            self.skip_blanks();
            if self.eat("(") {
                self.skip_blanks();
                self.eat(")");
            }
            name
        } else {
            self.at += word.chars().count();
            self.skip_blanks();
            let is_function = !word.is_empty()
                && word.chars().all(|c| is_name_char(c) || "-.:".contains(c))
                && self.eat("(")
                && {
                    self.skip_blanks();
                    self.eat(")")
                };
            if !is_function {
                self.at = start;
                return Ok(None);
            }
            word.to_owned()
        };
        self.skip_lines();
        Ok(Some(Kind::Function { name, body: Arc::new(self.command()?) }))
    }

    fn simple(&mut self, line: usize) -> Parsed<Command> {
        let (mut assignments, mut words, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            self.skip_blanks();
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            let word = self.word(Until::Token)?;
            if word.is_empty() {
                break;
            }
            match (words.is_empty(), assignment(&word)) {
                (true, Some(assigned)) => assignments.push(assigned),
                _ => words.push(word),
            }
        }
        if words.is_empty() && assignments.is_empty() && redirects.is_empty() {
            return Err(self.unexpected());
        }
        Ok(Command { kind: Kind::Simple { assignments, words }, redirects, line })
    }

    fn redirect(&mut self) -> Parsed<Option<Redirect>> {
        self.skip_blanks();
        let start = self.at;
        let mut digits = String::new();
        while let Some(c) = self.peek().filter(char::is_ascii_digit) {
            digits.push(c);
            self.advance();
        }
        if !matches!(self.peek(), Some('<' | '>')) {
            self.at = start;
            return Ok(None);
        }
        let (kind, usual) = if self.eat("<<") {
            let strip = self.eat("-");
            let fd = digits.parse().unwrap_or(0);
            return self.here_document(fd, strip).map(Some);
        } else if self.eat("<&") {
            (RedirectKind::Duplicate, 0)
        } else if self.eat("<>") {
            (RedirectKind::ReadWrite, 0)
        } else if self.eat("<") {
            (RedirectKind::Read, 0)
        } else if self.eat(">&") {
            (RedirectKind::Duplicate, 1)
        } else if self.eat(">>") {
            (RedirectKind::Append, 1)
        } else if self.eat(">|") {
            (RedirectKind::Clobber, 1)
        } else {
            self.eat(">");
            (RedirectKind::Write, 1)
        };
        self.skip_blanks();
        let target = self.word(Until::Token)?;
        if target.is_empty() {
            return Err(match self.peek() {
                None => SyntaxError::Incomplete("unexpected end of file".into()),
                Some(_) => self.unexpected(),
            });
        }
        Ok(Some(Redirect { fd: digits.parse().unwrap_or(usual), kind, target }))
    }

    fn here_document(&mut self, fd: i32, strip: bool) -> Parsed<Redirect> {
        self.skip_blanks();
        let word = self.word(Until::Token)?;
        let is_quoted = word.iter().any(|part| !matches!(part, Part::Literal(_)));
        let end = plain(&word);
        let begin = self.after_line.or_else(|| {
            self.text[self.at..].iter().position(|c| *c == '\n').map(|offset| self.at + offset + 1)
        });
        let missing = || SyntaxError::Incomplete("unexpected end of file in here-document".into());
        let mut at = begin.ok_or_else(missing)?;
        let mut text = String::new();
        loop {
            if at >= self.text.len() {
                return Err(missing());
            }
            let stop = self.text[at..].iter().position(|c| *c == '\n').map_or(self.text.len(), |n| at + n);
            let mut line: String = self.text[at..stop].iter().collect();
            at = (stop + 1).min(self.text.len());
            if strip {
                line = line.trim_start_matches('\t').to_owned();
            }
            if line == end {
                break;
            }
            text.push_str(&line);
            text.push('\n');
        }
        self.after_line = Some(at);
        let target = if is_quoted { vec![Part::Quoted(text)] } else { super::parse_text(&text)? };
        Ok(Redirect { fd, kind: RedirectKind::HereDocument, target })
    }
}

fn plain(word: &Word) -> String {
    let mut text = String::new();
    for part in word {
        match part {
            Part::Literal(piece) | Part::Quoted(piece) => text.push_str(piece),
            Part::Double(parts) => text.push_str(&plain(parts)),
            Part::Parameter(_) | Part::Command(_) | Part::Arithmetic(_) => {}
        }
    }
    text
}

/// `name=value`, taken apart.
fn assignment(word: &Word) -> Option<(String, Word)> {
    let Some(Part::Literal(text)) = word.first() else { return None };
    let (name, rest) = text.split_once('=')?;
    if !is_name(name) {
        return None;
    }
    let mut value = Vec::new();
    if !rest.is_empty() {
        value.push(Part::Literal(rest.to_owned()));
    }
    value.extend(word.iter().skip(1).cloned());
    Some((name.to_owned(), value))
}
