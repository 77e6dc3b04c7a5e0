//! SQL as PostgreSQL reads it, cut into words.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or a name without quotes.
    Word,
    /// A name in double quotes; the text is the name itself.
    Quoted,
    /// A string; the text is its value.
    Text,
    Number,
    /// `$1`; the text is the number.
    Parameter,
    Sign,
}

/// A word of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

impl Token {
    pub(crate) fn word(text: &str) -> Self {
        Self { kind: Kind::Word, text: text.to_owned() }
    }

    pub(crate) fn sign(text: &str) -> Self {
        Self { kind: Kind::Sign, text: text.to_owned() }
    }

    pub(crate) fn string(text: &str) -> Self {
        Self { kind: Kind::Text, text: text.to_owned() }
    }

    /// Whether this is the keyword, in any case, or the sign.
    pub(crate) fn is(&self, text: &str) -> bool {
        match self.kind {
            Kind::Word => self.text.eq_ignore_ascii_case(text),
            Kind::Sign => self.text == text,
            _ => false,
        }
    }

    /// The name that this token stands for: words are folded to lower case.
    pub(crate) fn name(&self) -> Option<String> {
        match self.kind {
            Kind::Word => Some(self.text.to_lowercase()),
            Kind::Quoted => Some(self.text.clone()),
            _ => None,
        }
    }

    /// The token as SQLite reads it.
    pub(crate) fn write(&self, out: &mut String) {
        match self.kind {
            Kind::Word | Kind::Number | Kind::Sign => out.push_str(&self.text),
            Kind::Quoted => quote(&self.text, '"', out),
            Kind::Text => quote(&self.text, '\'', out),
            Kind::Parameter => {
                out.push('?');
                out.push_str(&self.text);
            }
        }
    }
}

fn quote(text: &str, mark: char, out: &mut String) {
    out.push(mark);
    for letter in text.chars() {
        if letter == mark {
            out.push(mark);
        }
        out.push(letter);
    }
    out.push(mark);
}

/// Tokens as SQL text.
pub(crate) fn join(tokens: &[Token]) -> String {
    let mut out = String::new();
    for token in tokens {
        if !out.is_empty() {
            out.push(' ');
        }
        token.write(&mut out);
    }
    out
}

/// The statements of `sql`, without those that are empty.
pub(crate) fn statements(sql: &str) -> Vec<Vec<Token>> {
    let mut found = vec![Vec::new()];
    for token in tokens(sql) {
        if token.is(";") {
            found.push(Vec::new());
        } else if let Some(statement) = found.last_mut() {
            statement.push(token);
        }
    }
    found.retain(|statement| !statement.is_empty());
    found
}

/// All tokens of `sql`; spaces and comments are gone.
pub(crate) fn tokens(sql: &str) -> Vec<Token> {
    let mut reader = Reader { rest: sql };
    let mut found = Vec::new();
    while let Some(token) = reader.next() {
        found.push(token);
    }
    found
}

/// Signs of more than one letter; the longer first.
const SIGNS: [&str; 13] = ["->>", "#>>", "::", "<=", ">=", "<>", "!=", "||", "->", "#>", ":=", "~*", "@>"];

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Token> {
        self.skip_blank();
        let first = self.rest.chars().next()?;
        if let Some(text) = self.dollar_string() {
            return Some(Token { kind: Kind::Text, text });
        }
        if (first == 'E' || first == 'e') && self.rest[1..].starts_with('\'') {
            self.rest = &self.rest[1..];
            return Some(Token { kind: Kind::Text, text: unescape(&self.until_mark('\'')) });
        }
        Some(match first {
            '\'' => Token { kind: Kind::Text, text: self.until_mark('\'') },
            '"' => Token { kind: Kind::Quoted, text: self.until_mark('"') },
            '$' => {
                self.rest = &self.rest[1..];
                Token { kind: Kind::Parameter, text: self.run_of(|letter| letter.is_ascii_digit()) }
            }
            '0'..='9' => {
                Token { kind: Kind::Number, text: self.run_of(|c| c.is_ascii_alphanumeric() || c == '.') }
            }
            _ if is_name(first) => {
                Token { kind: Kind::Word, text: self.run_of(|c| is_name(c) || c.is_ascii_digit()) }
            }
            _ => self.sign(first),
        })
    }

    fn sign(&mut self, first: char) -> Token {
        let length = SIGNS
            .iter()
            .find(|sign| self.rest.starts_with(**sign))
            .map_or(first.len_utf8(), |sign| sign.len());
        let (sign, rest) = self.rest.split_at(length);
        self.rest = rest;
        Token::sign(sign)
    }

    fn skip_blank(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.starts_with("--") {
                self.rest = self.rest.find('\n').map_or("", |end| &self.rest[end..]);
            } else if self.rest.starts_with("/*") {
                self.rest = self.rest.find("*/").map_or("", |end| &self.rest[end + 2..]);
            } else {
                return;
            }
        }
    }

    fn run_of(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|letter| !belongs(letter)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(end);
        self.rest = rest;
        run.to_owned()
    }

    /// What stands between marks; a doubled mark stands for itself.
    fn until_mark(&mut self, mark: char) -> String {
        let mut value = String::new();
        let mut letters = self.rest.char_indices().skip(1).peekable();
        while let Some((_, letter)) = letters.next() {
            if letter == mark {
                if letters.peek().is_some_and(|(_, next)| *next == mark) {
                    letters.next();
                } else {
                    break;
                }
            }
            value.push(letter);
        }
        let end = letters.peek().map_or(self.rest.len(), |(at, _)| *at);
        self.rest = &self.rest[end..];
        value
    }

    /// `$$ … $$` or `$tag$ … $tag$`.
    fn dollar_string(&mut self) -> Option<String> {
        let tag_end = self.rest.strip_prefix('$')?.find('$')? + 2;
        let (tag, rest) = self.rest.split_at(tag_end);
        let inner = &tag[1..tag.len() - 1];
        if inner.starts_with(|letter: char| letter.is_ascii_digit()) || !inner.chars().all(is_name) {
            return None;
        }
        let end = rest.find(tag)?;
        let value = rest[..end].to_owned();
        self.rest = &rest[end + tag.len()..];
        Some(value)
    }
}

fn is_name(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}

fn unescape(text: &str) -> String {
    let mut value = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('r') => value.push('\r'),
                Some(other) => value.push(other),
                None => {}
            },
            _ => value.push(letter),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::{Kind, join, statements, tokens};

    #[test]
    fn strings_comments_and_dollar_quotes_hold_no_statement_ends() {
        let found = statements("SELECT 'a;b' -- ; no\n; DO $$ x; y $$ ; /* ; */ ;");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0][1].text, "a;b");
        assert_eq!(found[1][1].text, " x; y ");
    }

    #[test]
    fn parameters_casts_and_doubled_quotes_are_read() {
        let found = tokens("x=$12::text AND n <> 'it''s'");
        assert_eq!(found[2].kind, Kind::Parameter);
        assert!(found[3].is("::"));
        assert_eq!(join(&found), "x = ?12 :: text AND n <> 'it''s'");
    }
}
