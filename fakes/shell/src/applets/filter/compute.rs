//! `expr`.

use super::super::Done;
use super::super::regexes::{Case, Syntax, compile};
use crate::process::Process;

struct Reader<'a> {
    words: &'a [String],
    at: usize,
}

type Computed = Result<String, String>;

const LEVELS: [&[&str]; 5] =
    [&["|"], &["&"], &["=", "==", "!=", "<", "<=", ">", ">="], &["+", "-"], &["*", "/", "%"]];

pub(super) async fn expr(process: &Process, args: &[String]) -> Done {
    let mut reader = Reader { words: args, at: 0 };
    let result = reader
        .level(0)
        .and_then(|value| if reader.at < args.len() { Err("syntax error".to_owned()) } else { Ok(value) });
    match result {
        Ok(value) => {
            process.out(format!("{value}\n")).await?;
            Ok(i32::from(value.is_empty() || value == "0"))
        }
        Err(text) => {
            process.complain(&format!("expr: {text}")).await;
            Ok(2)
        }
    }
}

fn number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "non-numeric argument".to_owned())
}

impl Reader<'_> {
    fn next(&mut self) -> Result<&str, String> {
        let word = self.words.get(self.at).ok_or("syntax error")?;
        self.at += 1;
        Ok(word)
    }

    fn level(&mut self, level: usize) -> Computed {
        let Some(signs) = LEVELS.get(level) else { return self.matching() };
        let mut left = self.level(level + 1)?;
        while let Some(sign) = self.words.get(self.at).map(String::as_str).filter(|word| signs.contains(word))
        {
            self.at += 1;
            let right = self.level(level + 1)?;
            left = apply(&left, sign, &right)?;
        }
        Ok(left)
    }

    fn matching(&mut self) -> Computed {
        let mut left = self.primary()?;
        while self.words.get(self.at).is_some_and(|word| word == ":") {
            self.at += 1;
            let pattern = self.primary()?;
            left = matched(&left, &pattern)?;
        }
        Ok(left)
    }

    fn primary(&mut self) -> Computed {
        let word = self.next()?.to_owned();
        match word.as_str() {
            "(" => {
                let value = self.level(0)?;
                if self.next()? == ")" { Ok(value) } else { Err("syntax error".into()) }
            }
            "length" if self.at < self.words.len() => Ok(self.primary()?.chars().count().to_string()),
            "match" if self.at + 1 < self.words.len() => {
                let (text, pattern) = (self.primary()?, self.primary()?);
                matched(&text, &pattern)
            }
            "index" if self.at + 1 < self.words.len() => {
                let (text, set) = (self.primary()?, self.primary()?);
                Ok(text.chars().position(|c| set.contains(c)).map_or(0, |at| at + 1).to_string())
            }
            "substr" if self.at + 2 < self.words.len() => {
                let (text, from, length) = (self.primary()?, self.primary()?, self.primary()?);
                let from = usize::try_from(number(&from)?).unwrap_or(0);
                let length = usize::try_from(number(&length)?).unwrap_or(0);
                Ok(if from == 0 { String::new() } else { text.chars().skip(from - 1).take(length).collect() })
            }
            _ => Ok(word),
        }
    }
}

fn matched(text: &str, pattern: &str) -> Computed {
    let expression = compile(&format!("^{}", pattern.trim_start_matches('^')), Syntax::Basic, Case::Matters)?;
    let groups = expression.captures_len() > 1;
    Ok(match expression.captures(text) {
        Some(found) if groups => found.get(1).map_or("", |group| group.as_str()).to_owned(),
        Some(found) => found.get(0).map_or(0, |all| all.as_str().chars().count()).to_string(),
        None if groups => String::new(),
        None => "0".into(),
    })
}

fn apply(left: &str, sign: &str, right: &str) -> Computed {
    let empty = |text: &str| text.is_empty() || text == "0";
    Ok(match sign {
        "|" => {
            if empty(left) {
                right.to_owned()
            } else {
                left.to_owned()
            }
        }
        "&" => {
            if empty(left) || empty(right) {
                "0".into()
            } else {
                left.to_owned()
            }
        }
        "+" | "-" | "*" | "/" | "%" => {
            let (a, b) = (number(left)?, number(right)?);
            match sign {
                "+" => a.wrapping_add(b),
                "-" => a.wrapping_sub(b),
                "*" => a.wrapping_mul(b),
                _ if b == 0 => return Err("division by zero".into()),
                "/" => a.wrapping_div(b),
                _ => a.wrapping_rem(b),
            }
            .to_string()
        }
        _ => {
            let order = match (left.parse::<i64>(), right.parse::<i64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                _ => left.cmp(right),
            };
            let holds = match sign {
                "=" | "==" => order.is_eq(),
                "!=" => order.is_ne(),
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                ">" => order.is_gt(),
                _ => order.is_ge(),
            };
            i32::from(holds).to_string()
        }
    })
}
