//! What an `awk` program says.

pub(super) enum Pattern {
    Begin,
    End,
    Always,
    When(Expression),
}

pub(super) struct Rule {
    pub(super) pattern: Pattern,
    pub(super) body: Vec<Statement>,
}

pub(super) enum Statement {
    Print(Vec<Expression>),
    Printf(Vec<Expression>),
    If(Expression, Vec<Statement>, Vec<Statement>),
    Exit(Option<Expression>),
    Next,
    Compute(Expression),
}

pub(super) enum Expression {
    Text(String),
    Name(String),
    Field(Box<Expression>),
    Regex(String),
    Match(Box<Expression>, Box<Expression>, bool),
    Not(Box<Expression>),
    Minus(Box<Expression>),
    Assign(Box<Expression>, String, Box<Expression>),
    Step(Box<Expression>, f64, bool),
    Binary(Box<Expression>, String, Box<Expression>),
    Choice(Box<Expression>, Box<Expression>, Box<Expression>),
    Call(String, Vec<Expression>),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Number(String),
    Text(String),
    Regex(String),
    Sign(&'static str),
}

const SIGNS: [&str; 35] = [
    "&&", "||", "==", "!=", "<=", ">=", "++", "--", "+=", "-=", "*=", "/=", "%=", "!~", "{", "}", "(", ")",
    ";", ",", "+", "-", "*", "/", "%", "<", ">", "=", "!", "~", "$", "?", ":", "\n", "|",
];

type Parsed<T> = Result<T, String>;

fn tokens(text: &str) -> Parsed<Vec<Token>> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r']);
        let Some(c) = rest.chars().next() else { return Ok(tokens) };
        if c == '#' {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
            continue;
        }
        let value_before = matches!(
            tokens.last(),
            Some(Token::Word(_) | Token::Number(_) | Token::Text(_) | Token::Sign(")"))
        );
        if c == '"' || (c == '/' && !value_before) {
            let mut end = None;
            let mut escaped = false;
            for (at, inner) in rest.char_indices().skip(1) {
                if escaped {
                    escaped = false;
                } else if inner == '\\' {
                    escaped = true;
                } else if inner == c {
                    end = Some(at);
                    break;
                }
            }
            let end = end.ok_or("Unexpected end of string")?;
            let inner = &rest[1..end];
            tokens.push(if c == '"' {
                Token::Text(crate::escapes::unescape_c(inner))
            } else {
                Token::Regex(inner.replace("\\/", "/"))
            });
            rest = &rest[end + 1..];
        } else if c.is_ascii_digit() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            tokens.push(Token::Number(rest[..end].to_owned()));
            rest = &rest[end..];
        } else if c.is_ascii_alphabetic() || c == '_' {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign)).ok_or("Unexpected token")?;
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        }
    }
}

