//! What a `sed` script says.

use regex::Regex;

use super::super::regexes::{Case, Syntax, compile};

pub(super) enum Address {
    Line(usize),
    Last,
    Step(usize, usize),
    Regex(Regex),
    Offset(usize),
}

pub(super) enum Action {
    Print,
    PrintFirst,
    Delete,
    DeleteFirst,
    Quit(i32, bool),
    Number,
    Next,
    NextAppended,
    Append(String),
    Insert(String),
    Change(String),
    Translate(Vec<char>, Vec<char>),
    Hold,
    HoldAppended,
    Get,
    GetAppended,
    Exchange,
    Jump(usize),
    Test(usize),
    Label,
    Write(String),
    Substitute(Box<Substitution>),
    /// A block, and where it ends.
    Block(usize),
}

pub(super) struct Command {
    pub(super) from: Option<Address>,
    pub(super) to: Option<Address>,
    pub(super) negated: bool,
    pub(super) action: Action,
}

pub(super) struct Substitution {
    expression: Regex,
    replacement: String,
    all: bool,
    which: usize,
    pub(super) prints: bool,
    pub(super) file: Option<String>,
}

impl Substitution {
    /// The text with what it found replaced, if it found anything.
    pub(super) fn apply(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        let mut last = 0;
        let mut found = 0;
        for captures in self.expression.captures_iter(text) {
            let whole = captures.get(0)?;
            found += 1;
            if found < self.which {
                continue;
            }
            out.push_str(&text[last..whole.start()]);
            self.expand(&captures, &mut out);
            last = whole.end();
            if !self.all {
                break;
            }
        }
        if found < self.which {
            return None;
        }
        out.push_str(&text[last..]);
        Some(out)
    }

    fn expand(&self, captures: &regex::Captures<'_>, out: &mut String) {
        let group = |n: usize| captures.get(n).map_or("", |group| group.as_str());
        let mut chars = self.replacement.chars();
        while let Some(c) = chars.next() {
            match c {
                '&' => out.push_str(group(0)),
                '\\' => match chars.next() {
                    Some(digit) if digit.is_ascii_digit() => {
                        out.push_str(group(
                            digit.to_digit(10).and_then(|n| usize::try_from(n).ok()).unwrap_or(0),
                        ));
                    }
                    Some('n') => out.push('\n'),
                    Some('t') => out.push('\t'),
                    Some(c) => out.push(c),
                    None => out.push('\\'),
                },
                c => out.push(c),
            }
        }
    }
}

type Parsed<T> = Result<T, String>;

