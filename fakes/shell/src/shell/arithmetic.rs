//! `$((…))`.

use std::collections::BTreeMap;

/// What went wrong in an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ArithmeticError {
    #[error("arithmetic syntax error")]
    Syntax,
    #[error("divide by zero")]
    DivideByZero,
}

type Computed<T> = Result<T, ArithmeticError>;

/// Computes an expression; `get` knows the variables. Returns the value and what was assigned.
pub(crate) fn evaluate(
    text: &str,
    get: &dyn Fn(&str) -> Option<String>,
) -> Computed<(i64, BTreeMap<String, i64>)> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Ok((0, BTreeMap::new()));
    }
    let mut reader = Reader { tokens, at: 0, get, assigned: BTreeMap::new(), idle: 0 };
    let value = reader.comma()?;
    if reader.at < reader.tokens.len() { Err(ArithmeticError::Syntax) } else { Ok((value, reader.assigned)) }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Number(i64),
    Name(String),
    Sign(&'static str),
}

const SIGNS: [&str; 38] = [
    "<<=", ">>=", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "**", "+=", "-=", "*=", "/=",
    "%=", "&=", "|=", "^=", "+", "-", "*", "/", "%", "<", ">", "=", "!", "~", "&", "|", "^", "(", ")", "?",
    ":",
];

fn tokens(text: &str) -> Computed<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let length = if c.is_ascii_alphanumeric() || c == '_' {
            rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else {
            0
        };
        if length > 0 {
            let word = &rest[..length];
            tokens.push(if c.is_ascii_digit() {
                Token::Number(number(word).ok_or(ArithmeticError::Syntax)?)
            } else {
                Token::Name(word.to_owned())
            });
            rest = &rest[length..];
        } else if let Some(comma) = rest.strip_prefix(',') {
            tokens.push(Token::Sign(","));
            rest = comma;
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign)).ok_or(ArithmeticError::Syntax)?;
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

/// A number as C reads it.
fn number(word: &str) -> Option<i64> {
    if let Some(hex) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        return i64::from_str_radix(hex, 16).ok();
    }
    if word.len() > 1 && word.starts_with('0') {
        return i64::from_str_radix(&word[1..], 8).ok();
    }
    word.parse().ok()
}

struct Reader<'a> {
    tokens: Vec<Token>,
    at: usize,
    get: &'a dyn Fn(&str) -> Option<String>,
    assigned: BTreeMap<String, i64>,
    /// Within a branch that is not taken.
    idle: usize,
}

/// Binary operators, the loosest first.
const LEVELS: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

