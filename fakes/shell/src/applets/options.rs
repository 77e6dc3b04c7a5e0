//! Options of a command.

use super::Fault;
use crate::process::Process;

/// What a command was given.
#[derive(Debug, Default)]
pub(super) struct Options {
    letters: Vec<(char, Option<String>)>,
    /// What is no option.
    pub(super) rest: Vec<String>,
}

/// The first lines of every usage.
const VERSION: &str = "BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary.";

impl Options {
    /// Reads options as `getopt` does; a letter before `:` takes a value. A `+` at the beginning: options end at the
    /// first word that is none.
    pub(super) async fn read(
        process: &Process,
        name: &str,
        letters: &str,
        args: &[String],
    ) -> Result<Self, Fault> {
        let mut options = Self::default();
        let (strict, letters) = letters.strip_prefix('+').map_or((false, letters), |rest| (true, rest));
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--" {
                options.rest.extend(args.cloned());
                break;
            }
            let Some(given) = arg.strip_prefix('-').filter(|given| !given.is_empty()) else {
                options.rest.push(arg.clone());
                if strict {
                    options.rest.extend(args.cloned());
                    break;
                }
                continue;
            };
            if let Some(long) = given.strip_prefix('-') {
                process.complain(&format!("{name}: unrecognized option '--{long}'")).await;
                return Err(usage(process, name).await);
            }
            for (at, letter) in given.char_indices() {
                let Some(known) = letters.find(letter).filter(|_| letter != ':') else {
                    process.complain(&format!("{name}: invalid option -- '{letter}'")).await;
                    return Err(usage(process, name).await);
                };
                if !letters[known + letter.len_utf8()..].starts_with(':') {
                    options.letters.push((letter, None));
                    continue;
                }
                let attached = &given[at + letter.len_utf8()..];
                let value =
                    if attached.is_empty() { args.next().cloned() } else { Some(attached.to_owned()) };
                let Some(value) = value else {
                    process.complain(&format!("{name}: option requires an argument -- '{letter}'")).await;
                    return Err(usage(process, name).await);
                };
                options.letters.push((letter, Some(value)));
                break;
            }
        }
        Ok(options)
    }

    pub(super) fn has(&self, letter: char) -> bool {
        self.letters.iter().any(|(own, _)| *own == letter)
    }

    pub(super) fn count(&self, letter: char) -> usize {
        self.letters.iter().filter(|(own, _)| *own == letter).count()
    }

    /// The last value of a letter.
    pub(super) fn value(&self, letter: char) -> Option<&str> {
        self.values(letter).last()
    }

    pub(super) fn values(&self, letter: char) -> impl Iterator<Item = &str> {
        self.letters.iter().filter(move |(own, _)| *own == letter).filter_map(|(_, value)| value.as_deref())
    }

    /// Words that are no options, or this one.
    pub(super) fn rest_or<'a>(&'a self, usual: &'a str) -> Vec<&'a str> {
        if self.rest.is_empty() { vec![usual] } else { self.rest.iter().map(String::as_str).collect() }
    }
}

/// Says how a command is used.
pub(super) async fn usage(process: &Process, name: &str) -> Fault {
    process.complain(&format!("{VERSION}\n\nUsage: {}", text(name))).await;
    Fault::Usage
}

fn text(name: &str) -> String {
    let text = match name {
        "nc" => {
            "nc [-iN] [-wN] [-l] [-p PORT] [-f FILE|IPADDR PORT] [-e PROG]\n\nOpen a pipe to IP:PORT or FILE\n\n\
             \t-l\tListen mode, for inbound connects\n\t\t(use -ll with -e for persistent server)\n\t-p PORT\tLocal port\n\
             \t-w SEC\tConnect timeout\n\t-i SEC\tDelay interval for lines sent\n\
             \t-f FILE\tUse file (ala /dev/ttyS0) instead of network\n\t-e PROG\tRun PROG after connect"
        }
        "sleep" => {
            "sleep [N]...\n\nPause for a time equal to the total of the args given, where each arg can\nhave an optional suffix of (s)econds, (m)inutes, (h)ours, or (d)ays"
        }
        "nslookup" => {
            "nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]\n\nQuery DNS about HOST\n\nQUERY_TYPE: soa,ns,a,aaaa,cname,mx,txt,ptr,srv,any"
        }
        "timeout" => {
            "timeout [-s SIG] [-k KILL_SECS] SECS PROG ARGS\n\nRun PROG. Send SIG to it if it is not gone in SECS seconds.\nDefault SIG: TERM.If it still exists in KILL_SECS seconds, send KILL."
        }
        "usleep" => "usleep N\n\nPause for N microseconds",
        "mkdir" => {
            "mkdir [-m MODE] [-p] DIRECTORY...\n\nCreate DIRECTORY\n\n\t-m MODE\tMode\n\t-p\tNo error if exists; make parent directories as needed"
        }
        "cat" => {
            "cat [-nbvteA] [FILE]...\n\nPrint FILEs to stdout\n\n\t-n\tNumber output lines\n\t-b\tNumber nonempty lines\n\t-v\tShow nonprinting characters as ^x or M-x\n\t-t\t...and tabs as ^I\n\t-e\t...and end lines with $\n\t-A\tSame as -vte"
        }
        "rm" => {
            "rm [-irf] FILE...\n\nRemove (unlink) FILEs\n\n\t-i\tAlways prompt before removing\n\t-f\tNever prompt\n\t-R,-r\tRecurse"
        }
        other => return format!("{other} [OPTIONS] [ARGS]..."),
    };
    text.to_owned()
}

/// A number with busybox's suffixes.
pub(super) fn size(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..end].parse().ok()?;
    let factor = match &text[end..] {
        "" | "c" => 1,
        "w" => 2,
        "b" => 512,
        "kD" | "kB" | "KB" => 1000,
        "k" | "K" => 1 << 10,
        "m" | "M" => 1 << 20,
        "MB" | "MD" => 1_000_000,
        "g" | "G" => 1 << 30,
        "GB" | "GD" => 1_000_000_000,
        "T" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(factor)
}
