//! Commands that say what files there are.

use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};

use cluster_node::Access;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Done;
use super::options::Options;
use crate::descriptor::strerror;
use crate::files::Follow;
use crate::process::Process;

pub(super) async fn run(process: &Process, name: &str, args: &[String]) -> Done {
    match name {
        "ls" => ls(process, args).await,
        "stat" => stat(process, args).await,
        "du" => du(process, args).await,
        "df" => df(process, args).await,
        _ => mount(process).await,
    }
}

fn kind(found: &Metadata) -> char {
    let kind = found.file_type();
    match () {
        () if kind.is_dir() => 'd',
        () if kind.is_symlink() => 'l',
        () if kind.is_fifo() => 'p',
        () if kind.is_socket() => 's',
        () => '-',
    }
}

/// `-rw-r--r--`
fn permissions(found: &Metadata) -> String {
    let mode = found.permissions().mode();
    let mut text = String::from(kind(found));
    for shift in [6, 3, 0] {
        for (bit, letter) in [(4, 'r'), (2, 'w'), (1, 'x')] {
            text.push(if mode >> shift & bit != 0 { letter } else { '-' });
        }
    }
    if mode & 0o1000 != 0 {
        let last = if text.pop() == Some('x') { 't' } else { 'T' };
        text.push(last);
    }
    text
}

/// The size of a directory on most file systems; what the one below says would differ from machine to machine.
const DIRECTORY_SIZE: u64 = 4096;

fn size(found: &Metadata) -> u64 {
    if found.is_dir() { DIRECTORY_SIZE } else { found.len() }
}

/// Blocks of 512 bytes, in pages.
fn blocks(found: &Metadata) -> u64 {
    if found.is_symlink() { 0 } else { size(found).div_ceil(4096) * 8 }
}

/// A directory counts itself and those in it; in the root of a container all lie in layers, and it counts once.
fn links(process: &Process, path: &str, found: &Metadata) -> u64 {
    if !found.is_dir() {
        return found.nlink();
    }
    let in_volume = process
        .files()
        .find(&process.cwd, path, Follow::Yes)
        .is_ok_and(|place| process.files().is_in_volume(&place.inside));
    if !in_volume {
        return 1;
    }
    let names = process.files().list(&process.cwd, path).unwrap_or_default();
    let below = names.iter().map(|name| format!("{}/{name}", path.trim_end_matches('/')));
    let directories = below
        .filter(|path| process.files().link_metadata(&process.cwd, path).is_ok_and(|found| found.is_dir()));
    2 + directories.count() as u64
}

fn moment(found: &Metadata) -> Timestamp {
    Timestamp::new(found.mtime(), i32::try_from(found.mtime_nsec()).unwrap_or(0)).unwrap_or_default()
}

async fn ls(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "ls", "laA1dhRFprtSCxnisLHcu", args).await?;
    let mut status = 0;
    let (mut plain, mut directories) = (Vec::new(), Vec::new());
    for path in options.rest_or(".") {
        let files = process.files();
        let found = if options.has('l') && !path.ends_with('/') {
            files.link_metadata(&process.cwd, path)
        } else {
            files.metadata(&process.cwd, path).or_else(|_| files.link_metadata(&process.cwd, path))
        };
        match found {
            Ok(found) if found.is_dir() && !options.has('d') => directories.push(path.to_owned()),
            Ok(_) => plain.push(path.to_owned()),
            Err(error) => {
                process.complain(&format!("ls: {path}: {}", strerror(&error))).await;
                status = 1;
            }
        }
    }
    let titled = plain.len() + directories.len() > 1 || options.has('R');
    let mut printed = !plain.is_empty();
    let text = entries(process, &options, "", plain);
    process.out(text).await?;
    directories.reverse();
    while let Some(directory) = directories.pop() {
        let mut names = match process.files().list(&process.cwd, &directory) {
            Ok(names) => names,
            Err(error) => {
                process.complain(&format!("ls: can't open '{directory}': {}", strerror(&error))).await;
                status = 1;
                continue;
            }
        };
        names.retain(|name| !name.starts_with('.') || options.has('a') || options.has('A'));
        if options.has('a') {
            names.splice(0..0, [".".to_owned(), "..".to_owned()]);
        }
        if options.has('R') {
            let below = names.iter().rev().filter(|name| !matches!(name.as_str(), "." | ".."));
            let below = below.map(|name| format!("{}/{name}", directory.trim_end_matches('/')));
            let is_directory = |path: &String| {
                process.files().link_metadata(&process.cwd, path).is_ok_and(|found| found.is_dir())
            };
            let below: Vec<String> = below.filter(is_directory).collect();
            directories.extend(below);
        }
        let mut text = String::new();
        if titled {
            text.push_str(&format!("{}{directory}:\n", if printed { "\n" } else { "" }));
        }
        printed = true;
        text.push_str(&entries(process, &options, &directory, names));
        process.out(text).await?;
    }
    Ok(status)
}

