//! Who and where one is.

use super::Fault;
use super::options::Options;
use crate::process::Process;
use crate::signal::{Sender, Signal};

pub(super) async fn run(process: &Process, name: &str, args: &[String]) -> Result<Option<i32>, Fault> {
    let text = match name {
        "hostname" => match args.first().map(String::as_str) {
            Some("-i") => format!("{}\n", process.world.ip),
            _ => format!("{}\n", process.world.hostname),
        },
        "whoami" => "root\n".into(),
        "groups" => "root\n".into(),
        "arch" => "x86_64\n".into(),
        "id" => match args.first().map(String::as_str) {
            Some("-u" | "-g" | "-G") => "0\n".into(),
            Some(_) => "root\n".into(),
            None => "uid=0(root) gid=0(root) groups=0(root)\n".into(),
        },
        "uname" => uname(process, args),
        "printenv" => {
            let found: Vec<String> = if args.is_empty() {
                process.env.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
            } else {
                args.iter()
                    .filter_map(|name| process.env.get(name))
                    .map(|value| format!("{value}\n"))
                    .collect()
            };
            process.out(found.concat()).await?;
            return Ok(Some(i32::from(found.len() < args.len())));
        }
        "ps" | "top" => {
            let mut text = String::from("PID   USER     TIME  COMMAND\n");
            for (pid, _, title) in process.world.processes.list() {
                text.push_str(&format!("{pid:>5} root      0:00 {title}\n"));
            }
            text
        }
        "free" => {
            let memory = &process.world.memory;
            let (total, used) = (memory.limit() >> 10, memory.used() >> 10);
            format!(
                "              total        used        free      shared  buff/cache   available\n\
                 Mem:    {total:>11} {used:>11} {free:>11} {zero:>11} {zero:>11} {free:>11}\n",
                free = total.saturating_sub(used),
                zero = 0
            )
        }
        "pidof" | "killall" => return by_name(process, name, args).await.map(Some),
        _ => return Ok(None),
    };
    process.out(text).await?;
    Ok(Some(0))
}

fn uname(process: &Process, args: &[String]) -> String {
    let letters: String = args.iter().flat_map(|arg| arg.trim_start_matches('-').chars()).collect();
    let all = letters.contains('a');
    let host = process.world.hostname.as_str();
    let facts =
        [('s', "Linux"), ('n', host), ('r', "6.18.0"), ('v', "#1 SMP"), ('m', "x86_64"), ('o', "GNU/Linux")];
    let shown: Vec<&str> = facts
        .iter()
        .filter(|(letter, _)| all || letters.contains(*letter) || (letters.is_empty() && *letter == 's'))
        .map(|(_, fact)| *fact)
        .collect();
    format!("{}\n", shown.join(" "))
}

async fn by_name(process: &Process, name: &str, args: &[String]) -> Result<i32, Fault> {
    let options = Options::read(process, name, "qs:o:0123456789KILTERMHUP", args).await?;
    let signal = args.iter().find_map(|arg| Signal::parse(arg.strip_prefix('-')?)).unwrap_or(Signal::TERM);
    let mut found = Vec::new();
    for wanted in &options.rest {
        let all = process.world.processes.list();
        let same = all.into_iter().filter(|(pid, _, title)| {
            let program = title.split(' ').next().unwrap_or("").rsplit('/').next().unwrap_or("");
            program == wanted && *pid != process.pid
        });
        found.extend(same.map(|(pid, ..)| pid));
    }
    if found.is_empty() {
        if name == "killall" && !options.has('q') {
            process.complain(&format!("killall: {}: no process killed", options.rest.join(" "))).await;
        }
        return Ok(1);
    }
    if name == "pidof" {
        let shown: Vec<String> = found.iter().rev().map(u32::to_string).collect();
        process.out(format!("{}\n", shown.join(" "))).await?;
        return Ok(0);
    }
    for pid in found {
        if let Some(signals) = process.world.processes.signals(pid) {
            signals.send(signal, Sender::Inside);
        }
    }
    Ok(0)
}
