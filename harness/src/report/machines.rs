//! What has been tried on a real machine and what only on ours: read from reports, so that nobody has to keep it up by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::fault::faults;
use crate::world::{CONSOLE, Capability, METHODS};

/// The world of real machines, and the one of ours.
const REAL: &str = "talos";
const OURS: &str = "sim";
/// Of a sum so much is told.
const SHORT: usize = 12;

/// A report cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MachinesError {
    /// It is not there, or no file.
    #[error("read report {path}")]
    Read {
        /// Which.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It is no report.
    #[error("read report {path}: it is no JSON")]
    Parse {
        /// Which.
        path: String,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
}

/// Where something was tried first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tried {
    scenario: String,
    /// The console's sum; empty where nobody kept it.
    console: String,
    /// When the first receipt came; empty where there is none.
    at: String,
}

/// What was tried, by its name.
#[derive(Debug, Default)]
struct Worlds {
    real: BTreeMap<String, Tried>,
    ours: BTreeMap<String, Tried>,
}

impl Worlds {
    fn note(&mut self, world: &str, what: &str, tried: &Tried) {
        let known = match world {
            REAL => &mut self.real,
            OURS => &mut self.ours,
            _ => return,
        };
        known.entry(what.to_owned()).or_insert_with(|| tried.clone());
    }

    fn rows<'a>(&self, names: impl Iterator<Item = &'a str>) -> String {
        let mut text = String::new();
        for name in names {
            let (state, tried) = match (self.real.get(name), self.ours.get(name)) {
                (Some(tried), _) => ("VM ran", Some(tried)),
                (None, Some(tried)) => ("our API only", Some(tried)),
                (None, None) => ("not run", None),
            };
            let scenario = tried.map(|it| format!("`{}`", it.scenario)).unwrap_or_default();
            let (console, at) = tried.map(|it| (it.console.as_str(), it.at.as_str())).unwrap_or_default();
            // Writing to a string does not fail.
            let _ = writeln!(text, "| `{name}` | {state} | {scenario} | {console} | {at} |");
        }
        text
    }
}

/// The table of methods and of faults, as Markdown, from the reports in these directories. Only what passed counts: a fault that
/// landed in a scenario that failed proves nothing.
///
/// # Errors
/// See [`MachinesError`].
pub fn machines(reports: &[impl AsRef<Path>]) -> Result<String, MachinesError> {
    let (mut causes, mut methods) = (Worlds::default(), Worlds::default());
    for report in reports {
        for entry in scenarios(&read(report.as_ref())?) {
            let world = entry["world"].as_str().unwrap_or_default();
            let identity = &entry["identity"];
            if entry["verdict"] != "passed" || identity[METHODS].is_null() {
                continue;
            }
            let receipts: Vec<&Value> = entry["receipt"].as_array().into_iter().flatten().collect();
            let first = receipts.iter().find_map(|it| it["first"].as_str()).unwrap_or_default();
            let tried = Tried {
                scenario: entry["name"].as_str().unwrap_or_default().to_owned(),
                console: short(identity[CONSOLE].as_str().unwrap_or_default()),
                // In a simulated world time is nobody's.
                at: if world == REAL {
                    first.chars().take("2026-01-01T00:00".len()).collect()
                } else {
                    String::new()
                },
            };
            for receipt in receipts.iter().filter(|it| it["count"].as_u64() > Some(0)) {
                causes.note(world, receipt["fault"].as_str().unwrap_or_default(), &tried);
            }
            for method in identity[METHODS].as_str().unwrap_or_default().split_whitespace() {
                methods.note(world, method, &tried);
            }
        }
    }
    Ok(table(&causes, &methods))
}

fn table(causes: &Worlds, methods: &Worlds) -> String {
    let head = "| state | scenario | console | when (UTC) |\n|---|---|---|---|---|\n";
    let of_host = faults().filter(|it| it.needs == Capability::Host).map(|it| it.name);
    let landed = causes.real.keys().chain(causes.ours.keys()).map(String::as_str);
    let landed: BTreeSet<&str> = landed.collect();
    // A cause that was set with parameters stands there with each of them.
    let untried = of_host.filter(|name| !landed.iter().any(|it| it.starts_with(&format!("{name}("))));
    let names: BTreeSet<&str> = untried.chain(landed.iter().copied()).collect();
    let called: BTreeSet<&str> =
        fake_talos::METHODS.into_iter().chain(methods.real.keys().map(String::as_str)).collect();
    format!(
        "| cause {head}{}\n| method {head}{}",
        causes.rows(names.into_iter()),
        methods.rows(called.into_iter())
    )
}

fn read(directory: &Path) -> Result<Value, MachinesError> {
    let path = directory.join("report.json");
    let shown = path.display().to_string();
    let text = std::fs::read(&path).map_err(|source| MachinesError::Read { path: shown.clone(), source })?;
    serde_json::from_slice(&text).map_err(|source| MachinesError::Parse { path: shown, source })
}

fn scenarios(report: &Value) -> Vec<&Value> {
    report["scenarios"].as_array().into_iter().flatten().collect()
}

fn short(sum: &str) -> String {
    sum.chars().take(SHORT).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(world: &str, verdict: &str, fault: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let report = json!({ "scenarios": [{
            "name": "x", "world": world, "verdict": verdict,
            "identity": { METHODS: "machine.MachineService/Bootstrap", CONSOLE: "0123456789abcdef" },
            "receipt": [{ "fault": fault, "count": 2, "first": "2026-11-22T23:38:13.113Z" }],
        }]});
        std::fs::write(folder.path().join("report.json"), report.to_string()).unwrap();
        folder
    }

    fn row<'a>(table: &'a str, name: &str) -> &'a str {
        table.lines().find(|line| line.starts_with(&format!("| `{name}` "))).unwrap()
    }

    #[test]
    fn what_passed_on_a_real_machine_is_told_with_its_console_and_its_time() {
        let (real, ours) =
            (report("talos", "passed", "host.reboot"), report("sim", "passed", "host.disk-full"));
        let table = machines(&[real.path(), ours.path()]).unwrap();
        assert_eq!(
            row(&table, "host.reboot"),
            "| `host.reboot` | VM ran | `x` | 0123456789ab | 2026-11-22T23:38 |"
        );
        assert_eq!(
            row(&table, "host.disk-full"),
            "| `host.disk-full` | our API only | `x` | 0123456789ab |  |"
        );
        assert_eq!(row(&table, "host.clock-ahead"), "| `host.clock-ahead` | not run |  |  |  |");
        assert!(row(&table, "machine.MachineService/Bootstrap").contains("VM ran"));
        assert!(row(&table, "machine.MachineService/Reboot").contains("not run"));
    }

    #[test]
    fn a_cause_with_parameters_stands_there_with_them_alone() {
        let real = report("talos", "passed", "host.reboot(when: booting)");
        let table = machines(&[real.path()]).unwrap();
        assert!(row(&table, "host.reboot(when: booting)").contains("VM ran"));
        assert!(!table.contains("`host.reboot`"));
    }

    #[test]
    fn what_failed_was_not_run() {
        let failed = report("talos", "failed", "host.reboot");
        assert!(row(&machines(&[failed.path()]).unwrap(), "host.reboot").contains("not run"));
    }

    #[test]
    fn a_directory_without_a_report_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(machines(&[folder.path()]).unwrap_err().to_string().ends_with("report.json"));
    }
}
