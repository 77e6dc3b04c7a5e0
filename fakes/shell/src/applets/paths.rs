//! Commands that make, remove and name files.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;

use super::Done;
use super::options::{Options, usage};
use crate::descriptor::{EEXIST, EINVAL, EISDIR, strerror};
use crate::files::{Follow, Open};
use crate::process::Process;

pub(super) async fn run(process: &Process, name: &str, args: &[String]) -> Done {
    match name {
        "mkdir" => mkdir(process, args).await,
        "rm" => rm(process, args).await,
        "rmdir" => rmdir(process, args).await,
        "ln" => ln(process, args).await,
        "touch" => touch(process, args).await,
        "chmod" => chmod(process, args).await,
        "chown" | "chgrp" => chown(process, name, args).await,
        "mktemp" => mktemp(process, args).await,
        "readlink" | "realpath" => resolve(process, name, args).await,
        "basename" | "dirname" => part(process, name, args).await,
        _ => {
            process.complain(&format!("{name}: {}: Operation not permitted", args.join(" "))).await;
            Ok(1)
        }
    }
}

fn mode(text: &str, now: u32, directory: bool) -> Option<u32> {
    if let Ok(mode) = u32::from_str_radix(text, 8) {
        return Some(mode);
    }
    let mut mode = now;
    for clause in text.split(',') {
        let at = clause.find(['+', '-', '='])?;
        let (who, rest) = clause.split_at(at);
        let who = if who.is_empty() || who.contains('a') { "ugo" } else { who };
        let (operator, letters) = rest.split_at(1);
        let mut bits = 0;
        for letter in letters.chars() {
            bits |= match letter {
                'r' => 4,
                'w' => 2,
                'x' => 1,
                'X' if directory || now & 0o111 != 0 => 1,
                'X' | 's' | 't' => 0,
                _ => return None,
            };
        }
        for class in who.chars() {
            let shift = match class {
                'u' => 6,
                'g' => 3,
                'o' => 0,
                _ => return None,
            };
            match operator {
                "+" => mode |= bits << shift,
                "-" => mode &= !(bits << shift),
                _ => mode = (mode & !(7 << shift)) | (bits << shift),
            }
        }
        if letters.contains('t') {
            mode = if operator == "-" { mode & !0o1000 } else { mode | 0o1000 };
        }
    }
    Some(mode)
}

async fn mkdir(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "mkdir", "pm:v", args).await?;
    if options.rest.is_empty() {
        return Err(usage(process, "mkdir").await);
    }
    let mut status = 0;
    for path in &options.rest {
        let made = if options.has('p') { make_all(process, path) } else { make(process, path) };
        match made {
            Ok(()) => {
                if let Some(mode) = options.value('m').and_then(|text| mode(text, 0o777, true)) {
                    // The directory was made just now.
                    let _ = set_mode(process, path, mode);
                }
            }
            Err((path, error)) => {
                process
                    .complain(&format!("mkdir: can't create directory '{path}': {}", strerror(&error)))
                    .await;
                status = 1;
            }
        }
    }
    Ok(status)
}

fn make(process: &Process, path: &str) -> Result<(), (String, io::Error)> {
    let made = process.files().make_directory(&process.cwd, path.trim_end_matches('/'), process.umask);
    made.map_err(|error| (path.to_owned(), error))
}

pub(super) fn make_all(process: &Process, path: &str) -> Result<(), (String, io::Error)> {
    let mut sofar = if path.starts_with('/') { "/".to_owned() } else { String::new() };
    for part in path.split('/').filter(|part| !part.is_empty()) {
        sofar.push_str(part);
        match process.files().metadata(&process.cwd, &sofar) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err((sofar, io::Error::from_raw_os_error(EEXIST))),
            Err(_) => make(process, &sofar)?,
        }
        sofar.push('/');
    }
    Ok(())
}

async fn rm(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "rm", "rRfiv", args).await?;
    let (force, recurse) = (options.has('f'), options.has('r') || options.has('R'));
    if options.rest.is_empty() && !force {
        return Err(usage(process, "rm").await);
    }
    let mut status = 0;
    for path in &options.rest {
        let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or("");
        if last == "." || last == ".." {
            process.complain(&format!("rm: '.', '..' or '/' can't be removed: {path}")).await;
            status = 1;
            continue;
        }
        for (path, error) in remove(process, path, recurse) {
            if force && error.kind() == io::ErrorKind::NotFound {
                continue;
            }
            let text = if error.raw_os_error() == Some(EISDIR) {
                format!("rm: '{path}' is a directory")
            } else {
                format!("rm: can't remove '{path}': {}", strerror(&error))
            };
            process.complain(&text).await;
            status = 1;
        }
    }
    Ok(status)
}

