//! `wait`, `kill`, `jobs`, `trap`.

use super::super::run::quoted;
use super::super::{Flow, Shell};
use crate::process::Child;
use crate::programs::kill;
use crate::signal::Signal;

impl Shell {
    pub(super) async fn job_control(&mut self, argv: &[String]) -> Result<i32, Flow> {
        match argv[0].as_str() {
            "wait" => self.wait(&argv[1..]).await,
            "trap" => self.trap(&argv[1..]).await,
            "kill" => {
                let args: Vec<String> = argv[1..]
                    .iter()
                    .map(|arg| self.job(arg).map_or_else(|| arg.clone(), |child| child.pid.to_string()))
                    .collect();
                match kill(&self.process, &args) {
                    Ok(_) if self.process.signals.killed_by().is_some() => std::future::pending().await,
                    Ok(text) => self.print(&text).await,
                    Err(text) => {
                        self.process.complain(&format!("{}: {text}", self.name)).await;
                        Ok(1)
                    }
                }
            }
            _ => {
                let mut text = String::new();
                for (number, job) in self.jobs.iter().enumerate().filter(|(_, job)| job.is_running()) {
                    text.push_str(&format!("[{}]+  {} Running\n", number + 1, job.pid));
                }
                self.print(&text).await
            }
        }
    }

    /// `%1`
    fn job(&self, text: &str) -> Option<&Child> {
        match text.strip_prefix('%')? {
            "" | "%" | "+" => self.jobs.last(),
            number => self.jobs.get(number.parse::<usize>().ok()?.checked_sub(1)?),
        }
    }

    async fn wait(&mut self, args: &[String]) -> Result<i32, Flow> {
        let mut awaited = Vec::new();
        let mut status = 0;
        for arg in args {
            let found = match self.job(arg) {
                Some(child) => Some(child.clone()),
                None => self.jobs.iter().find(|child| child.pid.to_string() == *arg).cloned(),
            };
            match found {
                Some(child) => awaited.push(child),
                None => status = 127,
            }
        }
        if args.is_empty() {
            awaited.clone_from(&self.jobs);
        }
        let signals = std::sync::Arc::clone(&self.process.signals);
        for mut child in awaited {
            tokio::select! {
                biased;
                code = child.wait() => if !args.is_empty() { status = code },
                () = signals.caught() => {
                    let signal = signals.peek().unwrap_or(Signal::TERM);
                    self.status = signal.status();
                    self.run_traps().await?;
                    return Ok(signal.status());
                }
            }
        }
        if args.is_empty() {
            self.jobs.clear();
        }
        self.pace.pause = 0;
        Ok(status)
    }

    async fn trap(&mut self, args: &[String]) -> Result<i32, Flow> {
        let args = if args.first().is_some_and(|arg| arg == "--") { &args[1..] } else { args };
        let Some((action, names)) = args.split_first() else {
            let lines = self
                .traps
                .iter()
                .map(|(signal, action)| format!("trap -- {} {}\n", quoted(action), signal.name()));
            let text: String = lines.collect();
            return self.print(&text).await;
        };
        if action == "-l" {
            return Ok(0);
        }
        let (action, names) = if names.is_empty() { (None, args) } else { (Some(action.as_str()), names) };
        let mut status = 0;
        for name in names {
            match Signal::parse(name) {
                Some(signal) => self.set_trap(signal, action.filter(|action| *action != "-")),
                None => {
                    self.say_of("trap", &format!("{name}: invalid signal specification")).await;
                    status = 1;
                }
            }
        }
        Ok(status)
    }
}
