//! `tar` and `gzip`.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::options::{Options, usage};
use super::paths::{make_all, remove, set_mode};
use super::plain::{contents, slurp};
use super::{Done, Fault};
use crate::descriptor::strerror;
use crate::files::{Follow, Open};
use crate::process::Process;

pub(super) async fn run(process: &Process, name: &str, args: &[String]) -> Done {
    if name == "tar" { tar(process, args).await } else { gzip(process, name, args).await }
}

fn unpacked(bytes: Vec<u8>) -> std::io::Result<Vec<u8>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain)?;
    Ok(plain)
}

fn packed(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

async fn gzip(process: &Process, name: &str, args: &[String]) -> Done {
    let options = Options::read(process, name, "cdfkq123456789", args).await?;
    let (files, mut status) = contents(process, name, &options.rest_or("-")).await?;
    for (path, bytes) in files {
        let unpacks = options.has('d') || name == "gunzip";
        let made = if unpacks { unpacked(bytes)? } else { packed(&bytes)? };
        if path == "-" || options.has('c') {
            process.out(made).await?;
            continue;
        }
        let target = if unpacks { path.trim_end_matches(".gz").to_owned() } else { format!("{path}.gz") };
        match crate::shell_descriptor(process, &target, Open::Write) {
            Ok(file) => {
                file.write(&made).await?;
                if !options.has('k') {
                    // The packed file is there; that the other one stays is no failure.
                    let _ = process.files().remove_file(&process.cwd, &path);
                }
            }
            Err(error) => {
                process.complain(&format!("{name}: can't open '{target}': {}", strerror(&error))).await;
                status = 1;
            }
        }
    }
    Ok(status)
}

async fn tar(process: &Process, args: &[String]) -> Done {
    let mut args = args.to_vec();
    if let Some(first) = args.first_mut().filter(|first| !first.starts_with('-')) {
        first.insert(0, '-');
    }
    args.retain(|arg| {
        !matches!(arg.as_str(), "--no-same-owner" | "--no-same-permissions" | "--warning=no-timestamp")
    });
    let options = Options::read(process, "tar", "cxtzvmopkOhaf:C:T:X:", &args).await?;
    let base = options.value('C').unwrap_or(&process.cwd).to_owned();
    let base = match process.files().find(&process.cwd, &base, Follow::Yes) {
        Ok(place) if place.host.is_dir() => place.inside,
        _ => {
            process
                .complain(&format!("tar: can't change directory to '{base}': No such file or directory"))
                .await;
            return Ok(1);
        }
    };
    let archive = options.value('f').unwrap_or("-");
    if options.has('c') {
        return create(process, &options, &base, archive).await;
    }
    if !options.has('x') && !options.has('t') {
        return Err(usage(process, "tar").await);
    }
    let input = if archive == "-" {
        process.descriptor(0)?
    } else {
        match crate::shell_descriptor(process, archive, Open::Read) {
            Ok(file) => file,
            Err(error) => {
                process.complain(&format!("tar: can't open '{archive}': {}", strerror(&error))).await;
                return Ok(1);
            }
        }
    };
    let bytes = unpacked(slurp(process, &input).await?)?;
    let Ok(entries) = read(&bytes) else {
        process.complain("tar: short read").await;
        return Ok(1);
    };
    let mut status = 0;
    for entry in entries {
        let wanted = options.rest.is_empty()
            || options
                .rest
                .iter()
                .any(|path| entry.path.trim_end_matches('/').starts_with(path.trim_end_matches('/')));
        if !wanted {
            continue;
        }
        if options.has('t') || options.has('v') {
            process.out(format!("{}\n", entry.path)).await?;
        }
        if options.has('O') {
            process.out(&entry.body).await?;
        } else if options.has('x')
            && let Err(text) = entry.store(process, &base).await
        {
            process.complain(&format!("tar: {text}")).await;
            status = 1;
        }
    }
    Ok(status)
}

struct Entry {
    path: String,
    kind: tar::EntryType,
    link: String,
    mode: u32,
    body: Vec<u8>,
}

fn read(bytes: &[u8]) -> std::io::Result<Vec<Entry>> {
    let mut archive = tar::Archive::new(bytes);
    let mut entries = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let mut body = Vec::new();
        entry.read_to_end(&mut body)?;
        entries.push(Entry {
            path: entry.path()?.to_string_lossy().into_owned(),
            kind: entry.header().entry_type(),
            link: entry.link_name()?.map(|link| link.to_string_lossy().into_owned()).unwrap_or_default(),
            mode: entry.header().mode().unwrap_or(0o644),
            body,
        });
    }
    Ok(entries)
}

