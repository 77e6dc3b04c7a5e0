//! Redirections.

use std::collections::BTreeMap;
use std::io;

use super::{Flow, Shell};
use crate::descriptor::{Descriptor, EINVAL, EISDIR, ENOENT, ENOTDIR, strerror};
use crate::files::Open;
use crate::syntax::{Redirect, RedirectKind};

/// What a redirection came to.
pub(super) enum Redirected {
    Done,
    /// It failed, and that was said.
    Failed,
}

impl Shell {
    /// Applies redirections to the shell's own descriptors; the caller puts them back.
    pub(super) async fn redirect(&mut self, redirects: &[Redirect]) -> Result<Redirected, Flow> {
        for redirect in redirects {
            let target = self.text(&redirect.target).await?;
            if let Err(text) = self.apply(redirect, &target) {
                self.say(&text).await;
                return Ok(Redirected::Failed);
            }
        }
        Ok(Redirected::Done)
    }

    fn apply(&mut self, redirect: &Redirect, target: &str) -> Result<(), String> {
        let opened = match redirect.kind {
            RedirectKind::HereDocument => Descriptor::text(target),
            RedirectKind::Duplicate if target == "-" => {
                self.process.descriptors.remove(&redirect.fd);
                return Ok(());
            }
            RedirectKind::Duplicate => {
                let number: i32 = target.parse().map_err(|_| "syntax error: bad fd number".to_owned())?;
                self.process.descriptor(number).map_err(|error| format!("{number}: {}", strerror(&error)))?
            }
            RedirectKind::Read => self
                .open(target, Open::Read)
                .map_err(|error| format!("can't open {target}: {}", opening(&error)))?,
            RedirectKind::Write | RedirectKind::Clobber => self.create(target, Open::Write)?,
            RedirectKind::Append => self.create(target, Open::Append)?,
            RedirectKind::ReadWrite => self.create(target, Open::ReadWrite)?,
        };
        self.process.descriptors.insert(redirect.fd, opened);
        Ok(())
    }

    fn create(&self, target: &str, how: Open) -> Result<Descriptor, String> {
        self.open(target, how).map_err(|error| format!("can't create {target}: {}", creating(&error)))
    }

    /// Opens a file, or one of the shell's own descriptors by its name.
    fn open(&self, target: &str, how: Open) -> io::Result<Descriptor> {
        open_named(&self.process.descriptors, target)
            .unwrap_or_else(|| self.process.files().open(&self.process.cwd, target, how, self.process.umask))
    }
}

/// `/dev/stdout` and its kin.
pub(crate) fn open_named(
    descriptors: &BTreeMap<i32, Descriptor>,
    target: &str,
) -> Option<io::Result<Descriptor>> {
    let number = match target {
        "/dev/stdin" => 0,
        "/dev/stdout" => 1,
        "/dev/stderr" => 2,
        _ => target
            .strip_prefix("/dev/fd/")
            .or_else(|| target.strip_prefix("/proc/self/fd/"))
            .or_else(|| target.strip_prefix("/proc/1/fd/"))?
            .parse()
            .ok()?,
    };
    Some(descriptors.get(&number).cloned().ok_or_else(|| io::Error::from_raw_os_error(ENOENT)))
}

fn opening(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(ENOENT | ENOTDIR) => "no such file".into(),
        _ => strerror(error),
    }
}

fn creating(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(ENOENT | ENOTDIR) => "nonexistent directory".into(),
        Some(EISDIR | EINVAL) => "Is a directory".into(),
        _ => strerror(error),
    }
}
