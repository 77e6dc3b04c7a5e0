//! Where a report goes when nobody says where.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use field_clock::Clock;

/// Reports that stay; older ones go when a new one comes.
const KEPT: usize = 20;

/// A new directory below `target/smoke`, or below `smoke-reports` where there is no `target`.
///
/// # Errors
/// When it cannot be made.
pub fn place() -> io::Result<PathBuf> {
    let all = all();
    fs::create_dir_all(&all)?;
    forget_old(&all)?;
    let stamp = Clock::wall().now().strftime("%Y%m%dT%H%M%S").to_string();
    let place = all.join(format!("{stamp}-{}", std::process::id()));
    fs::create_dir_all(&place)?;
    Ok(place)
}

/// The newest of these directories that is finished.
pub fn newest() -> Option<PathBuf> {
    finished(&all()).ok()?.pop()
}

fn all() -> PathBuf {
    let target = Path::new("target");
    if target.is_dir() { target.join("smoke") } else { PathBuf::from("smoke-reports") }
}

/// By age, the oldest first.
fn finished(all: &Path) -> io::Result<Vec<PathBuf>> {
    let mut reports: Vec<PathBuf> = fs::read_dir(all)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("report.json").is_file())
        .collect();
    reports.sort();
    Ok(reports)
}

/// Only what is named like a report and is finished is removed.
fn forget_old(all: &Path) -> io::Result<()> {
    let reports = finished(all)?;
    let old = reports.len().saturating_sub(KEPT);
    for path in reports.into_iter().take(old) {
        // Another run may be removing it too.
        let _ = fs::remove_dir_all(path);
    }
    Ok(())
}
