//! Commands that run others.

use std::sync::Arc;

use super::options::{Options, usage};
use super::time::duration;
use super::{Done, Fault, conclude, plain};
use crate::descriptor::Descriptor;
use crate::process::Process;
use crate::programs;
use crate::signal::{Disposition, Sender, Signal};

/// `env`, `nohup` and `timeout`: the command takes the process over.
pub(super) async fn replace(mut process: Process, name: String, argv: Vec<String>) -> i32 {
    let args = argv.get(1..).unwrap_or_default();
    let prepared = match name.as_str() {
        "env" => env(&mut process, args).await,
        "timeout" => timeout(&process, args).await,
        _ => {
            process.signals.set(Signal(1), Some(Disposition::Ignore));
            Ok(Some(args.to_vec()))
        }
    };
    match prepared {
        Ok(Some(command)) if !command.is_empty() => programs::run_for(&name, process, command).await,
        Ok(Some(_)) => {
            let fault = usage(&process, &name).await;
            conclude(&process, &name, Err(fault)).await
        }
        Ok(None) => 0,
        Err(fault) => conclude(&process, &name, Err(fault)).await,
    }
}

async fn env(process: &mut Process, args: &[String]) -> Result<Option<Vec<String>>, Fault> {
    let options = Options::read(process, "env", "+iu:0", args).await?;
    if options.has('i') {
        process.env.clear();
    }
    for name in options.values('u') {
        process.env.remove(name);
    }
    let mut rest = &options.rest[..];
    while let Some((name, value)) = rest.first().and_then(|word| word.split_once('=')) {
        process.env.insert(name.to_owned(), value.to_owned());
        rest = &rest[1..];
    }
    if rest.is_empty() {
        let lines: String = process.env.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        process.out(lines).await?;
        return Ok(None);
    }
    Ok(Some(rest.to_vec()))
}

async fn timeout(process: &Process, args: &[String]) -> Result<Option<Vec<String>>, Fault> {
    let options = Options::read(process, "timeout", "+s:k:", args).await?;
    let signal = match options.value('s') {
        None => Signal::TERM,
        Some(name) => match Signal::parse(name) {
            Some(signal) => signal,
            None => {
                process.complain(&format!("timeout: unknown signal '{name}'")).await;
                return Err(Fault::Usage);
            }
        },
    };
    let Some((seconds, command)) = options.rest.split_first().filter(|(_, command)| !command.is_empty())
    else {
        return Err(usage(process, "timeout").await);
    };
    let Some(within) = duration(seconds) else {
        process.complain(&format!("timeout: invalid number '{seconds}'")).await;
        return Err(Fault::Usage);
    };
    let then_kill = options.value('k').and_then(duration);
    let (clock, signals, ended) =
        (process.clock().clone(), Arc::downgrade(&process.signals), process.world.ended.clone());
    let watch = async move {
        clock.sleep(within).await;
        if let Some(signals) = signals.upgrade() {
            signals.send(signal, Sender::Inside);
        }
        if let Some(more) = then_kill {
            clock.sleep(more).await;
            if let Some(signals) = signals.upgrade() {
                signals.send(Signal::KILL, Sender::Inside);
            }
        }
    };
    tokio::spawn(async move {
        tokio::select! {
            () = ended.cancelled() => {}
            () = watch => {}
        }
    });
    Ok(Some(command.to_vec()))
}

/// Runs a command as a child and waits for it.
pub(super) async fn child(
    process: &Process,
    name: &'static str,
    argv: Vec<String>,
    input: Option<Descriptor>,
) -> i32 {
    let mut child = process.fork();
    if let Some(input) = input {
        child.descriptors.insert(0, input);
    }
    let title = argv.join(" ");
    child.start(title, |child| Box::pin(programs::run_for(name, child, argv))).wait().await
}

pub(super) async fn xargs(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "xargs", "+0rtn:I:P:d:L:s:E:x", args).await?;
    let input = plain::slurp(process, &process.descriptor(0)?).await?;
    let text = String::from_utf8_lossy(&input).into_owned();
    let words: Vec<String> = if options.has('0') {
        text.split('\0').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    } else if options.has('I') {
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    } else {
        words(&text)
    };
    let command = if options.rest.is_empty() { vec!["echo".to_owned()] } else { options.rest.clone() };
    let mut calls: Vec<Vec<String>> = Vec::new();
    if let Some(mark) = options.value('I') {
        calls.extend(words.iter().map(|word| command.iter().map(|arg| arg.replace(mark, word)).collect()));
    } else {
        let most = options.value('n').and_then(|n| n.parse().ok()).unwrap_or(usize::MAX >> 1).max(1);
        for part in words.chunks(most) {
            calls.push(command.iter().chain(part).cloned().collect());
        }
        if words.is_empty() && !options.has('r') {
            calls.push(command);
        }
    }
    let mut status = 0;
    for call in calls {
        if options.has('t') {
            process.complain(&call.join(" ")).await;
        }
        status = match child(process, "xargs", call, Some(Descriptor::Null)).await {
            0 => status,
            255 => return Ok(124),
            code @ (126 | 127) => return Ok(code),
            code if code > 128 => return Ok(125),
            _ => 123,
        };
    }
    Ok(status)
}

/// Words, with quotes and backslashes.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut open: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(mark), c) if c == mark => quote = None,
            (Some(_), c) => open.get_or_insert_default().push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                open.get_or_insert_default();
            }
            (None, '\\') => open.get_or_insert_default().extend(chars.next()),
            (None, c) if c.is_whitespace() => words.extend(open.take()),
            (None, c) => open.get_or_insert_default().push(c),
        }
    }
    words.extend(open);
    words
}
