//! What a run leaves for people and machines: a directory, and lines on the terminal.
//!
//! ```text
//!   report.json  junit.xml  index.html
//!   <scenario>/timeline.jsonl  <scenario>/evidence/…
//! ```

mod html;
mod json;
mod junit;
mod machines;
mod place;
mod replay;
mod svg;
mod terminal;

use std::io;
use std::path::{Path, PathBuf};

pub use json::{REPORT_VERSION, matrix, report};
pub use machines::{MachinesError, machines};
pub use place::{newest, place};
pub use replay::replay;
pub use terminal::Terminal;

use crate::run::{Plan, Summary};

/// A report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file.
    #[error("write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// JUnit's XML.
    #[error("write junit.xml")]
    Junit(#[source] quick_junit::SerializeError),
}

/// Writes everything that is made at the end.
///
/// # Errors
/// When a file cannot be written.
pub fn write(plan: &Plan, summary: &Summary) -> Result<(), ReportError> {
    let json = format!("{:#}\n", json::report(plan, summary));
    put(&plan.report, "report.json", &json)?;
    put(&plan.report, "junit.xml", &junit::junit(summary).map_err(ReportError::Junit)?)?;
    put(&plan.report, "index.html", &html::page(plan, summary))
}

fn put(directory: &Path, name: &str, content: &str) -> Result<(), ReportError> {
    let path = directory.join(name);
    std::fs::write(&path, content).map_err(|source| ReportError::Write { path, source })
}
