//! `volume-prep` and `storage-smoke`: is this volume one that can be written to?

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::room::NO_SPACE;

const CONTENT: &[u8] = b"written, read, removed\n";

/// `volume-prep DIRECTORY`: the directory is there and can be written to. What lies in it stays as it is.
pub async fn prepare(context: Context) -> i32 {
    check(&context, "volume-prep", ".volume-prep")
}

/// `storage-smoke DIRECTORY`: what is written can be read again.
pub async fn smoke(context: Context) -> i32 {
    check(&context, "storage-smoke", "storage-smoke")
}

fn check(context: &Context, program: &str, name: &str) -> i32 {
    let directory = PathBuf::from(context.args.first().map_or("/volume", String::as_str));
    let Some(place) = context.mounts.resolve(&directory) else {
        return context.fail(format!("{program}: {}: No such file or directory", directory.display()));
    };
    let file = place.join(name);
    let room = context.room().take(&file, CONTENT.len() as u64);
    match room.map_err(|_| io::Error::other(NO_SPACE)).and_then(|()| write_and_read(&file)) {
        Ok(()) => {
            context.say(format!("{program}: {} can be written to and read", directory.display()));
            0
        }
        Err(error) => context.fail(format!("{program}: {}: {error}", directory.display())),
    }
}

fn write_and_read(path: &Path) -> io::Result<()> {
    fs::write(path, CONTENT)?;
    if fs::read(path)? != CONTENT {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "read something else than was written"));
    }
    fs::remove_file(path)
}
