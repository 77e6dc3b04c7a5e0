//! `sed`.

mod script;

use super::options::{Options, usage};
use super::plain::{lines, open, slurp};
use super::regexes::Syntax;
use super::{Done, Fault};
use crate::descriptor::strerror;
use crate::files::Open;
use crate::process::Process;
use script::{Action, Address, Command, parse};

struct Machine<'a> {
    commands: &'a [Command],
    /// Which ranges have begun.
    open: Vec<bool>,
    quiet: bool,
    hold: String,
    out: String,
    /// Texts for files that `w` names.
    written: Vec<(String, String)>,
    left: Option<i32>,
}

pub(super) async fn sed(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "sed", "nrEie:f:sz", args).await?;
    let mut rest = options.rest.clone();
    let mut text: Vec<String> = options.values('e').map(str::to_owned).collect();
    for path in options.values('f') {
        let Some(file) = open(process, "sed", path).await else { return Ok(1) };
        text.push(String::from_utf8_lossy(&slurp(process, &file).await?).into_owned());
    }
    if text.is_empty() {
        if rest.is_empty() {
            return Err(usage(process, "sed").await);
        }
        text.push(rest.remove(0));
    }
    let syntax = if options.has('E') || options.has('r') { Syntax::Extended } else { Syntax::Basic };
    let (commands, first) = match parse(&text.join("\n"), syntax) {
        Ok(parsed) => parsed,
        Err(problem) => {
            process.complain(&format!("sed: {problem}")).await;
            return Ok(1);
        }
    };
    let quiet = options.has('n') || first;
    let in_place = options.has('i');
    let paths = if rest.is_empty() { vec!["-".to_owned()] } else { rest };
    let mut status = 0;
    let mut all = Vec::new();
    for path in &paths {
        let file = match if path == "-" {
            process.descriptor(0)
        } else {
            crate::shell_descriptor(process, path, Open::Read)
        } {
            Ok(file) => file,
            Err(error) => {
                process.complain(&format!("sed: {path}: {}", strerror(&error))).await;
                status = 1;
                continue;
            }
        };
        let bytes = slurp(process, &file).await?;
        if in_place && path != "-" {
            let mut machine = Machine::new(&commands, quiet);
            machine.run(&lines(&bytes));
            let stored = crate::shell_descriptor(process, path, Open::Write);
            match stored {
                Ok(file) => file.write(machine.out.as_bytes()).await?,
                Err(error) => {
                    process
                        .complain(&format!(
                            "sed: can't create temp file '{path}XXXXXX': {}",
                            strerror(&error)
                        ))
                        .await;
                    status = 1;
                }
            }
        } else {
            all.extend(lines(&bytes));
        }
    }
    if !in_place {
        let mut machine = Machine::new(&commands, quiet);
        machine.run(&all);
        process.out(&machine.out).await?;
        store(process, &machine.written).await?;
        status = machine.left.unwrap_or(status);
    }
    Ok(status)
}

async fn store(process: &Process, written: &[(String, String)]) -> Result<(), Fault> {
    for (path, text) in written {
        if let Ok(file) = crate::shell_descriptor(process, path, Open::Write) {
            file.write(text.as_bytes()).await?;
        }
    }
    Ok(())
}

/// What comes after a command.
enum Next {
    On,
    Jump(usize),
    /// Nothing more for this line; whether it is printed.
    End {
        print: bool,
    },
}

impl<'a> Machine<'a> {
    fn new(commands: &'a [Command], quiet: bool) -> Self {
        let open = vec![false; commands.len()];
        Self {
            commands,
            open,
            quiet,
            hold: String::new(),
            out: String::new(),
            written: Vec::new(),
            left: None,
        }
    }

