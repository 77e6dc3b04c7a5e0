//! What the real program once said.

use std::fs;
use std::path::PathBuf;

/// The directory in which that is kept.
pub(crate) struct Golden(PathBuf);

impl Golden {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.txt"))
    }

    /// What is kept under a name.
    pub(crate) fn of(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| format!("nothing: {error}"))
    }

    /// Keeps it, if the environment asks for that.
    pub(crate) fn keep(&self, name: &str, text: &str) {
        if std::env::var_os("GOLDEN").is_some_and(|wish| wish == "write") {
            let path = self.path(name);
            fs::create_dir_all(path.parent().expect("a directory")).expect("a directory to be made");
            fs::write(path, text).expect("a file to be written");
        }
    }
}

/// The lines around the first difference of two texts, if there is one.
pub(crate) fn first_difference(theirs: &str, ours: &str) -> Option<String> {
    if theirs == ours {
        return None;
    }
    let differs = theirs.lines().zip(ours.lines()).position(|(theirs, ours)| theirs != ours);
    let line = differs.unwrap_or_else(|| theirs.lines().count().min(ours.lines().count()));
    let around = |text: &str| {
        let lines: Vec<&str> = text.lines().skip(line.saturating_sub(2)).take(6).collect();
        lines.join("\n    ")
    };
    Some(format!("  line {}:\n  there:\n    {}\n  here:\n    {}", line + 1, around(theirs), around(ours)))
}