/// Parses a script; also says whether it begins with `#n`.
pub(super) fn parse(text: &str, syntax: Syntax) -> Parsed<(Vec<Command>, bool)> {
    let quiet = text.starts_with("#n\n") || text == "#n";
    let mut reader = Reader { chars: text.chars().collect(), at: 0, syntax, last: None };
    let (mut commands, mut blocks, mut labels, mut jumps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    while let Some(command) = reader.command(&mut blocks, &mut labels, &mut jumps, commands.len())? {
        commands.push(command);
        for (start, end) in blocks.iter_mut().filter(|(_, end): &&mut (usize, Option<usize>)| end.is_some()) {
            if let (Some(Command { action: Action::Block(to), .. }), Some(end)) =
                (commands.get_mut(*start), end)
            {
                *to = *end;
            }
        }
        blocks.retain(|(_, end)| end.is_none());
    }
    if !blocks.is_empty() {
        return Err("unmatched '{'".into());
    }
    let count = commands.len();
    for (number, label) in jumps {
        let target = if label.is_empty() {
            count
        } else {
            let found = labels.iter().find(|(_, name)| *name == label).map(|(at, _)| *at);
            found.ok_or(format!("can't find label for jump to '{label}'"))?
        };
        if let Some(Command { action: Action::Jump(to) | Action::Test(to), .. }) = commands.get_mut(number) {
            *to = target;
        }
    }
    Ok((commands, quiet))
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    syntax: Syntax,
    last: Option<Regex>,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn skip(&mut self, set: &str) {
        while self.peek().is_some_and(|c| set.contains(c)) {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Option<usize> {
        let mut digits = String::new();
        while let Some(c) = self.peek().filter(char::is_ascii_digit) {
            digits.push(c);
            self.at += 1;
        }
        digits.parse().ok()
    }

    /// Up to a delimiter; `\` before it makes it a plain character.
    fn until(&mut self, delimiter: char) -> Parsed<String> {
        let mut text = String::new();
        let mut in_set = false;
        loop {
            match self.next() {
                None => return Err("unmatched '".to_owned() + &delimiter.to_string() + "'"),
                Some('\\') => match self.next() {
                    Some(c) if c == delimiter => text.push(c),
                    Some('\n') => text.push('\n'),
                    Some(c) => text.extend(['\\', c]),
                    None => text.push('\\'),
                },
                Some('[') if delimiter != '[' && !in_set => {
                    in_set = self.chars[self.at..].contains(&']');
                    text.push('[');
                    if in_set {
                        for special in ['^', ']'] {
                            if self.peek() == Some(special) {
                                text.push(special);
                                self.at += 1;
                            }
                        }
                    }
                }
                Some(']') if in_set => {
                    in_set = false;
                    text.push(']');
                }
                Some(c) if c == delimiter && !in_set => return Ok(text),
                Some(c) => text.push(c),
            }
        }
    }

    fn plain_until(&mut self, delimiter: char) -> Parsed<String> {
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err("unterminated 's' command".into()),
                Some('\\') => match self.next() {
                    Some(c) if c == delimiter && c != '&' => text.push(c),
                    Some('\n') => text.push('\n'),
                    Some(c) => text.extend(['\\', c]),
                    None => text.push('\\'),
                },
                Some(c) if c == delimiter => return Ok(text),
                Some(c) => text.push(c),
            }
        }
    }

    fn expression(&mut self, text: &str, case: Case) -> Parsed<Regex> {
        if text.is_empty() {
            return self.last.clone().ok_or_else(|| "no previous regexp".into());
        }
        let expression =
            compile(text, self.syntax, case).map_err(|problem| format!("bad regex '{text}': {problem}"))?;
        self.last = Some(expression.clone());
        Ok(expression)
    }

    fn address(&mut self) -> Parsed<Option<Address>> {
        let address = match self.peek() {
            Some('$') => {
                self.at += 1;
                Address::Last
            }
            Some('+') => {
                self.at += 1;
                Address::Offset(self.number().unwrap_or(0))
            }
            Some(c) if c.is_ascii_digit() => {
                let line = self.number().unwrap_or(0);
                if self.peek() == Some('~') {
                    self.at += 1;
                    Address::Step(line, self.number().unwrap_or(0))
                } else {
                    Address::Line(line)
                }
            }
            Some('/') => {
                self.at += 1;
                let text = self.until('/')?;
                let mut case = Case::Matters;
                if self.peek() == Some('I') {
                    self.at += 1;
                    case = Case::Ignored;
                }
                Address::Regex(self.expression(&text, case)?)
            }
            Some('\\') => {
                self.at += 1;
                let delimiter = self.next().ok_or("unexpected end")?;
                let text = self.until(delimiter)?;
                Address::Regex(self.expression(&text, Case::Matters)?)
            }
            _ => return Ok(None),
        };
        Ok(Some(address))
    }

    fn rest_of_line(&mut self, ends: &str) -> String {
        self.skip(" \t");
        let mut text = String::new();
        while let Some(c) = self.peek().filter(|c| !ends.contains(*c)) {
            text.push(c);
            self.at += 1;
        }
        text.trim_end().to_owned()
    }

    /// The text of `a`, `i` and `c`.
    fn text(&mut self) -> String {
        self.skip(" \t");
        if self.peek() == Some('\\') {
            self.at += 1;
            self.skip(" \t");
            if self.peek() == Some('\n') {
                self.at += 1;
            }
        }
        let mut text = String::new();
        while let Some(c) = self.next() {
            match c {
                '\\' => match self.next() {
                    Some('t') => text.push('\t'),
                    Some(c) => text.push(c),
                    None => {}
                },
                '\n' => break,
                c => text.push(c),
            }
        }
        text
    }

    fn command(
        &mut self,
        blocks: &mut Vec<(usize, Option<usize>)>,
        labels: &mut Vec<(usize, String)>,
        jumps: &mut Vec<(usize, String)>,
        number: usize,
    ) -> Parsed<Option<Command>> {
        loop {
            self.skip(" \t\n;");
            match self.peek() {
                Some('#') => drop(self.rest_of_line("\n")),
                Some('}') => {
                    self.at += 1;
                    let open = blocks.iter_mut().rev().find(|(_, end)| end.is_none());
                    let (_, end) = open.ok_or("unexpected '}'")?;
                    *end = Some(number);
                    // The end is noted in the block's command at once: a label stands in for it.
                    return Ok(Some(Command { from: None, to: None, negated: false, action: Action::Label }));
                }
                _ => break,
            }
        }
        let from = self.address()?;
        let mut to = None;
        if self.peek() == Some(',') {
            self.at += 1;
            self.skip(" \t");
            to = Some(self.address()?.ok_or("no address after comma")?);
            if let (Some(Address::Line(line)), Some(Address::Offset(more))) = (&from, &to) {
                to = Some(Address::Line(line + more));
            }
        }
        self.skip(" \t");
        let negated = self.peek() == Some('!');
        if negated {
            self.at += 1;
            self.skip(" \t");
        }
        let Some(letter) = self.next() else {
            return if from.is_some() { Err("missing command".into()) } else { Ok(None) };
        };
        let action = match letter {
            'p' => Action::Print,
            'P' => Action::PrintFirst,
            'd' => Action::Delete,
            'D' => Action::DeleteFirst,
            'q' | 'Q' => {
                self.skip(" \t");
                let code = self.number().and_then(|n| i32::try_from(n).ok()).unwrap_or(0);
                Action::Quit(code, letter == 'q')
            }
            '=' => Action::Number,
            'n' => Action::Next,
            'N' => Action::NextAppended,
            'a' => Action::Append(self.text()),
            'i' => Action::Insert(self.text()),
            'c' => Action::Change(self.text()),
            'h' => Action::Hold,
            'H' => Action::HoldAppended,
            'g' => Action::Get,
            'G' => Action::GetAppended,
            'x' => Action::Exchange,
            'w' => Action::Write(self.rest_of_line("\n")),
            ':' => {
                labels.push((number, self.rest_of_line("\n;")));
                Action::Label
            }
            'b' | 't' => {
                jumps.push((number, self.rest_of_line("\n;}")));
                if letter == 'b' { Action::Jump(0) } else { Action::Test(0) }
            }
            '{' => {
                blocks.push((number, None));
                Action::Block(0)
            }
            'y' => {
                let delimiter = self.next().ok_or("bad format in substitution expression")?;
                let from = crate::escapes::unescape_c(&self.plain_until(delimiter)?);
                let to = crate::escapes::unescape_c(&self.plain_until(delimiter)?);
                Action::Translate(from.chars().collect(), to.chars().collect())
            }
            's' => self.substitution()?,
            other => return Err(format!("unsupported command {other}")),
        };
        Ok(Some(Command { from, to, negated, action }))
    }

    fn substitution(&mut self) -> Parsed<Action> {
        let delimiter = self.next().ok_or("bad format in substitution expression")?;
        let pattern = self.until(delimiter)?;
        let replacement = self.plain_until(delimiter)?;
        let (mut all, mut which, mut prints, mut file, mut case) = (false, 1, false, None, Case::Matters);
        loop {
            match self.peek() {
                Some('g') => all = true,
                Some('p') => prints = true,
                Some('i' | 'I') => case = Case::Ignored,
                Some('w') => {
                    self.at += 1;
                    file = Some(self.rest_of_line("\n"));
                    break;
                }
                Some(c) if c.is_ascii_digit() => {
                    which = self.number().unwrap_or(1).max(1);
                    continue;
                }
                _ => break,
            }
            self.at += 1;
        }
        let expression = self.expression(&pattern, case)?;
        Ok(Action::Substitute(Box::new(Substitution { expression, replacement, all, which, prints, file })))
    }
}
