//! The one way to wait for a guest: for a line of its console, with an eye on everything that makes the line impossible.

use std::fmt;
use std::time::Duration;

use field_clock::Clock;
use regex::Regex;

use super::life::{Ended, Halt, Life};
use super::{Machine, since};
use crate::console::{LAST, Position, panic_in};

/// A line that has begun is taken for whole when nothing has followed for so long: a prompt, for one, never ends.
const PROMPT: Duration = Duration::from_millis(100);

/// What no line is like.
const NEVER: &str = "[a&&b]";

/// A line of the console's that is waited for.
#[derive(Debug, Clone)]
#[must_use]
pub struct Awaited {
    what: String,
    line: Regex,
    never: Vec<Regex>,
    from: Position,
    limit: Duration,
}

impl Awaited {
    /// A line in which `line` is found, anywhere since the machine's start; `what` it means is for people.
    pub fn line(what: &str, line: Regex, limit: Duration) -> Self {
        Self { what: what.to_owned(), line, never: Vec::new(), from: Position::default(), limit }
    }

    /// The same, given up where a line says that it will never come.
    pub fn unless(mut self, never: Regex) -> Self {
        self.never.push(never);
        self
    }

    /// The same, looked for from here on only.
    pub fn since(mut self, position: Position) -> Self {
        self.from = position;
        self
    }

    /// What lines say about it: it has come, it will never come, or nothing.
    fn judge(&self, lines: &[String]) -> Option<Result<String, GaveUp>> {
        let found = |pattern: &Regex| lines.iter().find(|line| pattern.is_match(line)).cloned();
        let panicked = || lines.iter().find(|line| panic_in(line)).cloned();
        found(&self.line)
            .map(Ok)
            .or_else(|| panicked().map(|line| Err(GaveUp::Panicked(line))))
            .or_else(|| self.never.iter().find_map(found).map(|line| Err(GaveUp::Never(line))))
    }
}

/// Why a wait was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GaveUp {
    /// The machine is no more.
    Ended(Ended),
    /// QEMU made it stand still.
    Halted(Halt),
    /// The guest's kernel gave up, in these words.
    Panicked(String),
    /// A line said that it would never come.
    Never(String),
    /// Time ran out.
    Late {
        /// For how long the console had said nothing.
        silent: Duration,
    },
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(ended) => ended.fmt(f),
            Self::Halted(halt) => halt.fmt(f),
            Self::Panicked(line) => write!(f, "the guest gave up: {}", line.trim()),
            Self::Never(line) => write!(f, "the console says otherwise: {}", line.trim()),
            Self::Late { silent } => {
                write!(f, "time ran out; the console had said nothing for {:.1} s", silent.as_secs_f64())
            }
        }
    }
}

/// What was waited for did not come.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("wait for {what} of machine `{machine}`, for {:.1} s: {why}; {}", after.as_secs_f64(), told(last))]
pub struct WaitError {
    /// What.
    pub what: String,
    /// Whose.
    pub machine: String,
    /// How long it was waited for.
    pub after: Duration,
    /// Why no longer.
    pub why: GaveUp,
    /// The console's last lines.
    pub last: Vec<String>,
}

/// The console's last lines, for people.
pub(super) fn told(last: &[String]) -> String {
    if last.is_empty() {
        return "the console said nothing".to_owned();
    }
    let lines: Vec<&str> = last.iter().map(|line| line.trim()).collect();
    format!("the console last said: {}", lines.join(" | "))
}

impl Machine {
    /// Waits for a line of the console's; returns it whole.
    ///
    /// # Errors
    /// At once when the machine ends or stands still, or when the guest says that it gave up; at the latest after its limit.
    pub async fn wait_for(&self, awaited: &Awaited) -> Result<String, WaitError> {
        let began = self.clock.now();
        let looked = self.clock.timeout(awaited.limit, self.look(awaited)).await;
        let why = match looked {
            Ok(Ok(line)) => return Ok(line),
            Ok(Err(why)) => why,
            Err(_) => GaveUp::Late { silent: since(&self.clock, self.console.last_heard()) },
        };
        Err(WaitError {
            what: awaited.what.clone(),
            machine: self.specification.name().to_owned(),
            after: since(&self.clock, began),
            why,
            last: self.console.last(LAST),
        })
    }

    /// Returns when the machine ends, stands still or says that it gave up, from now on; never where all is well.
    pub async fn trouble(&self) -> WaitError {
        let began = self.clock.now();
        let never = Regex::new(NEVER).expect("a good pattern");
        let awaited = Awaited::line("trouble", never, Duration::MAX).since(self.console.position());
        let why = match self.look(&awaited).await {
            Ok(line) => GaveUp::Never(line),
            Err(why) => why,
        };
        WaitError {
            what: "the end of what is done".to_owned(),
            machine: self.specification.name().to_owned(),
            after: since(&self.clock, began),
            why,
            last: self.console.last(LAST),
        }
    }

    /// Looks at the console and at the machine at every change of either.
    async fn look(&self, awaited: &Awaited) -> Result<String, GaveUp> {
        let (mut news, mut life) = (self.console.follow(), self.life.clone());
        let mut from = awaited.from;
        loop {
            news.borrow_and_update();
            // Life first: who has ended says nothing after the look at the console.
            let now = life.borrow_and_update().clone();
            let (lines, next) = self.console.ended_since(from);
            if let Some(judged) = awaited.judge(&lines) {
                return judged;
            }
            from = next;
            match now {
                Life::Running => {}
                Life::Halted(halt) => return Err(GaveUp::Halted(halt)),
                Life::Ended(ended) => return Err(GaveUp::Ended(ended)),
            }
            let begun = self.console.begun_since(from);
            let judged = begun.and_then(|line| awaited.judge(&[line]));
            tokio::select! {
                Ok(()) = news.changed() => {}
                Ok(()) = life.changed() => {}
                judged = prompt(&self.clock, judged) => return judged,
            }
        }
    }
}

/// What was judged of a line that has begun, unless more of it comes; never, where nothing was judged.
async fn prompt(clock: &Clock, judged: Option<Result<String, GaveUp>>) -> Result<String, GaveUp> {
    match judged {
        Some(judged) => {
            clock.sleep(PROMPT).await;
            judged
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_what_how_long_why_and_the_last_lines() {
        let error = WaitError {
            what: "maintenance mode".into(),
            machine: "node".into(),
            after: Duration::from_millis(2500),
            why: GaveUp::Panicked("[ 2.1] Kernel panic - not syncing: no init".into()),
            last: vec!["[ 2.0] mounting".into(), "[ 2.1] Kernel panic - not syncing: no init".into()],
        };
        assert_eq!(
            error.to_string(),
            "wait for maintenance mode of machine `node`, for 2.5 s: the guest gave up: [ 2.1] Kernel panic - not syncing: no init; \
             the console last said: [ 2.0] mounting | [ 2.1] Kernel panic - not syncing: no init"
        );
        assert_eq!(told(&[]), "the console said nothing");
    }
}
