//! `exec`, `export`, `readonly`, `local`, `set`, `unset`.

use super::super::redirect::Redirected;
use super::super::run::quoted;
use super::super::{Flow, Shell, Variable};
use crate::programs;
use crate::syntax::{Redirect, is_name};

impl Shell {
    pub(super) async fn setting(&mut self, argv: &[String]) -> Result<i32, Flow> {
        let args = &argv[1..];
        match argv[0].as_str() {
            "export" | "readonly" | "local" => self.declare(argv).await,
            "set" => self.set(args).await,
            "unset" => {
                let mut functions = false;
                for arg in args {
                    match arg.as_str() {
                        "-f" => functions = true,
                        "-v" => functions = false,
                        name if functions => drop(self.functions.remove(name)),
                        name => self.unset(name).await?,
                    }
                }
                Ok(0)
            }
            _ => Ok(0),
        }
    }

    async fn declare(&mut self, argv: &[String]) -> Result<i32, Flow> {
        let what = argv[0].as_str();
        let shown: Vec<&String> = argv[1..].iter().filter(|arg| !arg.starts_with('-')).collect();
        let unexport = what == "export" && argv.iter().any(|arg| arg == "-n");
        if shown.is_empty() && what != "local" {
            let listed = self
                .variables
                .iter()
                .filter(|(_, v)| if what == "export" { v.exported } else { v.read_only });
            let lines = listed.map(|(name, v)| match &v.value {
                Some(value) => format!("{what} {name}='{}'\n", value.replace('\'', "'\"'\"'")),
                None => format!("{what} {name}\n"),
            });
            let text: String = lines.collect();
            return self.print(&text).await;
        }
        if what == "local" && self.locals.is_empty() {
            return Err(self.fail("local: not in a function").await);
        }
        for arg in shown {
            let (name, value) = arg.split_once('=').map_or((arg.as_str(), None), |(n, v)| (n, Some(v)));
            if !is_name(name) {
                self.say_of(what, &format!("{name}: bad variable name")).await;
                return Err(Flow::Exit(2));
            }
            if what == "local" {
                self.localize(name);
            }
            match value {
                Some(value) => self.assign(name, value.to_owned()).await?,
                None if what == "local" => {}
                None => {
                    let none = || Variable { value: None, exported: false, read_only: false };
                    self.variables.entry(name.to_owned()).or_insert_with(none);
                }
            }
            if let Some(variable) = self.variables.get_mut(name) {
                match what {
                    "export" => variable.exported = !unexport,
                    "readonly" => variable.read_only = true,
                    _ => {}
                }
            }
        }
        Ok(0)
    }

    async fn set(&mut self, args: &[String]) -> Result<i32, Flow> {
        if args.is_empty() {
            let named = self.variables.iter().filter_map(|(name, v)| Some((name, v.value.as_ref()?)));
            let lines = named.map(|(name, value)| format!("{name}='{}'\n", value.replace('\'', "'\"'\"'")));
            let text: String = lines.collect();
            return self.print(&text).await;
        }
        let mut rest = args;
        while let Some((arg, more)) = rest.split_first() {
            if arg == "--" {
                self.parameters = more.to_vec();
                return Ok(0);
            }
            let Some(letters) = arg.strip_prefix(['-', '+']).filter(|letters| !letters.is_empty()) else {
                break;
            };
            let on = arg.starts_with('-');
            rest = more;
            for letter in letters.chars() {
                if letter == 'o' {
                    let Some((name, more)) = rest.split_first() else { return self.print_options().await };
                    rest = more;
                    if !self.set_option(name, on) {
                        return Err(self.fail(&format!("set: illegal option {arg} {name}")).await);
                    }
                } else if !self.set_letter(letter, on) {
                    return Err(self.fail(&format!("set: illegal option -{letter}")).await);
                }
            }
        }
        if !rest.is_empty() {
            self.parameters = rest.to_vec();
        }
        Ok(0)
    }

    async fn print_options(&self) -> Result<i32, Flow> {
        let word = |on: bool| if on { "on" } else { "off" };
        let o = &self.options;
        let text = format!(
            "errexit         {}\nnoglob          {}\nxtrace          {}\nnounset         {}\npipefail        {}\n",
            word(o.errexit),
            word(o.noglob),
            word(o.xtrace),
            word(o.nounset),
            word(o.pipefail)
        );
        self.print(&text).await
    }

    /// `exec`: redirections that stay, or another program in this process.
    pub(in crate::shell) async fn exec(
        &mut self,
        args: &[String],
        assigned: &[(String, String)],
        redirects: &[Redirect],
    ) -> Result<(), Flow> {
        if let Redirected::Failed = self.redirect(redirects).await? {
            return Err(Flow::Exit(1));
        }
        let args = if args.first().is_some_and(|arg| arg == "--") { &args[1..] } else { args };
        if args.is_empty() {
            for (name, value) in assigned {
                self.assign(name, value.clone()).await?;
            }
            self.status = 0;
            return Ok(());
        }
        let mut env = self.environment();
        env.extend(assigned.iter().cloned());
        // What is not there is said before the shell is given up; it ends all the same.
        Err(Flow::Exit(self.become_program(args, env).await))
    }

    /// Runs a program as a child.
    pub(super) async fn run_program(&mut self, argv: &[String]) -> Result<(), Flow> {
        let mut process = self.process.fork();
        process.env = self.environment();
        let (argv, reporter) = (argv.to_vec(), self.reporter());
        let title = argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        let mut child =
            process.start(title, |process| Box::pin(programs::run_for_shell(process, argv, reporter)));
        self.status = self.wait_for(&mut child).await;
        Ok(())
    }
}