/// Removes a file, or a tree; returns what could not be removed.
pub(super) fn remove(process: &Process, path: &str, recurse: bool) -> Vec<(String, io::Error)> {
    let (files, cwd) = (process.files(), &process.cwd);
    let is_directory = match files.link_metadata(cwd, path) {
        Ok(found) => found.is_dir(),
        Err(error) => return vec![(path.to_owned(), error)],
    };
    let removed = if !is_directory {
        files.remove_file(cwd, path)
    } else if !recurse {
        Err(io::Error::from_raw_os_error(EISDIR))
    } else {
        let mut failed = Vec::new();
        for name in files.list(cwd, path).unwrap_or_default() {
            failed.extend(remove(process, &format!("{}/{name}", path.trim_end_matches('/')), true));
        }
        if !failed.is_empty() {
            return failed;
        }
        files.remove_directory(cwd, path)
    };
    removed.err().map(|error| (path.to_owned(), error)).into_iter().collect()
}

async fn rmdir(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "rmdir", "p", args).await?;
    let mut status = 0;
    for path in &options.rest {
        if let Err(error) = process.files().remove_directory(&process.cwd, path) {
            process.complain(&format!("rmdir: '{path}': {}", strerror(&error))).await;
            status = 1;
        }
    }
    Ok(status)
}

/// Where something goes: into a directory under its own name, or to that very path.
pub(super) fn destination(process: &Process, source: &str, target: &str, follow: bool) -> String {
    let found = if follow {
        process.files().metadata(&process.cwd, target)
    } else {
        process.files().link_metadata(&process.cwd, target)
    };
    if found.is_ok_and(|found| found.is_dir()) {
        let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or(source);
        return format!("{}/{name}", target.trim_end_matches('/'));
    }
    target.to_owned()
}

async fn ln(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "ln", "sfnbvT", args).await?;
    let (sources, target) = match &options.rest[..] {
        [] => return Err(usage(process, "ln").await),
        [only] => (std::slice::from_ref(only), only.rsplit('/').next().unwrap_or(only)),
        [sources @ .., target] => (sources, target.as_str()),
    };
    let mut status = 0;
    for source in sources {
        let path = if options.has('T') {
            target.to_owned()
        } else {
            destination(process, source, target, !options.has('n'))
        };
        if options.has('f') {
            // What is not there need not go.
            let _ = process.files().remove_file(&process.cwd, &path);
        }
        let made = if options.has('s') {
            process.files().symlink(&process.cwd, source, &path)
        } else {
            process.files().hard_link(&process.cwd, source, &path)
        };
        if let Err(error) = made {
            process.complain(&format!("ln: {path}: {}", strerror(&error))).await;
            status = 1;
        }
    }
    Ok(status)
}

