//! A small `awk`: patterns, fields, `print`, `printf`, sums; no arrays, no functions of one's own.

use std::collections::BTreeMap;

use super::super::Done;
use super::super::options::{Options, usage};
use super::super::plain::{contents, lines};
use super::super::regexes::{Case, Syntax, compile};
use crate::process::Process;
use crate::shell::printf;

mod grammar;

use grammar::{Expression, Pattern, Rule, Statement, parse};

struct Machine {
    variables: BTreeMap<String, String>,
    fields: Vec<String>,
    line: String,
    out: String,
    left: Option<i32>,
}

pub(super) async fn awk(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "awk", "+F:v:f:", args).await?;
    let mut rest = options.rest.iter();
    let Some(text) = rest.next() else { return Err(usage(process, "awk").await) };
    let rules = match parse(text) {
        Ok(rules) => rules,
        Err(problem) => {
            process.complain(&format!("awk: cmd. line:1: {problem}")).await;
            return Ok(1);
        }
    };
    let mut machine = Machine {
        variables: BTreeMap::from([
            ("FS".into(), options.value('F').map_or(" ".into(), crate::escapes::unescape_c)),
            ("OFS".into(), " ".into()),
            ("ORS".into(), "\n".into()),
            ("NR".into(), "0".into()),
        ]),
        fields: Vec::new(),
        line: String::new(),
        out: String::new(),
        left: None,
    };
    for pair in options.values('v') {
        if let Some((name, value)) = pair.split_once('=') {
            machine.variables.insert(name.to_owned(), crate::escapes::unescape_c(value));
        }
    }
    machine.rules(&rules, |pattern| matches!(pattern, Pattern::Begin))?;
    let only_begin = rules.iter().all(|rule| matches!(rule.pattern, Pattern::Begin));
    let mut status = 0;
    if machine.left.is_none() && !only_begin {
        let paths: Vec<&str> = rest.map(String::as_str).collect();
        let paths = if paths.is_empty() { vec!["-"] } else { paths };
        let (files, code) = contents(process, "awk", &paths).await?;
        status = code;
        'all: for (_, bytes) in files {
            for line in lines(&bytes) {
                machine.read(&line);
                machine.rules(&rules, |pattern| !matches!(pattern, Pattern::Begin | Pattern::End))?;
                if machine.left.is_some() {
                    break 'all;
                }
            }
        }
    }
    machine.rules(&rules, |pattern| matches!(pattern, Pattern::End))?;
    process.out(&machine.out).await?;
    Ok(machine.left.unwrap_or(status))
}

fn truth(value: &str) -> bool {
    match value.trim().parse::<f64>() {
        Ok(number) => number != 0.0,
        Err(_) => !value.is_empty(),
    }
}

fn number(value: &str) -> f64 {
    let text = value.trim_start();
    let ends = (0..=text.len()).rev().filter(|end| text.is_char_boundary(*end));
    ends.filter_map(|end| text[..end].parse::<f64>().ok()).find(|n| n.is_finite()).unwrap_or(0.0)
}