impl Entry {
    async fn store(&self, process: &Process, base: &str) -> Result<(), String> {
        let relative = self.path.trim_start_matches('/').trim_end_matches('/');
        if relative.is_empty() || relative == "." {
            return Ok(());
        }
        let path = format!("{}/{relative}", base.trim_end_matches('/'));
        let failed = |error: &std::io::Error| format!("can't open '{relative}': {}", strerror(error));
        if let Some((parent, _)) = path.rsplit_once('/').filter(|(parent, _)| !parent.is_empty()) {
            make_all(process, parent)
                .map_err(|(path, error)| format!("can't create directory '{path}': {}", strerror(&error)))?;
        }
        if self.kind.is_dir() {
            return make_all(process, &path)
                .map_err(|(path, error)| format!("can't create directory '{path}': {}", strerror(&error)));
        }
        // What is there gives way.
        let _ = remove(process, &path, false);
        if self.kind.is_symlink() {
            return process.files().symlink("/", &self.link, &path).map_err(|error| failed(&error));
        }
        let file =
            process.files().open("/", &path, Open::Write, process.umask).map_err(|error| failed(&error))?;
        file.write(&self.body).await.map_err(|error| failed(&error))?;
        set_mode(process, &path, self.mode & 0o7777).map_err(|error| failed(&error))
    }
}

async fn create(process: &Process, options: &Options, base: &str, archive: &str) -> Done {
    if options.rest.is_empty() {
        process.complain("tar: empty archive").await;
        return Ok(1);
    }
    let mut builder = tar::Builder::new(Vec::new());
    let mut status = 0;
    let mut ahead: Vec<String> = options.rest.iter().rev().cloned().collect();
    let mut named = Vec::new();
    while let Some(path) = ahead.pop() {
        match add(process, &mut builder, base, &path) {
            Ok(below) => {
                named.push(path.clone());
                ahead.extend(below.iter().rev().map(|name| format!("{}/{name}", path.trim_end_matches('/'))));
            }
            Err(error) => {
                process.complain(&format!("tar: {path}: {}", strerror(&error))).await;
                status = 1;
            }
        }
    }
    let mut bytes = builder.into_inner().map_err(Fault::from)?;
    if options.has('z') {
        bytes = packed(&bytes)?;
    }
    if options.has('v') {
        process.complain(&named.join("\n")).await;
    }
    if archive == "-" {
        process.out(bytes).await?;
    } else {
        match crate::shell_descriptor(process, archive, Open::Write) {
            Ok(file) => file.write(&bytes).await?,
            Err(error) => {
                process.complain(&format!("tar: can't open '{archive}': {}", strerror(&error))).await;
                return Ok(1);
            }
        }
    }
    if status != 0 {
        process.complain("tar: error exit delayed from previous errors").await;
    }
    Ok(status)
}

/// Adds one file; a directory answers with the names in it.
fn add(
    process: &Process,
    builder: &mut tar::Builder<Vec<u8>>,
    base: &str,
    path: &str,
) -> std::io::Result<Vec<String>> {
    let found = process.files().link_metadata(base, path)?;
    let mut header = tar::Header::new_gnu();
    header.set_metadata(&found);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mode(found.permissions().mode() & 0o7777);
    let name = path.trim_start_matches('/');
    if found.is_dir() {
        header.set_size(0);
        builder.append_data(&mut header, format!("{}/", name.trim_end_matches('/')), std::io::empty())?;
        return process.files().list(base, path);
    }
    if found.is_symlink() {
        header.set_size(0);
        let target = std::fs::read_link(process.files().find(base, path, Follow::No)?.host)?;
        builder.append_link(&mut header, name, target)?;
        return Ok(Vec::new());
    }
    let body = process.files().read(base, path)?;
    header.set_size(body.len() as u64);
    builder.append_data(&mut header, name, &body[..])?;
    Ok(Vec::new())
}