fn entries(process: &Process, options: &Options, directory: &str, names: Vec<String>) -> String {
    let place = |name: &String| {
        if directory.is_empty() {
            name.clone()
        } else {
            format!("{}/{name}", directory.trim_end_matches('/'))
        }
    };
    let mut all: Vec<(String, Metadata)> = names
        .into_iter()
        .filter_map(|name| {
            Some((name.clone(), process.files().link_metadata(&process.cwd, &place(&name)).ok()?))
        })
        .collect();
    if options.has('t') {
        all.sort_by_key(|(_, found)| std::cmp::Reverse(moment(found)));
    } else if options.has('S') {
        all.sort_by_key(|(_, found)| std::cmp::Reverse(found.len()));
    }
    if options.has('r') {
        all.reverse();
    }
    let mut text = String::new();
    if options.has('l') && !directory.is_empty() {
        let blocks: u64 = all.iter().map(|(_, found)| blocks(found)).sum();
        text.push_str(&format!("total {}\n", blocks / 2));
    }
    let year_ago = process.clock().now().as_second() - 15_768_000;
    for (name, found) in all {
        let mark = if (options.has('F') || options.has('p')) && found.is_dir() { "/" } else { "" };
        if !options.has('l') {
            text.push_str(&format!("{name}{mark}\n"));
            continue;
        }
        let time = moment(&found).to_zoned(TimeZone::UTC);
        let format = if time.timestamp().as_second() > year_ago { "%b %e %H:%M" } else { "%b %e  %Y" };
        let link = fs::read_link(
            process.files().find(&process.cwd, &place(&name), Follow::No).map(|p| p.host).unwrap_or_default(),
        );
        let arrow = link.map(|target| format!(" -> {}", target.display())).unwrap_or_default();
        let size = if options.has('h') { human(size(&found)) } else { size(&found).to_string() };
        text.push_str(&format!(
            "{} {:>4} root     root     {size:>9} {} {name}{mark}{arrow}\n",
            permissions(&found),
            links(process, &place(&name), &found),
            time.strftime(format),
        ));
    }
    text
}

/// `1.5K`
fn human(bytes: u64) -> String {
    let mut tenths = bytes * 10;
    for unit in ["", "K", "M", "G"] {
        if tenths < 10_240 || unit == "G" {
            return if unit.is_empty() {
                (tenths / 10).to_string()
            } else {
                format!("{}.{}{unit}", tenths / 10, tenths % 10)
            };
        }
        tenths = (tenths + 512) / 1024;
    }
    String::new()
}