impl Reader<'_> {
    fn eat(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Sign(own)) if *own == sign);
        if found {
            self.at += 1;
        }
        found
    }

    fn comma(&mut self) -> Computed<i64> {
        let mut value = self.assignment()?;
        while self.eat(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn assignment(&mut self) -> Computed<i64> {
        if let (Some(Token::Name(name)), Some(Token::Sign(sign))) =
            (self.tokens.get(self.at).cloned(), self.tokens.get(self.at + 1).cloned())
            && sign.ends_with('=')
            && !["==", "!=", "<=", ">="].contains(&sign)
        {
            self.at += 2;
            let right = self.assignment()?;
            let value = match sign.strip_suffix('=') {
                Some("") | None => right,
                Some(operator) => self.apply(operator, self.variable(&name)?, right)?,
            };
            self.assign(&name, value);
            return Ok(value);
        }
        self.ternary()
    }

    fn assign(&mut self, name: &str, value: i64) {
        if self.idle == 0 {
            self.assigned.insert(name.to_owned(), value);
        }
    }

    fn ternary(&mut self) -> Computed<i64> {
        let condition = self.binary(0)?;
        if !self.eat("?") {
            return Ok(condition);
        }
        let skipped = usize::from(condition == 0);
        self.idle += skipped;
        let yes = self.assignment()?;
        self.idle -= skipped;
        if !self.eat(":") {
            return Err(ArithmeticError::Syntax);
        }
        self.idle += 1 - skipped;
        let no = self.assignment()?;
        self.idle -= 1 - skipped;
        Ok(if condition != 0 { yes } else { no })
    }

    fn binary(&mut self, level: usize) -> Computed<i64> {
        let Some(signs) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        loop {
            let Some(sign) = signs.iter().find(|sign| self.eat(sign)) else { return Ok(left) };
            let skips = (*sign == "&&" && left == 0) || (*sign == "||" && left != 0);
            self.idle += usize::from(skips);
            let right = self.binary(level + 1)?;
            self.idle -= usize::from(skips);
            left = self.apply(sign, left, right)?;
        }
    }

    fn apply(&self, sign: &str, left: i64, right: i64) -> Computed<i64> {
        let shift = |n: i64| u32::try_from(n & 63).unwrap_or(0);
        Ok(match sign {
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            "/" | "%" if right == 0 => {
                return if self.idle > 0 { Ok(0) } else { Err(ArithmeticError::DivideByZero) };
            }
            "/" => left.wrapping_div(right),
            "%" => left.wrapping_rem(right),
            "**" => left.wrapping_pow(u32::try_from(right).unwrap_or(0)),
            "<<" => left.wrapping_shl(shift(right)),
            ">>" => left.wrapping_shr(shift(right)),
            "&" => left & right,
            "|" => left | right,
            "^" => left ^ right,
            "&&" => i64::from(left != 0 && right != 0),
            "||" => i64::from(left != 0 || right != 0),
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<" => i64::from(left < right),
            "<=" => i64::from(left <= right),
            ">" => i64::from(left > right),
            ">=" => i64::from(left >= right),
            _ => return Err(ArithmeticError::Syntax),
        })
    }

    fn unary(&mut self) -> Computed<i64> {
        for (sign, step) in [("++", 1), ("--", -1)] {
            if self.eat(sign) {
                if let Some(Token::Name(name)) = self.tokens.get(self.at).cloned() {
                    self.at += 1;
                    let value = self.variable(&name)?.wrapping_add(step);
                    self.assign(&name, value);
                    return Ok(value);
                }
                return self.unary();
            }
        }
        if self.eat("!") {
            return Ok(i64::from(self.unary()? == 0));
        }
        if self.eat("~") {
            return Ok(!self.unary()?);
        }
        if self.eat("-") {
            return Ok(self.unary()?.wrapping_neg());
        }
        if self.eat("+") {
            return self.unary();
        }
        let base = self.primary()?;
        if self.eat("**") {
            let exponent = self.unary()?;
            return self.apply("**", base, exponent);
        }
        Ok(base)
    }

    fn primary(&mut self) -> Computed<i64> {
        if self.eat("(") {
            let value = self.comma()?;
            return if self.eat(")") { Ok(value) } else { Err(ArithmeticError::Syntax) };
        }
        match self.tokens.get(self.at).cloned() {
            Some(Token::Number(value)) => {
                self.at += 1;
                Ok(value)
            }
            Some(Token::Name(name)) => {
                self.at += 1;
                let value = self.variable(&name)?;
                for (sign, step) in [("++", 1), ("--", -1)] {
                    if self.eat(sign) {
                        self.assign(&name, value.wrapping_add(step));
                    }
                }
                Ok(value)
            }
            _ => Err(ArithmeticError::Syntax),
        }
    }

    fn variable(&self, name: &str) -> Computed<i64> {
        if let Some(value) = self.assigned.get(name) {
            return Ok(*value);
        }
        let Some(text) = (self.get)(name) else { return Ok(0) };
        let text = text.trim();
        if text.is_empty() {
            return Ok(0);
        }
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        match number(digits) {
            Some(value) => Ok(if negative { -value } else { value }),
            None => {
                evaluate(text, &|inner| (inner != name).then(|| (self.get)(inner)).flatten()).map(|(v, _)| v)
            }
        }
    }
}
