//! `sh`: options, scripts, standard input; how a shell ends and how it complains.

use futures::future::BoxFuture;

use super::{Flow, Shell, Tail};
use crate::process::Process;
use crate::programs::Reporter;
use crate::signal::Signal;
use crate::syntax::{Parser, SyntaxError};

/// Runs `sh`.
pub(crate) fn main(process: Process, argv: Vec<String>) -> BoxFuture<'static, i32> {
    Box::pin(async move {
        let mut shell = Shell::new(process, argv.first().cloned().unwrap_or_else(|| "sh".into()), Vec::new());
        let mut rest = argv.get(1..).unwrap_or_default();
        let (mut command, mut from_input) = (false, false);
        while let Some((option, more)) = rest.split_first() {
            let Some(letters) = option.strip_prefix(['-', '+']).filter(|letters| !letters.is_empty()) else {
                break;
            };
            rest = more;
            if letters == "-" {
                break;
            }
            let on = option.starts_with('-');
            for letter in letters.chars() {
                match letter {
                    'c' => command = true,
                    's' => from_input = true,
                    'i' | 'l' => {}
                    'o' => {
                        let Some((name, more)) = rest.split_first() else { break };
                        rest = more;
                        shell.set_option(name, on);
                    }
                    letter if shell.set_letter(letter, on) => {}
                    letter => {
                        shell.process.complain(&format!("sh: illegal option -{letter}")).await;
                        return 2;
                    }
                }
            }
        }
        let flow = if command {
            let Some((text, more)) = rest.split_first() else {
                shell.process.complain("sh: -c requires an argument").await;
                return 2;
            };
            if let Some((name, parameters)) = more.split_first() {
                shell.name.clone_from(name);
                shell.parameters = parameters.to_vec();
            }
            // What follows -c begins at line 0.
            shell.line = 0;
            shell.script_text(text, Tail::Last).await
        } else if let Some((path, parameters)) = rest.split_first().filter(|_| !from_input) {
            shell.parameters = parameters.to_vec();
            shell.script_file(path).await
        } else {
            shell.parameters = rest.to_vec();
            shell.standard_input().await
        };
        shell.finish(flow).await
    })
}

impl Shell {
    async fn script_file(&mut self, path: &str) -> Result<(), Flow> {
        match self.process.files().read(&self.process.cwd, path) {
            Ok(bytes) => {
                self.name = path.to_owned();
                self.script = Some(path.to_owned());
                let text = String::from_utf8_lossy(&bytes).into_owned();
                self.script_text(&text, Tail::More).await
            }
            Err(error) => {
                let text = match error.kind() {
                    std::io::ErrorKind::NotFound => "No such file or directory".to_owned(),
                    _ => crate::descriptor::strerror(&error),
                };
                self.process.complain(&format!("{}: can't open '{path}': {text}", self.name)).await;
                Err(Flow::Exit(2))
            }
        }
    }

    /// Runs a text, command by command.
    pub(super) fn script_text<'a>(
        &'a mut self,
        text: &'a str,
        tail: Tail,
    ) -> BoxFuture<'a, Result<(), Flow>> {
        Box::pin(async move {
            let mut parser = Parser::at_line(text, self.line);
            loop {
                match parser.complete_command() {
                    Ok(None) => return Ok(()),
                    Ok(Some(list)) => {
                        let tail = if parser.is_at_end() { tail } else { Tail::More };
                        self.list(&list, tail).await?;
                    }
                    Err(error) => {
                        self.line = parser.line();
                        return Err(self.fail(&error.to_string()).await);
                    }
                }
            }
        })
    }

    /// Runs what comes in, line by line; commands read from the same input.
    async fn standard_input(&mut self) -> Result<(), Flow> {
        let mut text = String::new();
        let mut first_line = 1;
        loop {
            let mut line = Vec::new();
            let mut ended = true;
            while let Ok(Some(byte)) = self.process.read_byte(0).await {
                line.push(byte);
                if byte == b'\n' {
                    ended = false;
                    break;
                }
            }
            text.push_str(&String::from_utf8_lossy(&line));
            let mut parser = Parser::at_line(&text, first_line);
            match parser.complete_command() {
                Ok(None) => {}
                Ok(Some(list)) => self.list(&list, Tail::More).await?,
                Err(SyntaxError::Incomplete(_)) if !ended => continue,
                Err(error) => return Err(self.fail(&error.to_string()).await),
            }
            first_line += text.matches('\n').count();
            text.clear();
            if ended {
                return Ok(());
            }
        }
    }

    /// The end of a shell: its exit trap, its status.
    pub(super) async fn finish(&mut self, flow: Result<(), Flow>) -> i32 {
        self.status = match flow {
            Ok(()) | Err(Flow::Break(_) | Flow::Continue(_)) => self.status,
            Err(Flow::Exit(status) | Flow::Return(status)) => status,
        };
        if let Some(action) = self.traps.remove(&Signal::EXIT).filter(|action| !action.is_empty()) {
            let status = self.status;
            match self.script_text(&action, Tail::More).await {
                Err(Flow::Exit(code)) => return code,
                _ => self.status = status,
            }
        }
        self.status
    }

    /// Runs the traps of the signals that came.
    pub(super) async fn run_traps(&mut self) -> Result<(), Flow> {
        while let Some(signal) = self.process.signals.take() {
            let Some(action) = self.traps.get(&signal).cloned() else { continue };
            let status = self.status;
            self.script_text(&action, Tail::More).await?;
            self.status = status;
        }
        Ok(())
    }

    pub(super) fn reporter(&self) -> Reporter {
        Reporter { prefix: self.prefix() }
    }

    fn prefix(&self) -> String {
        match &self.script {
            Some(_) => format!("{}: line {}: ", self.name, self.line),
            None => format!("{}: ", self.name),
        }
    }

    /// Says something about the script.
    pub(super) async fn say(&self, text: &str) {
        self.process.complain(&format!("{}{text}", self.prefix())).await;
    }

    /// Says something about a built-in command.
    pub(super) async fn say_of(&self, builtin: &str, text: &str) {
        self.process.complain(&format!("{}: {builtin}: line {}: {text}", self.name, self.line)).await;
    }

    /// An error that ends the shell.
    pub(super) async fn fail(&mut self, text: &str) -> Flow {
        self.say(text).await;
        Flow::Exit(2)
    }

    /// `-e` and its kin; whether there is such a letter.
    pub(super) fn set_letter(&mut self, letter: char, on: bool) -> bool {
        match letter {
            'e' => self.options.errexit = on,
            'u' => self.options.nounset = on,
            'x' => self.options.xtrace = on,
            'f' => self.options.noglob = on,
            'a' | 'b' | 'C' | 'h' | 'm' | 'n' | 'v' => {}
            _ => return false,
        }
        true
    }

    /// `-o NAME`; whether there is such a name.
    pub(super) fn set_option(&mut self, name: &str, on: bool) -> bool {
        match name {
            "errexit" => self.options.errexit = on,
            "nounset" => self.options.nounset = on,
            "xtrace" => self.options.xtrace = on,
            "noglob" => self.options.noglob = on,
            "pipefail" => self.options.pipefail = on,
            "allexport" | "ignoreeof" | "interactive" | "monitor" | "noclobber" | "noexec" | "notify"
            | "verbose" | "vi" => {}
            _ => return false,
        }
        true
    }
}
