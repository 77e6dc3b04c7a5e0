//! `cp`, `mv`, `install` and `dd`.

use std::fs;
use std::io::{self, Seek as _, SeekFrom};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::PoisonError;

use super::options::{Options, size, usage};
use super::paths::{destination, make_all, remove, set_mode};
use super::plain::pace;
use super::{Done, Fault};
use crate::descriptor::{Descriptor, strerror};
use crate::files::{Follow, Open};
use crate::process::Process;

pub(super) async fn run(process: &Process, name: &str, args: &[String]) -> Done {
    if name == "dd" {
        return dd(process, args).await;
    }
    let options = Options::read(process, name, "afirRpdLPHvnuDst:m:o:g:T", args).await?;
    if name == "install" && options.has('d') {
        for path in &options.rest {
            if let Err((path, error)) = make_all(process, path) {
                process
                    .complain(&format!("install: can't create directory '{path}': {}", strerror(&error)))
                    .await;
                return Ok(1);
            }
        }
        return Ok(0);
    }
    let (sources, target) = match (options.value('t'), &options.rest[..]) {
        (Some(target), sources) if !sources.is_empty() => (sources, target),
        (None, [sources @ .., target]) if !sources.is_empty() => (sources, target.as_str()),
        _ => return Err(usage(process, name).await),
    };
    if sources.len() > 1 && !process.files().metadata(&process.cwd, target).is_ok_and(|found| found.is_dir())
    {
        process.complain(&format!("{name}: target '{target}' is not a directory")).await;
        return Ok(1);
    }
    let recurse = "arR".chars().any(|letter| options.has(letter));
    let keep_links = options.has('a') || options.has('d') || options.has('P') || recurse;
    let mut status = 0;
    for source in sources {
        let place =
            if options.has('T') { target.to_owned() } else { destination(process, source, target, true) };
        let done = if name == "mv" {
            rename(process, source, &place).await
        } else {
            copy(process, name, source, &place, recurse, keep_links).await
        };
        if let Err(text) = done {
            process.complain(&format!("{name}: {text}")).await;
            status = 1;
        }
    }
    Ok(status)
}

async fn rename(process: &Process, source: &str, target: &str) -> Result<(), String> {
    match process.files().rename(&process.cwd, source, target) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            copy(process, "mv", source, target, true, true).await?;
            match remove(process, source, true).pop() {
                None => Ok(()),
                Some((path, error)) => Err(format!("can't remove '{path}': {}", strerror(&error))),
            }
        }
        Err(error) if process.files().link_metadata(&process.cwd, source).is_err() => {
            Err(format!("can't rename '{source}': {}", strerror(&error)))
        }
        Err(error) => Err(format!("can't rename '{source}': {}", strerror(&error))),
    }
}

async fn copy(
    process: &Process,
    name: &str,
    source: &str,
    target: &str,
    recurse: bool,
    keep_links: bool,
) -> Result<(), String> {
    let (files, cwd) = (process.files(), &process.cwd);
    let found = if keep_links { files.link_metadata(cwd, source) } else { files.metadata(cwd, source) };
    let found = found.map_err(|error| format!("can't stat '{source}': {}", strerror(&error)))?;
    let creating = |error: &io::Error| format!("can't create '{target}': {}", strerror(error));
    if found.is_symlink() {
        let link = files.find(cwd, source, Follow::No).and_then(|place| fs::read_link(place.host));
        let link = link.map_err(|error| format!("can't read link '{source}': {}", strerror(&error)))?;
        // What is there gives way to the link.
        let _ = files.remove_file(cwd, target);
        return files
            .symlink(cwd, &link.to_string_lossy(), target)
            .map_err(|error| format!("can't create symlink '{target}': {}", strerror(&error)));
    }
    if found.is_dir() {
        if !recurse {
            return Err(format!("omitting directory '{source}'"));
        }
        if !files.metadata(cwd, target).is_ok_and(|found| found.is_dir()) {
            files
                .make_directory(cwd, target, process.umask)
                .map_err(|error| format!("can't create directory '{target}': {}", strerror(&error)))?;
        }
        let names = files
            .list(cwd, source)
            .map_err(|error| format!("can't open '{source}': {}", strerror(&error)))?;
        for entry in names {
            let (from, to) = (format!("{source}/{entry}"), format!("{target}/{entry}"));
            if let Err(text) = Box::pin(copy(process, name, &from, &to, true, true)).await {
                process.complain(&format!("{name}: {text}")).await;
            }
        }
        return Ok(());
    }
    let from = crate::shell_descriptor(process, source, Open::Read)
        .map_err(|error| format!("can't open '{source}': {}", strerror(&error)))?;
    let to = crate::shell_descriptor(process, target, Open::Write).map_err(|error| creating(&error))?;
    let mut buffer = vec![0; 64 << 10];
    let mut passed = 0_usize;
    loop {
        let length =
            from.read(&mut buffer).await.map_err(|error| format!("read error: {}", strerror(&error)))?;
        if length == 0 {
            break;
        }
        to.write(&buffer[..length]).await.map_err(|error| format!("write error: {}", strerror(&error)))?;
        passed = passed.wrapping_add(length);
        pace(process, passed, length).await;
    }
    // A file system that keeps no modes is none of a copy's business.
    let _ = set_mode(process, target, found.permissions().mode() & 0o7777);
    Ok(())
}

