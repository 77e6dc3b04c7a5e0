//! Lists, pipelines and commands.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use super::redirect::Redirected;
use super::{DEEPEST, Flow, LONGEST_PAUSE, STEPS_PER_PAUSE, STEPS_PER_TURN, Shell, Tail, builtins};
use crate::descriptor::Descriptor;
use crate::pipe::pipe;
use crate::process::Child;
use crate::programs;
use crate::signal::Signal;
use crate::syntax::{Command, Item, Kind, Link, List, Pipeline, Place, Redirect, Word};

impl Shell {
    /// Runs commands; their status is the shell's.
    pub(super) fn list<'a>(&'a mut self, list: &'a List, tail: Tail) -> BoxFuture<'a, Result<(), Flow>> {
        Box::pin(async move {
            let count = list.len();
            for (number, item) in list.iter().enumerate() {
                let tail = if number + 1 == count { tail } else { Tail::More };
                match item.place {
                    Place::Foreground => self.item(item, tail).await?,
                    Place::Background => self.background(list, number),
                }
                self.run_traps().await?;
            }
            Ok(())
        })
    }

    fn background(&mut self, list: &List, number: usize) {
        let list = Arc::clone(list);
        let mut process = self.process.fork();
        process.descriptors.insert(0, Descriptor::Null);
        for signal in [Signal::INT, Signal(3)] {
            process.signals.set(signal, Some(crate::signal::Disposition::Ignore));
        }
        let child = self.fork_with(process, move |mut shell| {
            Box::pin(async move {
                let flow = match list.get(number) {
                    Some(item) => shell.item(item, Tail::Last).await,
                    None => Ok(()),
                };
                shell.finish(flow).await
            })
        });
        self.last_background = Some(child.pid);
        self.jobs.retain(Child::is_running);
        self.jobs.push(child);
        self.status = 0;
    }

    async fn item(&mut self, item: &Item, tail: Tail) -> Result<(), Flow> {
        let alone = item.rest.is_empty();
        self.tested += usize::from(!alone);
        let first = self.pipeline(&item.first, if alone { tail } else { Tail::More }).await;
        self.tested -= usize::from(!alone);
        first?;
        for (number, (link, pipeline)) in item.rest.iter().enumerate() {
            if (*link == Link::And) != (self.status == 0) {
                continue;
            }
            let is_last = number + 1 == item.rest.len();
            self.tested += usize::from(!is_last);
            let done = self.pipeline(pipeline, if is_last { tail } else { Tail::More }).await;
            self.tested -= usize::from(!is_last);
            done?;
        }
        Ok(())
    }

    async fn pipeline(&mut self, pipeline: &Pipeline, tail: Tail) -> Result<(), Flow> {
        self.tested += usize::from(pipeline.negated);
        let done = match &pipeline.commands[..] {
            [only] => self.command(only, if pipeline.negated { Tail::More } else { tail }).await,
            several => self.piped(several).await,
        };
        self.tested -= usize::from(pipeline.negated);
        done?;
        if pipeline.negated {
            self.status = i32::from(self.status == 0);
            return Ok(());
        }
        let counts = match &pipeline.commands[..] {
            [only] => matches!(only.kind, Kind::Simple { .. } | Kind::Subshell(_)),
            _ => true,
        };
        if counts { self.leave_if_failed() } else { Ok(()) }
    }

    /// `set -e`
    fn leave_if_failed(&self) -> Result<(), Flow> {
        if self.options.errexit && self.tested == 0 && self.status != 0 {
            return Err(Flow::Exit(self.status));
        }
        Ok(())
    }

    async fn piped(&mut self, commands: &[Arc<Command>]) -> Result<(), Flow> {
        let mut children = Vec::new();
        let mut input: Option<Descriptor> = None;
        for (number, command) in commands.iter().enumerate() {
            let mut process = self.process.fork();
            if let Some(input) = input.take() {
                process.descriptors.insert(0, input);
            }
            if number + 1 < commands.len() {
                let (read, write) = pipe();
                process.descriptors.insert(1, Descriptor::PipeWrite(Arc::new(write)));
                input = Some(Descriptor::PipeRead(Arc::new(read)));
            }
            let command = Arc::clone(command);
            children.push(self.fork_with(process, move |mut shell| {
                Box::pin(async move {
                    let flow = shell.command(&command, Tail::Last).await;
                    shell.finish(flow).await
                })
            }));
        }
        let mut status = 0;
        for mut child in children {
            let code = self.wait_for(&mut child).await;
            status = if self.options.pipefail && code == 0 { status } else { code };
        }
        self.status = status;
        Ok(())
    }

