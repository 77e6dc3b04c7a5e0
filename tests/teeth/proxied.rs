//! Where the mutants of the status service and of the operator's command are. `cargo test` builds them beside the binaries.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::SystemTime;

/// The program, built when it is not there or older than its text.
pub(crate) fn mutant_status() -> Result<PathBuf, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(|| build("mutant_status")).clone()
}

/// The same of the operator's commands.
pub(crate) fn mutant_operator() -> Result<PathBuf, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(|| build("mutant_operator")).clone()
}

/// Name and description of every mutant of a program, as it lists them.
pub(crate) fn listed(program: &Path) -> Result<Vec<(String, String)>, String> {
    let output = output(Command::new(program).arg("list"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rows = text.lines().filter_map(|line| line.split_once('\t'));
    Ok(rows.map(|(name, about)| (name.to_owned(), about.to_owned())).collect())
}

fn build(example: &str) -> Result<PathBuf, String> {
    let smoke = Path::new(env!("CARGO_BIN_EXE_smoke"));
    let built = smoke.parent().ok_or("a binary is in a folder")?.join("examples").join(example);
    if !is_current(example, &built) {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--quiet", "--example", example]).current_dir(env!("CARGO_MANIFEST_DIR"));
        let made = output(&mut command)?;
        if !made.status.success() {
            return Err(String::from_utf8_lossy(&made.stderr).into_owned());
        }
    }
    Ok(built)
}

fn output(command: &mut Command) -> Result<Output, String> {
    command.output().map_err(|error| format!("run {command:?}: {error}"))
}

fn is_current(example: &str, built: &Path) -> bool {
    let text = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example);
    let Some(made) = changed(built) else { return false };
    let files = std::fs::read_dir(text).into_iter().flatten().flatten();
    files.filter_map(|file| changed(&file.path())).all(|written| written <= made)
}

fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|about| about.modified()).ok()
}