/// Parses a program.
pub(super) fn parse(text: &str) -> Parsed<Vec<Rule>> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0 };
    let mut rules = Vec::new();
    loop {
        reader.skip_ends();
        if reader.at >= reader.tokens.len() {
            return Ok(rules);
        }
        let pattern = match reader.peek() {
            Some(Token::Word(word)) if word == "BEGIN" => {
                reader.at += 1;
                Pattern::Begin
            }
            Some(Token::Word(word)) if word == "END" => {
                reader.at += 1;
                Pattern::End
            }
            Some(Token::Sign("{")) => Pattern::Always,
            _ => Pattern::When(reader.expression()?),
        };
        let body = if reader.peek() == Some(&Token::Sign("{")) {
            reader.block()?
        } else {
            vec![Statement::Print(Vec::new())]
        };
        rules.push(Rule { pattern, body });
    }
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn eat(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(own)) if *own == sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.eat(sign) { Ok(()) } else { Err("Unexpected token".into()) }
    }

    fn skip_ends(&mut self) {
        while self.eat(";") || self.eat("\n") {}
    }

    fn block(&mut self) -> Parsed<Vec<Statement>> {
        self.expect("{")?;
        let mut body = Vec::new();
        loop {
            self.skip_ends();
            if self.eat("}") {
                return Ok(body);
            }
            body.push(self.statement()?);
        }
    }

    fn statement(&mut self) -> Parsed<Statement> {
        let word = match self.peek() {
            Some(Token::Word(word)) => word.clone(),
            _ => String::new(),
        };
        self.at += 1;
        Ok(match word.as_str() {
            "print" => Statement::Print(self.list()?),
            "printf" => Statement::Printf(self.list()?),
            "next" => Statement::Next,
            "exit" => Statement::Exit(if self.at_end() { None } else { Some(self.expression()?) }),
            "if" => {
                self.expect("(")?;
                let condition = self.expression()?;
                self.expect(")")?;
                let yes = self.branch()?;
                let mark = self.at;
                self.skip_ends();
                let no = if self.peek() == Some(&Token::Word("else".into())) {
                    self.at += 1;
                    self.branch()?
                } else {
                    self.at = mark;
                    Vec::new()
                };
                Statement::If(condition, yes, no)
            }
            "for" | "while" | "do" | "function" | "getline" | "delete" => {
                return Err(format!("{word} is not supported here"));
            }
            _ => {
                self.at -= 1;
                Statement::Compute(self.expression()?)
            }
        })
    }

    fn branch(&mut self) -> Parsed<Vec<Statement>> {
        while self.eat("\n") {}
        if self.peek() == Some(&Token::Sign("{")) { self.block() } else { Ok(vec![self.statement()?]) }
    }

    fn at_end(&self) -> bool {
        matches!(self.peek(), None | Some(Token::Sign(";" | "\n" | "}" | ">" | "|")))
    }

    fn list(&mut self) -> Parsed<Vec<Expression>> {
        let mut list = Vec::new();
        if self.at_end() {
            return Ok(list);
        }
        let mark = self.at;
        if self.eat("(") {
            list.push(self.expression()?);
            while self.eat(",") {
                list.push(self.expression()?);
            }
            if self.eat(")") && self.at_end() {
                return Ok(list);
            }
            self.at = mark;
            list.clear();
        }
        list.push(self.expression()?);
        while self.eat(",") {
            list.push(self.expression()?);
        }
        Ok(list)
    }

    fn expression(&mut self) -> Parsed<Expression> {
        let left = self.level(0)?;
        for (sign, operation) in [("=", ""), ("+=", "+"), ("-=", "-"), ("*=", "*"), ("/=", "/"), ("%=", "%")]
        {
            if self.eat(sign) {
                let right = self.expression()?;
                return Ok(Expression::Assign(Box::new(left), operation.into(), Box::new(right)));
            }
        }
        if self.eat("?") {
            let yes = self.expression()?;
            self.expect(":")?;
            let no = self.expression()?;
            return Ok(Expression::Choice(Box::new(left), Box::new(yes), Box::new(no)));
        }
        Ok(left)
    }

    fn level(&mut self, level: usize) -> Parsed<Expression> {
        const LEVELS: [&[&str]; 7] = [
            &["||"],
            &["&&"],
            &["~", "!~"],
            &["==", "!=", "<", "<=", ">", ">="],
            &[" "],
            &["+", "-"],
            &["*", "/", "%"],
        ];
        let Some(signs) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        if signs[0] == " " {
            // Two values side by side are one text.
            while matches!(
                self.peek(),
                Some(Token::Number(_) | Token::Text(_) | Token::Word(_) | Token::Sign("$" | "("))
            ) {
                let right = self.level(level + 1)?;
                left = Expression::Binary(Box::new(left), " ".into(), Box::new(right));
            }
            return Ok(left);
        }
        while let Some(sign) = signs.iter().find(|sign| self.eat(sign)) {
            let right = self.level(level + 1)?;
            left = match *sign {
                "~" | "!~" => Expression::Match(Box::new(left), Box::new(right), *sign == "!~"),
                sign => Expression::Binary(Box::new(left), sign.into(), Box::new(right)),
            };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<Expression> {
        if self.eat("!") {
            return Ok(Expression::Not(Box::new(self.unary()?)));
        }
        for (sign, by) in [("++", 1.0), ("--", -1.0)] {
            if self.eat(sign) {
                return Ok(Expression::Step(Box::new(self.unary()?), by, false));
            }
        }
        if self.eat("-") {
            return Ok(Expression::Minus(Box::new(self.unary()?)));
        }
        let value = self.primary()?;
        for (sign, by) in [("++", 1.0), ("--", -1.0)] {
            if self.eat(sign) {
                return Ok(Expression::Step(Box::new(value), by, true));
            }
        }
        Ok(value)
    }

    fn primary(&mut self) -> Parsed<Expression> {
        if self.eat("(") {
            let value = self.expression()?;
            self.expect(")")?;
            return Ok(value);
        }
        if self.eat("$") {
            return Ok(Expression::Field(Box::new(self.primary()?)));
        }
        let token = self.peek().cloned().ok_or("Unexpected end of string")?;
        self.at += 1;
        Ok(match token {
            Token::Number(text) | Token::Text(text) => Expression::Text(text),
            Token::Regex(text) => Expression::Regex(text),
            Token::Word(name) => {
                let known = ["length", "toupper", "tolower", "int", "index", "substr", "sprintf"];
                if !known.contains(&name.as_str()) {
                    return Ok(Expression::Name(name));
                }
                let mut list = Vec::new();
                if self.eat("(") && !self.eat(")") {
                    list.push(self.expression()?);
                    while self.eat(",") {
                        list.push(self.expression()?);
                    }
                    self.expect(")")?;
                }
                Expression::Call(name, list)
            }
            Token::Sign(_) => return Err("Unexpected token".into()),
        })
    }
}