async fn stat(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "stat", "c:ftL", args).await?;
    let mut status = 0;
    for path in &options.rest {
        let found = if options.has('L') {
            process.files().metadata(&process.cwd, path)
        } else {
            process.files().link_metadata(&process.cwd, path)
        };
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                process.complain(&format!("stat: can't stat '{path}': {}", strerror(&error))).await;
                status = 1;
                continue;
            }
        };
        let what = match kind(&found) {
            'd' => "directory",
            'l' => "symbolic link",
            'p' => "fifo",
            _ if found.len() == 0 => "regular empty file",
            _ => "regular file",
        };
        let time = moment(&found).to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S.%9f +0000").to_string();
        let mode = format!("{:o}", found.permissions().mode() & 0o7777);
        let format = options.value('c').unwrap_or(
            "  File: %n\n  Size: %s\t\tBlocks: %b          IO Block: 4096   %F\nDevice: 0h/0d\tInode: %i\tLinks: %h\n\
             Access: (0%a/%A)  Uid: (    0/    root)   Gid: (    0/    root)\nAccess: %y\nModify: %y\nChange: %y",
        );
        let mut text = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                text.push(c);
                continue;
            }
            match chars.next() {
                Some('n') => text.push_str(path),
                Some('s') => text.push_str(&size(&found).to_string()),
                Some('a') => text.push_str(&mode),
                Some('A') => text.push_str(&permissions(&found)),
                Some('F') => text.push_str(what),
                Some('U' | 'G') => text.push_str("root"),
                Some('u' | 'g') => text.push('0'),
                Some('h') => text.push_str(&links(process, path, &found).to_string()),
                Some('i') => text.push_str(&found.ino().to_string()),
                Some('b') => text.push_str(&blocks(&found).to_string()),
                Some('x' | 'y' | 'z') => text.push_str(&time),
                Some('X' | 'Y' | 'Z') => text.push_str(&found.mtime().to_string()),
                Some(c) => text.push(c),
                None => text.push('%'),
            }
        }
        process.out(format!("{text}\n")).await?;
    }
    Ok(status)
}

fn weigh(process: &Process, path: &str, into: &mut Vec<(String, u64)>) -> u64 {
    let Ok(found) = process.files().link_metadata(&process.cwd, path) else { return 0 };
    let mut total = blocks(&found);
    if found.is_dir() {
        for name in process.files().list(&process.cwd, path).unwrap_or_default() {
            total += weigh(process, &format!("{}/{name}", path.trim_end_matches('/')), into);
        }
        into.push((path.to_owned(), total));
    }
    total
}

async fn du(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "du", "shkmacd:xLH", args).await?;
    let mut status = 0;
    for path in options.rest_or(".") {
        if let Err(error) = process.files().link_metadata(&process.cwd, path) {
            process.complain(&format!("du: {path}: {}", strerror(&error))).await;
            status = 1;
            continue;
        }
        let mut all = Vec::new();
        let total = weigh(process, path, &mut all);
        if options.has('s') || all.is_empty() {
            all = vec![(path.to_owned(), total)];
        }
        for (path, blocks) in all {
            let size = match () {
                () if options.has('h') => human(blocks * 512),
                () if options.has('m') => blocks.div_ceil(2048).to_string(),
                () => (blocks / 2).to_string(),
            };
            process.out(format!("{size}\t{path}\n")).await?;
        }
    }
    Ok(status)
}

async fn df(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "df", "hkmPiT", args).await?;
    let mut places = vec!["/".to_owned()];
    if options.rest.is_empty() {
        places.extend(process.files().mounts().iter().map(|mount| mount.path.display().to_string()));
    } else {
        places.clear();
        for path in &options.rest {
            match process.files().metadata(&process.cwd, path) {
                Ok(_) => places.push(path.clone()),
                Err(error) => {
                    process
                        .complain(&format!("df: {path}: can't find mount point: {}", strerror(&error)))
                        .await;
                    return Ok(1);
                }
            }
        }
    }
    // A node's disk of a size that many have.
    let (total, used) = (64_u64 << 20, 16_u64 << 20);
    let shown =
        |kilobytes: u64| if options.has('h') { human(kilobytes << 10) } else { kilobytes.to_string() };
    let unit = if options.has('h') { "Size" } else { "1K-blocks" };
    let mut text = format!("Filesystem           {unit:>9}      Used Available Use% Mounted on\n");
    for place in places {
        text.push_str(&format!(
            "{:<20} {:>9} {:>9} {:>9}  25% {place}\n",
            if place == "/" { "overlay" } else { "/dev/vda1" },
            shown(total),
            shown(used),
            shown(total - used)
        ));
    }
    process.out(text).await?;
    Ok(0)
}

async fn mount(process: &Process) -> Done {
    let mut text = String::from(
        "overlay on / type overlay (rw,relatime)\nproc on /proc type proc (rw,nosuid,nodev,noexec,relatime)\n",
    );
    for mount in process.files().mounts() {
        let access = if mount.access == Access::ReadOnly { "ro" } else { "rw" };
        text.push_str(&format!("/dev/vda1 on {} type ext4 ({access},relatime)\n", mount.path.display()));
    }
    process.out(text).await?;
    Ok(0)
}
