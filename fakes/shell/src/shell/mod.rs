//! The shell: runs what a script says, as busybox does.

mod arithmetic;
mod builtins;
mod expand;
mod expression;
mod invoke;
mod pattern;
mod printing;
mod redirect;
mod run;
mod variables;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub(crate) use expression::test;
pub(crate) use invoke::main;
pub(crate) use pattern::Pattern;
pub(crate) use printing::{echo, printf};
pub(crate) use redirect::open_named;
pub(crate) use variables::Variable;

use futures::future::BoxFuture;

use crate::process::{Child, Process};
use crate::signal::{Disposition, Signal};
use crate::syntax::{Command, List};

/// Why the commands that follow are not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// The shell ends.
    Exit(i32),
    /// The function, or the sourced file, ends.
    Return(i32),
    /// That many loops end.
    Break(usize),
    /// That many loops less one end; the last goes on with its next turn.
    Continue(usize),
}

/// What `set` sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) errexit: bool,
    pub(crate) nounset: bool,
    pub(crate) xtrace: bool,
    pub(crate) pipefail: bool,
    pub(crate) noglob: bool,
}

/// A running shell.
pub(crate) struct Shell {
    pub(crate) process: Process,
    variables: BTreeMap<String, Variable>,
    functions: HashMap<String, Arc<Command>>,
    /// `$0`
    name: String,
    /// The script's file, when it is one.
    script: Option<String>,
    parameters: Vec<String>,
    status: i32,
    last_background: Option<u32>,
    /// What the last expansion of a command ended with.
    substituted: Option<i32>,
    /// `$$`: that of the first shell, also in its subshells.
    root_pid: u32,
    options: Options,
    traps: BTreeMap<Signal, String>,
    jobs: Vec<Child>,
    /// Values to come back when a function ends.
    locals: Vec<Vec<(String, Option<Variable>)>>,
    /// Within a condition: a failure is no reason to leave.
    tested: usize,
    loops: usize,
    calls: usize,
    splits: bool,
    line: usize,
    pace: Pace,
}

/// Whether anything comes after a command in its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    More,
    /// Nothing does: a program may take the process over.
    Last,
}

/// A shell that only computes lets the world go on now and then, and time pass.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    steps: u64,
    pause: u64,
}

/// How often others get their turn.
const STEPS_PER_TURN: u64 = 64;
/// What takes some time, even when nothing waits.
const STEPS_PER_PAUSE: u64 = 1000;
/// Milliseconds; who computes for long is looked at less closely.
const LONGEST_PAUSE: u64 = 64;
/// How deep calls and subshells may be.
const DEEPEST: usize = 200;

impl Shell {
    /// A new shell in a process.
    pub(crate) fn new(process: Process, name: String, parameters: Vec<String>) -> Self {
        let variables = process.env.iter().map(|(name, value)| (name.clone(), Variable::exported(value)));
        let mut shell = Self {
            variables: variables.collect(),
            functions: HashMap::new(),
            name,
            script: None,
            parameters,
            status: 0,
            last_background: None,
            substituted: None,
            root_pid: process.pid,
            options: Options::default(),
            traps: BTreeMap::new(),
            jobs: Vec::new(),
            locals: Vec::new(),
            tested: 0,
            loops: 0,
            calls: 0,
            splits: true,
            line: 1,
            pace: Pace::default(),
            process,
        };
        shell.variables.insert("PWD".into(), Variable::exported(&shell.process.cwd));
        shell
            .variables
            .entry("PATH".into())
            .or_insert_with(|| Variable::plain("/sbin:/usr/sbin:/bin:/usr/bin"));
        for (name, value) in [("PS1", "$ "), ("PS4", "+ "), ("OPTIND", "1"), ("IFS", " \t\n")] {
            shell.variables.entry(name.into()).or_insert_with(|| Variable::plain(value));
        }
        shell.variables.insert("IFS".into(), Variable::plain(" \t\n"));
        shell
    }

    /// A subshell in a process of its own.
    fn subshell(&self, process: Process) -> Self {
        let ignored = self.traps.iter().filter(|(_, action)| action.is_empty());
        Self {
            variables: self.variables.clone(),
            functions: self.functions.clone(),
            name: self.name.clone(),
            script: self.script.clone(),
            parameters: self.parameters.clone(),
            status: self.status,
            last_background: self.last_background,
            substituted: None,
            root_pid: self.root_pid,
            options: self.options.clone(),
            traps: ignored.map(|(signal, action)| (*signal, action.clone())).collect(),
            jobs: Vec::new(),
            locals: self.locals.clone(),
            tested: self.tested,
            loops: 0,
            calls: self.calls + 1,
            splits: true,
            line: self.line,
            pace: Pace::default(),
            process,
        }
    }

    /// Runs commands in a child process; the last of them is the process itself.
    fn fork(&self, list: &List) -> Child {
        let list = Arc::clone(list);
        self.fork_with(self.process.fork(), move |mut shell| {
            Box::pin(async move {
                let flow = shell.list(&list, Tail::Last).await;
                shell.finish(flow).await
            })
        })
    }

    /// Runs a subshell in a process that was made for it.
    fn fork_with(&self, process: Process, body: impl FnOnce(Self) -> BoxFuture<'static, i32>) -> Child {
        process.start(self.name.clone(), |process| body(self.subshell(process)))
    }

    /// What happens when a signal is caught.
    fn set_trap(&mut self, signal: Signal, action: Option<&str>) {
        match action {
            None => {
                self.traps.remove(&signal);
                self.process.signals.set(signal, None);
            }
            Some(text) => {
                let disposition = if text.is_empty() { Disposition::Ignore } else { Disposition::Catch };
                self.traps.insert(signal, text.to_owned());
                self.process.signals.set(signal, Some(disposition));
            }
        }
    }
}