    /// Waits for a child that runs in the foreground.
    pub(super) async fn wait_for(&mut self, child: &mut Child) -> i32 {
        let began = self.process.clock().now();
        let status = child.wait().await;
        if self.process.clock().now() > began {
            self.pace.pause = 0;
        }
        status
    }

    /// Lets others have their turn, and time pass, when a script only computes.
    async fn step(&mut self) {
        self.pace.steps += 1;
        if self.pace.steps.is_multiple_of(STEPS_PER_PAUSE) {
            self.pace.pause = (self.pace.pause * 2).clamp(1, LONGEST_PAUSE);
            self.process.clock().sleep(Duration::from_millis(self.pace.pause)).await;
        } else if self.pace.steps.is_multiple_of(STEPS_PER_TURN) {
            tokio::task::yield_now().await;
        }
    }

    pub(super) fn command<'a>(
        &'a mut self,
        command: &'a Command,
        tail: Tail,
    ) -> BoxFuture<'a, Result<(), Flow>> {
        Box::pin(async move {
            self.step().await;
            self.line = command.line;
            let Kind::Simple { assignments, words } = &command.kind else {
                if command.redirects.is_empty() {
                    return self.compound(&command.kind, tail).await;
                }
                let saved = self.process.descriptors.clone();
                let done = match self.redirect(&command.redirects).await {
                    Ok(Redirected::Done) => self.compound(&command.kind, Tail::More).await,
                    Ok(Redirected::Failed) => {
                        self.status = 1;
                        Ok(())
                    }
                    Err(flow) => Err(flow),
                };
                self.process.descriptors = saved;
                return done;
            };
            self.simple(assignments, words, &command.redirects, tail).await
        })
    }

    async fn compound(&mut self, kind: &Kind, tail: Tail) -> Result<(), Flow> {
        match kind {
            Kind::Simple { .. } => Ok(()),
            Kind::Group(list) => self.list(list, tail).await,
            Kind::Subshell(list) => {
                if self.calls > DEEPEST {
                    return Err(self.fail("can't fork: Resource temporarily unavailable").await);
                }
                let mut child = self.fork(list);
                self.status = self.wait_for(&mut child).await;
                Ok(())
            }
            Kind::If { arms, otherwise } => {
                for (condition, body) in arms {
                    if self.holds(condition).await? {
                        return self.list(body, tail).await;
                    }
                }
                match otherwise {
                    Some(body) => self.list(body, tail).await,
                    None => {
                        self.status = 0;
                        Ok(())
                    }
                }
            }
            Kind::While { condition, until, body } => {
                self.loops += 1;
                let done = self.repeat(condition, *until, body).await;
                self.loops -= 1;
                done
            }
            Kind::For { name, words, body } => {
                let values = match words {
                    Some(words) => self.fields(words).await?,
                    None => self.parameters.clone(),
                };
                self.loops += 1;
                let done = self.for_each(name, values, body).await;
                self.loops -= 1;
                done
            }
            Kind::Case { word, arms } => {
                let value = self.text(word).await?;
                self.status = 0;
                let mut falling = false;
                for arm in arms {
                    let mut taken = falling;
                    for pattern in &arm.patterns {
                        taken = taken || self.pattern(pattern).await?.matches(&value);
                    }
                    if taken {
                        self.list(&arm.body, if arm.falls_through { Tail::More } else { tail }).await?;
                        falling = arm.falls_through;
                        if !falling {
                            break;
                        }
                    }
                }
                Ok(())
            }
            Kind::Function { name, body } => {
                self.functions.insert(name.clone(), Arc::clone(body));
                self.status = 0;
                Ok(())
            }
        }
    }

    async fn holds(&mut self, condition: &List) -> Result<bool, Flow> {
        self.tested += 1;
        let done = self.list(condition, Tail::More).await;
        self.tested -= 1;
        done.map(|()| self.status == 0)
    }

    async fn repeat(&mut self, condition: &List, until: bool, body: &List) -> Result<(), Flow> {
        let mut status = 0;
        loop {
            let holds = self.holds(condition).await;
            match Self::turn(holds.map(|holds| holds != until))? {
                Turn::Next(true) => {}
                Turn::Next(false) | Turn::Leave => break,
                Turn::Again => continue,
            }
            let done = self.list(body, Tail::More).await;
            status = self.status;
            if let Turn::Leave = Self::turn(done.map(|()| true))? {
                status = 0;
                break;
            }
        }
        self.status = status;
        Ok(())
    }

    async fn for_each(&mut self, name: &str, values: Vec<String>, body: &List) -> Result<(), Flow> {
        self.status = 0;
        for value in values {
            self.assign(name, value).await?;
            let done = self.list(body, Tail::More).await;
            if let Turn::Leave = Self::turn(done.map(|()| true))? {
                break;
            }
        }
        Ok(())
    }

    /// What a `break` or `continue` means for this loop.
    fn turn(done: Result<bool, Flow>) -> Result<Turn, Flow> {
        match done {
            Ok(holds) => Ok(Turn::Next(holds)),
            Err(Flow::Break(1)) => Ok(Turn::Leave),
            Err(Flow::Continue(1)) => Ok(Turn::Again),
            Err(Flow::Break(n)) => Err(Flow::Break(n - 1)),
            Err(Flow::Continue(n)) => Err(Flow::Continue(n - 1)),
            Err(flow) => Err(flow),
        }
    }

    async fn simple(
        &mut self,
        assignments: &[(String, Word)],
        words: &[Word],
        redirects: &[Redirect],
        tail: Tail,
    ) -> Result<(), Flow> {
        self.substituted = None;
        let argv = self.fields(words).await?;
        let mut assigned = Vec::new();
        for (name, word) in assignments {
            let value = self.text(word).await?;
            if argv.is_empty() {
                self.assign(name, value.clone()).await?;
            }
            assigned.push((name.clone(), value));
        }
        if self.options.xtrace {
            self.trace(&assigned, &argv).await;
        }
        let Some(name) = argv.first().cloned() else {
            let saved = self.process.descriptors.clone();
            let done = self.redirect(redirects).await;
            self.process.descriptors = saved;
            self.status = match done? {
                Redirected::Done => self.substituted.unwrap_or(0),
                Redirected::Failed => 1,
            };
            return Ok(());
        };
        if name == "exec" {
            return self.exec(&argv[1..], &assigned, redirects).await;
        }
        if let Some(body) = self.functions.get(&name).cloned() {
            return self.call(&body, &argv, assigned, redirects).await;
        }
        if builtins::is_builtin(&name) {
            return self.builtin(&argv, assigned, redirects).await;
        }
        self.external(&argv, assigned, redirects, tail).await
    }

    async fn trace(&self, assigned: &[(String, String)], argv: &[String]) {
        let mut shown: Vec<String> =
            assigned.iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
        shown.extend(argv.iter().map(|word| quoted(word)));
        let prefix = self.get("PS4").unwrap_or_else(|| "+ ".into());
        self.process.complain(&format!("{prefix}{}", shown.join(" "))).await;
    }

    /// Runs something with variables and descriptors that are put back afterwards.
    async fn builtin(
        &mut self,
        argv: &[String],
        assigned: Vec<(String, String)>,
        redirects: &[Redirect],
    ) -> Result<(), Flow> {
        let saved = self.process.descriptors.clone();
        let special = builtins::is_special(&argv[0]);
        let mut before = Vec::new();
        for (name, value) in assigned {
            before.push((name.clone(), self.variables.get(&name).cloned()));
            self.assign(&name, value).await?;
            if let Some(variable) = self.variables.get_mut(&name).filter(|_| !special) {
                variable.exported = true;
            }
        }
        let done = match self.redirect(redirects).await {
            Ok(Redirected::Done) => self.run_builtin(argv).await,
            Ok(Redirected::Failed) if special => Err(Flow::Exit(2)),
            Ok(Redirected::Failed) => Ok(1),
            Err(flow) => Err(flow),
        };
        self.process.descriptors = saved;
        if !special {
            self.restore(before);
        }
        self.status = done?;
        Ok(())
    }

    async fn call(
        &mut self,
        body: &Arc<Command>,
        argv: &[String],
        assigned: Vec<(String, String)>,
        redirects: &[Redirect],
    ) -> Result<(), Flow> {
        if self.calls > DEEPEST {
            // A real shell overflows its stack.
            return Err(Flow::Exit(Signal(11).status()));
        }
        let saved = self.process.descriptors.clone();
        let parameters = std::mem::replace(&mut self.parameters, argv[1..].to_vec());
        let loops = std::mem::take(&mut self.loops);
        self.locals.push(Vec::new());
        self.calls += 1;
        for (name, value) in assigned {
            self.localize(&name);
            self.assign(&name, value).await?;
        }
        let done = match self.redirect(redirects).await {
            Ok(Redirected::Done) => self.command(body, Tail::More).await,
            Ok(Redirected::Failed) => {
                self.status = 1;
                Ok(())
            }
            Err(flow) => Err(flow),
        };
        self.calls -= 1;
        self.loops = loops;
        self.parameters = parameters;
        self.process.descriptors = saved;
        let locals = self.locals.pop().unwrap_or_default();
        self.restore(locals);
        match done {
            Err(Flow::Return(status)) => {
                self.status = status;
                self.leave_if_failed()
            }
            other => other,
        }
    }

    async fn external(
        &mut self,
        argv: &[String],
        assigned: Vec<(String, String)>,
        redirects: &[Redirect],
        tail: Tail,
    ) -> Result<(), Flow> {
        let saved = self.process.descriptors.clone();
        let done = self.redirect(redirects).await;
        let redirected = std::mem::replace(&mut self.process.descriptors, saved);
        if let Redirected::Failed = done? {
            self.status = 1;
            return Ok(());
        }
        let mut env = self.environment();
        env.extend(assigned);
        if tail == Tail::Last && self.traps.is_empty() {
            self.process.descriptors = redirected;
            return Err(Flow::Exit(self.become_program(argv, env).await));
        }
        let mut process = self.process.fork();
        process.descriptors = redirected;
        process.env = env;
        let (argv, reporter) = (argv.to_vec(), self.reporter());
        let title = argv.join(" ");
        let mut child =
            process.start(title, |process| Box::pin(programs::run_for_shell(process, argv, reporter)));
        self.status = self.wait_for(&mut child).await;
        let epitaph = Some(self.status - 128).filter(|n| *n > 0).and_then(|n| Signal(n).epitaph());
        if let Some(text) = epitaph.filter(|_| child.was_killed()) {
            self.process.complain(text).await;
        }
        Ok(())
    }

    /// A program takes this process over.
    pub(super) async fn become_program(
        &mut self,
        argv: &[String],
        env: std::collections::BTreeMap<String, String>,
    ) -> i32 {
        self.process.signals.forget_handlers();
        self.process.world.processes.rename(self.process.pid, argv.join(" "));
        let process = self.process.take_over(env);
        programs::run_for_shell(process, argv.to_vec(), self.reporter()).await
    }

    /// Runs commands and takes what they write.
    pub(super) async fn substitute(&mut self, list: &List) -> Result<String, Flow> {
        if self.calls > DEEPEST {
            return Err(self.fail("can't fork: Resource temporarily unavailable").await);
        }
        let (read, write) = pipe();
        let mut process = self.process.fork();
        process.descriptors.insert(1, Descriptor::PipeWrite(Arc::new(write)));
        let list = Arc::clone(list);
        let mut child = self.fork_with(process, move |mut shell| {
            Box::pin(async move {
                let flow = shell.list(&list, Tail::Last).await;
                shell.finish(flow).await
            })
        });
        let mut output = Vec::new();
        let mut buffer = vec![0; 8192];
        loop {
            let length = read.read(&mut buffer).await;
            if length == 0 {
                break;
            }
            if self.process.memory.grow(length as u64).is_err() {
                return Err(Flow::Exit(Signal::KILL.status()));
            }
            output.extend_from_slice(&buffer[..length]);
        }
        self.process.memory.shrink(output.len() as u64);
        self.status = self.wait_for(&mut child).await;
        self.substituted = Some(self.status);
        let mut text = String::from_utf8_lossy(&output).replace('\0', "");
        text.truncate(text.trim_end_matches('\n').len());
        Ok(text)
    }
}

enum Turn {
    Next(bool),
    Again,
    Leave,
}

/// A word as `set -x` shows it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+@%^".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\"'\"'"))
    }
}