async fn dd(process: &Process, args: &[String]) -> Done {
    let value = |name: &str| {
        args.iter().rev().find_map(|arg| arg.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
    };
    let number = |name: &str| value(name).and_then(|text| size(&text));
    let block = usize::try_from(number("bs").or(number("ibs")).unwrap_or(512)).unwrap_or(512).max(1);
    let count = number("count");
    let quiet = value("status").is_some_and(|status| status == "none")
        || args.iter().any(|arg| arg == "status=noxfer");
    let input = match value("if") {
        None => process.descriptor(0)?,
        Some(path) => match crate::shell_descriptor(process, &path, Open::Read) {
            Ok(file) => file,
            Err(error) => {
                process.complain(&format!("dd: can't open '{path}': {}", strerror(&error))).await;
                return Ok(1);
            }
        },
    };
    let keeps = value("conv").is_some_and(|conv| conv.contains("notrunc"));
    let output = match value("of") {
        None => process.descriptor(1)?,
        Some(path) => {
            let how = if keeps || number("seek").is_some() { Open::ReadWrite } else { Open::Write };
            match crate::shell_descriptor(process, &path, how) {
                Ok(file) => file,
                Err(error) => {
                    process.complain(&format!("dd: can't open '{path}': {}", strerror(&error))).await;
                    return Ok(1);
                }
            }
        }
    };
    seek(&output, number("seek").unwrap_or(0) * block as u64)?;
    // A block as big as memory is memory: real programs take it at once.
    process.grow(block as u64)?;
    let mut buffer = vec![0; block.min(1 << 20)];
    let (mut whole, mut partial, mut passed, mut out) = (0_u64, 0_u64, 0_usize, (0_u64, 0_u64));
    let mut skip = number("skip").unwrap_or(0);
    let mut failed = false;
    while count.is_none_or(|count| whole + partial < count) {
        let (mut length, mut written) = (0, true);
        while length < block {
            let end = (block - length).min(buffer.len());
            let read = input.read(&mut buffer[..end]).await?;
            if read == 0 {
                break;
            }
            length += read;
            if skip > 0 {
                continue;
            }
            passed = passed.wrapping_add(read);
            pace(process, passed, read).await;
            if let Err(error) = output.write(&buffer[..read]).await {
                if error.kind() == io::ErrorKind::BrokenPipe {
                    return Err(Fault::Pipe);
                }
                process
                    .complain(&format!(
                        "dd: error writing '{}': {}",
                        value("of").unwrap_or("standard output".into()),
                        strerror(&error)
                    ))
                    .await;
                written = false;
                break;
            }
            if process.memory.is_exhausted() {
                return Err(Fault::Memory);
            }
        }
        if length == 0 {
            break;
        }
        if skip > 0 {
            skip -= 1;
            continue;
        }
        if length == block {
            whole += 1
        } else {
            partial += 1
        }
        if !written {
            failed = true;
            break;
        }
        if length == block { out.0 += 1 } else { out.1 += 1 }
    }
    if !quiet {
        process.complain(&format!("{whole}+{partial} records in\n{}+{} records out", out.0, out.1)).await;
    }
    Ok(i32::from(failed))
}

fn seek(output: &Descriptor, to: u64) -> io::Result<()> {
    if let Descriptor::File(file) = output
        && to > 0
    {
        file.file.lock().unwrap_or_else(PoisonError::into_inner).seek(SeekFrom::Start(to))?;
    }
    Ok(())
}
