//! What a world needs of this machine, what of it is there, and how to get the rest.

use std::fmt::Write as _;

/// One thing that is needed.
#[derive(Debug)]
pub(in crate::world) struct Need {
    pub(in crate::world) what: &'static str,
    pub(in crate::world) found: Result<String, Missing>,
}

/// It is not there.
#[derive(Debug)]
pub(in crate::world) struct Missing {
    pub(in crate::world) why: String,
    pub(in crate::world) remedy: &'static str,
}

/// Everything that is needed, looked for.
#[derive(Debug)]
pub(in crate::world) struct Preflight {
    needs: Vec<Need>,
}

impl Preflight {
    /// What was looked for.
    pub(in crate::world) fn of(needs: Vec<Need>) -> Self {
        Self { needs }
    }

    /// Whether nothing is missing.
    pub(in crate::world) fn is_fine(&self) -> bool {
        self.needs.iter().all(|need| need.found.is_ok())
    }

    /// One table.
    pub(in crate::world) fn table(&self) -> String {
        let mut text = String::new();
        for Need { what, found } in &self.needs {
            let line = match found {
                Ok(found) => format!("  {what:<10} ok       {found}"),
                Err(missing) => {
                    format!("  {what:<10} MISSING  {}\n  {:<10}          {}", missing.why, "", missing.remedy)
                }
            };
            // Writing to a string does not fail.
            let _ = writeln!(text, "{line}");
        }
        text
    }
}

/// The memory that is free, in bytes, where at least this much is.
pub(in crate::world) fn memory(least: u64, remedy: &'static str) -> Result<String, Missing> {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kibibytes: Option<u64> = available.and_then(|it| it.trim().trim_end_matches(" kB").parse().ok());
    match kibibytes.map(|it| it * 1024) {
        Some(bytes) if bytes < least => {
            Err(Missing { why: format!("{} MiB available", bytes >> 20), remedy })
        }
        Some(bytes) => Ok(format!("{} MiB available", bytes >> 20)),
        None => Ok("not told by this system".to_owned()),
    }
}