async fn touch(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "touch", "chamd:t:r:", args).await?;
    if options.rest.is_empty() {
        return Err(usage(process, "touch").await);
    }
    let mut status = 0;
    for path in &options.rest {
        let (files, cwd) = (process.files(), &process.cwd);
        let touched = match files.metadata(cwd, path) {
            Ok(_) => files.find(cwd, path, Follow::Yes).and_then(|place| {
                place.writable()?;
                files.touch(&place)
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound && options.has('c') => Ok(()),
            Err(_) => files
                .open(cwd, path, Open::Append, process.umask)
                .and_then(|_| files.touch(&files.find(cwd, path, Follow::Yes)?)),
        };
        if let Err(error) = touched {
            process.complain(&format!("touch: {path}: {}", strerror(&error))).await;
            status = 1;
        }
    }
    Ok(status)
}

pub(super) fn set_mode(process: &Process, path: &str, mode: u32) -> io::Result<()> {
    let place = process.files().find(&process.cwd, path, Follow::Yes)?;
    fs::symlink_metadata(&place.host)?;
    place.writable()?;
    fs::set_permissions(&place.host, fs::Permissions::from_mode(mode))
}

async fn chmod(process: &Process, args: &[String]) -> Done {
    let (flags, rest): (Vec<&String>, Vec<&String>) =
        args.iter().partition(|arg| matches!(arg.as_str(), "-R" | "-v" | "-c" | "-f"));
    let recurse = flags.iter().any(|flag| *flag == "-R");
    let [text, paths @ ..] = &rest[..] else { return Err(usage(process, "chmod").await) };
    let mut status = 0;
    let mut ahead: Vec<String> = paths.iter().rev().map(|path| (*path).clone()).collect();
    while let Some(path) = ahead.pop() {
        let changed = process.files().metadata(&process.cwd, &path).and_then(|found| {
            if recurse && found.is_dir() {
                let names = process.files().list(&process.cwd, &path)?;
                ahead.extend(names.iter().map(|name| format!("{path}/{name}")));
            }
            let mode = mode(text, found.permissions().mode() & 0o7777, found.is_dir())
                .ok_or_else(|| io::Error::from_raw_os_error(EINVAL))?;
            set_mode(process, &path, mode)
        });
        match changed {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(EINVAL) => {
                process.complain(&format!("chmod: invalid mode '{text}'")).await;
                return Ok(1);
            }
            Err(error) => {
                process.complain(&format!("chmod: {path}: {}", strerror(&error))).await;
                status = 1;
            }
        }
    }
    Ok(status)
}

/// Owners are not kept; that the files are there and may be changed is checked.
async fn chown(process: &Process, name: &str, args: &[String]) -> Done {
    let options = Options::read(process, name, "Rhvcf", args).await?;
    let mut status = 0;
    for path in options.rest.iter().skip(1) {
        let checked = process.files().metadata(&process.cwd, path);
        let checked = checked.and_then(|_| process.files().find(&process.cwd, path, Follow::Yes)?.writable());
        if let Err(error) = checked {
            process.complain(&format!("{name}: {path}: {}", strerror(&error))).await;
            status = 1;
        }
    }
    Ok(status)
}

async fn mktemp(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "mktemp", "dqup:t", args).await?;
    let template = options.rest.first().map_or("tmp.XXXXXX", String::as_str);
    let marks = template.chars().rev().take_while(|c| *c == 'X').count();
    if marks < 6 {
        process.complain(&format!("mktemp: {template}: Invalid argument")).await;
        return Ok(1);
    }
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let random: String =
        (0..marks).map(|_| char::from(LETTERS[process.world.random(LETTERS.len())])).collect();
    let name = format!("{}{random}", &template[..template.len() - marks]);
    let path = match options.value('p') {
        Some(directory) => format!("{directory}/{name}"),
        None if options.rest.is_empty() || options.has('t') => format!("/tmp/{name}"),
        None => name,
    };
    let made = if options.has('d') {
        process.files().make_directory(&process.cwd, &path, 0o077)
    } else {
        process.files().open(&process.cwd, &path, Open::Write, 0o077).map(|_| ())
    };
    match made {
        Ok(()) => {
            process.out(format!("{path}\n")).await?;
            Ok(0)
        }
        Err(error) => {
            process.complain(&format!("mktemp: {path}: {}", strerror(&error))).await;
            Ok(1)
        }
    }
}

async fn resolve(process: &Process, name: &str, args: &[String]) -> Done {
    let options = Options::read(process, name, "fnvsqem", args).await?;
    let mut status = 0;
    for path in &options.rest {
        let (files, cwd) = (process.files(), &process.cwd);
        let found = if name == "realpath" || options.has('f') {
            files.find(cwd, path, Follow::Yes).and_then(|place| {
                if name == "realpath" {
                    fs::symlink_metadata(&place.host)?;
                }
                Ok(place.inside)
            })
        } else {
            files
                .find(cwd, path, Follow::No)
                .and_then(|place| fs::read_link(&place.host))
                .map(|t| t.to_string_lossy().into_owned())
        };
        match found {
            Ok(text) => process.out(if options.has('n') { text } else { format!("{text}\n") }).await?,
            Err(error) => {
                if name == "realpath" {
                    process.complain(&format!("realpath: {path}: {}", strerror(&error))).await;
                }
                status = 1;
            }
        }
    }
    Ok(status)
}

async fn part(process: &Process, name: &str, args: &[String]) -> Done {
    let Some(path) = args.first() else { return Err(usage(process, name).await) };
    let trimmed = path.trim_end_matches('/');
    let text = if name == "basename" {
        let base = if trimmed.is_empty() && path.starts_with('/') {
            "/"
        } else {
            trimmed.rsplit('/').next().unwrap_or("")
        };
        let cut =
            args.get(1).and_then(|suffix| base.strip_suffix(suffix.as_str())).filter(|rest| !rest.is_empty());
        cut.unwrap_or(base)
    } else {
        match trimmed.rsplit_once('/') {
            Some((parent, _)) => {
                let parent = parent.trim_end_matches('/');
                if parent.is_empty() { "/" } else { parent }
            }
            None if path.starts_with('/') => "/",
            None => ".",
        }
    };
    process.out(format!("{text}\n")).await?;
    Ok(0)
}
