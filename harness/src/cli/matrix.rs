//! `smoke matrix`.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Refusal, print};
use crate::chain::chain;
use crate::matrix::{Matrix, stored, table};
use crate::report;
use crate::run::ExitStatus;

pub(super) fn execute(given: Option<&Path>, as_json: bool) -> Result<ExitStatus, Refusal> {
    let directory = match given {
        Some(directory) => directory.to_owned(),
        None => newest()?,
    };
    let matrix = stored(&directory).map_err(|error| Refusal::usage(chain(&error)))?;
    let text = if as_json {
        format!("{:#}\n", json!({ "version": 1, "matrix": report::matrix(&matrix) }))
    } else {
        table(&matrix)
    };
    print(&text);
    Ok(status(&matrix))
}

fn newest() -> Result<PathBuf, Refusal> {
    report::newest().ok_or_else(|| Refusal::usage("no report here: name its directory with --report DIR"))
}

fn status(matrix: &Matrix) -> ExitStatus {
    if !matrix.is_exact() {
        ExitStatus::Failed
    } else if matrix.totals().runs == 0 {
        ExitStatus::Invalid
    } else {
        ExitStatus::Passed
    }
}
