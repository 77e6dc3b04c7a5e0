//! Slash-separated paths.

use super::Param::Str;
use super::{Function, text};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("base", &[Str], |values| Ok(base(text(&values[0])).into())),
    Function::new("osBase", &[Str], |values| Ok(base(text(&values[0])).into())),
    Function::new("dir", &[Str], |values| Ok(dir(text(&values[0])).into())),
    Function::new("osDir", &[Str], |values| Ok(dir(text(&values[0])).into())),
    Function::new("clean", &[Str], |values| Ok(clean(text(&values[0])).into())),
    Function::new("osClean", &[Str], |values| Ok(clean(text(&values[0])).into())),
    Function::new("ext", &[Str], |values| Ok(ext(text(&values[0])).into())),
    Function::new("osExt", &[Str], |values| Ok(ext(text(&values[0])).into())),
    Function::new("isAbs", &[Str], |values| Ok(Value::Bool(text(&values[0]).starts_with('/')))),
    Function::new("osIsAbs", &[Str], |values| Ok(Value::Bool(text(&values[0]).starts_with('/')))),
];

/// `path.Base`
pub(crate) fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() {
        return "/";
    }
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}

fn dir(path: &str) -> String {
    clean(&path[..path.rfind('/').map_or(0, |slash| slash + 1)])
}

fn ext(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rfind('.').map_or("", |dot| &name[dot..])
}

/// `path.Clean`
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => _ = parts.pop(),
            ".." if rooted => {}
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".into(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::{base, clean, dir, ext};

    #[test]
    fn paths_are_taken_apart_as_go_does_it() {
        assert_eq!(base("/a/b.txt"), "b.txt");
        assert_eq!(base("/"), "/");
        assert_eq!(dir("/a/b"), "/a");
        assert_eq!(dir("a"), ".");
        assert_eq!(ext("a/b.tar.gz"), ".gz");
        assert_eq!(clean("a/../../b//c/."), "../b/c");
    }
}