    fn run(&mut self, lines: &[String]) {
        let mut at = 0;
        while at < lines.len() && self.left.is_none() {
            let mut space = lines[at].clone();
            let mut appended = String::new();
            let mut command = 0;
            let mut print = true;
            let mut substituted = false;
            let mut turns = 0_usize;
            while command < self.commands.len() {
                turns += 1;
                if turns > 100_000 {
                    break;
                }
                let chosen = self.chooses(command, at, lines.len(), &space);
                let current = &self.commands[command];
                if !chosen {
                    command = match current.action {
                        Action::Block(end) => end,
                        _ => command + 1,
                    };
                    continue;
                }
                let next = match &current.action {
                    Action::Next | Action::NextAppended => {
                        let joins = matches!(current.action, Action::NextAppended);
                        if at + 1 >= lines.len() {
                            Next::End { print: true }
                        } else {
                            at += 1;
                            if joins {
                                space = format!("{space}\n{}", lines[at]);
                            } else {
                                if !self.quiet {
                                    self.out.push_str(&space);
                                    self.out.push('\n');
                                }
                                space.clone_from(&lines[at]);
                            }
                            Next::On
                        }
                    }
                    Action::Test(target) => {
                        let jumps = std::mem::take(&mut substituted);
                        if jumps { Next::Jump(*target) } else { Next::On }
                    }
                    action => {
                        let (commands, action) = (self.commands, action);
                        let _ = commands;
                        self.act(action, at, &mut space, &mut appended, &mut substituted)
                    }
                };
                match next {
                    Next::On => command += 1,
                    Next::Jump(target) => command = target,
                    Next::End { print: shows } => {
                        print = shows;
                        break;
                    }
                }
            }
            if print && !self.quiet {
                self.out.push_str(&space);
                self.out.push('\n');
            }
            self.out.push_str(&appended);
            at += 1;
        }
    }

    fn act(
        &mut self,
        action: &Action,
        at: usize,
        space: &mut String,
        appended: &mut String,
        substituted: &mut bool,
    ) -> Next {
        match action {
            Action::Print => {
                self.out.push_str(space);
                self.out.push('\n');
            }
            Action::PrintFirst => {
                self.out.push_str(space.split('\n').next().unwrap_or(""));
                self.out.push('\n');
            }
            Action::Delete => return Next::End { print: false },
            Action::DeleteFirst => {
                // Without another cycle on the rest: it is taken as the line's end.
                *space = space.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
                return Next::End { print: !space.is_empty() };
            }
            Action::Quit(code, prints) => {
                self.left = Some(*code);
                return Next::End { print: *prints };
            }
            Action::Number => self.out.push_str(&format!("{}\n", at + 1)),
            Action::Append(text) => appended.push_str(&format!("{text}\n")),
            Action::Insert(text) => self.out.push_str(&format!("{text}\n")),
            Action::Change(text) => {
                self.out.push_str(&format!("{text}\n"));
                return Next::End { print: false };
            }
            Action::Translate(from, to) => {
                *space = space
                    .chars()
                    .map(|c| {
                        from.iter().position(|own| *own == c).and_then(|n| to.get(n)).copied().unwrap_or(c)
                    })
                    .collect();
            }
            Action::Hold => self.hold.clone_from(space),
            Action::HoldAppended => self.hold = format!("{}\n{space}", self.hold),
            Action::Get => space.clone_from(&self.hold),
            Action::GetAppended => *space = format!("{space}\n{}", self.hold),
            Action::Exchange => std::mem::swap(space, &mut self.hold),
            Action::Jump(target) => return Next::Jump(*target),
            Action::Write(path) => self.write(path, space),
            Action::Substitute(substitution) => {
                if let Some(made) = substitution.apply(space) {
                    *space = made;
                    *substituted = true;
                    if substitution.prints {
                        self.out.push_str(space);
                        self.out.push('\n');
                    }
                    if let Some(path) = &substitution.file {
                        self.write(path, space);
                    }
                }
            }
            Action::Block(_) | Action::Label | Action::Next | Action::NextAppended | Action::Test(_) => {}
        }
        Next::On
    }

    fn write(&mut self, path: &str, space: &str) {
        let line = format!("{space}\n");
        match self.written.iter_mut().find(|(own, _)| own == path) {
            Some((_, text)) => text.push_str(&line),
            None => self.written.push((path.to_owned(), line)),
        }
    }

    fn chooses(&mut self, number: usize, at: usize, count: usize, space: &str) -> bool {
        let command = &self.commands[number];
        let matches = |address: &Address| match address {
            Address::Line(line) => at + 1 == *line,
            Address::Last => at + 1 == count,
            Address::Step(first, step) => {
                at + 1 >= *first && (at + 1 - first).checked_rem(*step).is_none_or(|rest| rest == 0)
            }
            Address::Regex(expression) => expression.is_match(space),
            Address::Offset(_) => false,
        };
        let chosen = match (&command.from, &command.to) {
            (None, _) => true,
            (Some(from), None) => matches(from),
            (Some(from), Some(to)) => {
                if self.open[number] {
                    let past = matches!(to, Address::Line(line) if at + 1 > *line);
                    let ends = past || matches!(to, Address::Line(line) if at + 1 >= *line) || matches(to);
                    self.open[number] = !ends;
                    !past
                } else if matches(from) {
                    self.open[number] = !matches!(to, Address::Line(line) if at + 1 >= *line);
                    true
                } else {
                    false
                }
            }
        };
        chosen != command.negated
    }
}