fn shown(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        format!("{value:.0}")
    } else {
        let text = format!("{value:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

impl Machine {
    fn read(&mut self, line: &str) {
        let number = number(&self.get("NR")) + 1.0;
        self.variables.insert("NR".into(), shown(number));
        self.line = line.to_owned();
        self.split();
    }

    fn split(&mut self) {
        let separator = self.get("FS");
        self.fields = match separator.as_str() {
            " " => self.line.split_whitespace().map(str::to_owned).collect(),
            _ if self.line.is_empty() => Vec::new(),
            one if one.chars().count() == 1 => self.line.split(one).map(str::to_owned).collect(),
            pattern => match compile(pattern, Syntax::Extended, Case::Matters) {
                Ok(expression) => expression.split(&self.line).map(str::to_owned).collect(),
                Err(_) => vec![self.line.clone()],
            },
        };
    }

    fn get(&self, name: &str) -> String {
        if name == "NF" {
            return self.fields.len().to_string();
        }
        self.variables.get(name).cloned().unwrap_or_default()
    }

    fn rules(
        &mut self,
        rules: &[Rule],
        chosen: impl Fn(&Pattern) -> bool,
    ) -> Result<(), super::super::Fault> {
        for rule in rules.iter().filter(|rule| chosen(&rule.pattern)) {
            let applies = match &rule.pattern {
                Pattern::Begin | Pattern::End | Pattern::Always => true,
                Pattern::When(condition) => truth(&self.value(condition)),
            };
            if applies
                && (self.left.is_none() || matches!(rule.pattern, Pattern::End))
                && self.run(&rule.body).is_err()
            {
                break;
            }
        }
        Ok(())
    }

    /// An error means that the rest of the rules is not run.
    fn run(&mut self, body: &[Statement]) -> Result<(), ()> {
        for statement in body {
            match statement {
                Statement::Print(list) => {
                    let separator = self.get("OFS");
                    let text = if list.is_empty() {
                        self.line.clone()
                    } else {
                        list.iter().map(|e| self.value(e)).collect::<Vec<_>>().join(&separator)
                    };
                    let end = self.get("ORS");
                    self.out.push_str(&text);
                    self.out.push_str(&end);
                }
                Statement::Printf(list) => {
                    let words: Vec<String> = list.iter().map(|e| self.value(e)).collect();
                    if let Ok(printed) = printf(&words) {
                        self.out.push_str(&printed.text);
                    }
                }
                Statement::If(condition, yes, no) => {
                    let chosen = if truth(&self.value(condition)) { yes } else { no };
                    self.run(chosen)?;
                }
                Statement::Exit(code) => {
                    let code = code.as_ref().map(|e| number(&self.value(e)));
                    self.left = Some(code.map_or(0, |code| code as i32));
                    return Err(());
                }
                Statement::Next => return Err(()),
                Statement::Compute(expression) => drop(self.value(expression)),
            }
        }
        Ok(())
    }

    fn value(&mut self, expression: &Expression) -> String {
        match expression {
            Expression::Text(text) => text.clone(),
            Expression::Name(name) => self.get(name),
            Expression::Field(at) => match number(&self.value(at)) as usize {
                0 => self.line.clone(),
                at => self.fields.get(at - 1).cloned().unwrap_or_default(),
            },
            Expression::Regex(text) => self.matches(&self.line, text),
            Expression::Match(left, right, negated) => {
                let text = self.value(left);
                let pattern = match &**right {
                    Expression::Regex(text) => text.clone(),
                    other => self.value(other),
                };
                let found = truth(&self.matches(&text, &pattern));
                i32::from(found != *negated).to_string()
            }
            Expression::Not(inner) => i32::from(!truth(&self.value(inner))).to_string(),
            Expression::Minus(inner) => shown(-number(&self.value(inner))),
            Expression::Assign(target, sign, right) => {
                let right = self.value(right);
                let value = match sign.as_str() {
                    "" => right,
                    sign => {
                        let left = self.value(target);
                        binary(&left, sign, &right)
                    }
                };
                self.store(target, &value);
                value
            }
            Expression::Step(target, by, after) => {
                let before = number(&self.value(target));
                self.store(target, &shown(before + by));
                shown(if *after { before } else { before + by })
            }
            Expression::Binary(left, sign, right) => {
                let left = self.value(left);
                match sign.as_str() {
                    "&&" => i32::from(truth(&left) && truth(&self.value(right))).to_string(),
                    "||" => i32::from(truth(&left) || truth(&self.value(right))).to_string(),
                    sign => {
                        let right = self.value(right);
                        binary(&left, sign, &right)
                    }
                }
            }
            Expression::Choice(condition, yes, no) => {
                if truth(&self.value(condition)) {
                    self.value(yes)
                } else {
                    self.value(no)
                }
            }
            Expression::Call(name, list) => {
                let words: Vec<String> = list.iter().map(|e| self.value(e)).collect();
                let word = |at: usize| words.get(at).cloned().unwrap_or_default();
                match name.as_str() {
                    "length" if words.is_empty() => self.line.chars().count().to_string(),
                    "length" => word(0).chars().count().to_string(),
                    "toupper" => word(0).to_uppercase(),
                    "tolower" => word(0).to_lowercase(),
                    "int" => shown(number(&word(0)).trunc()),
                    "index" => {
                        word(0).find(&word(1)).map_or(0, |at| word(0)[..at].chars().count() + 1).to_string()
                    }
                    "substr" => {
                        let from = (number(&word(1)).max(1.0)) as usize;
                        let length = words.get(2).map_or(usize::MAX, |n| number(n).max(0.0) as usize);
                        word(0).chars().skip(from - 1).take(length).collect()
                    }
                    "sprintf" => printf(&words).map(|printed| printed.text).unwrap_or_default(),
                    _ => String::new(),
                }
            }
        }
    }

    fn store(&mut self, target: &Expression, value: &str) {
        match target {
            Expression::Name(name) => {
                self.variables.insert(name.clone(), value.to_owned());
            }
            Expression::Field(at) => match number(&self.value(at)) as usize {
                0 => {
                    self.line = value.to_owned();
                    self.split();
                }
                at => {
                    if self.fields.len() < at {
                        self.fields.resize(at, String::new());
                    }
                    self.fields[at - 1] = value.to_owned();
                    self.line = self.fields.join(&self.get("OFS"));
                }
            },
            _ => {}
        }
    }

    fn matches(&self, text: &str, pattern: &str) -> String {
        let found = compile(pattern, Syntax::Extended, Case::Matters).is_ok_and(|e| e.is_match(text));
        i32::from(found).to_string()
    }
}

fn binary(left: &str, sign: &str, right: &str) -> String {
    let (a, b) = (number(left), number(right));
    let numeric = left.trim().parse::<f64>().is_ok() && right.trim().parse::<f64>().is_ok();
    let order = if numeric { a.total_cmp(&b) } else { left.cmp(right) };
    let holds = match sign {
        " " => return format!("{left}{right}"),
        "+" => return shown(a + b),
        "-" => return shown(a - b),
        "*" => return shown(a * b),
        "/" => return shown(a / b),
        "%" => return shown(a % b),
        "==" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    };
    i32::from(holds).to_string()
}
