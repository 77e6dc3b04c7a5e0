//! Faultless runs, one per release, profile, world and speed; shared between the processes of one nextest run.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest as _, Sha256};

use crate::judge::Control;
use crate::scenario::{Bootstrap, Document, Expect, Rollup, Scenario};

/// What tells controls apart within a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    release: String,
    profile: String,
}

impl Key {
    pub(super) fn of(scenario: &Scenario) -> Self {
        Self { release: scenario.release.clone(), profile: scenario.profile.clone() }
    }
}

/// Whether a scenario's own run is a control.
pub(super) fn is_control(scenario: &Scenario) -> bool {
    let nothing_is_done = scenario.faults.is_empty() && scenario.acts.is_empty() && scenario.heal.is_empty();
    nothing_is_done && scenario.bootstrap == Bootstrap::default()
}

/// Whether a control tells anything about a scenario. One that asks for the command's words alone and for no recovery needs no
/// install that works: that the fault landed is proven by its receipt, and nobody says such words without a cause.
pub(super) fn needs_control(scenario: &Scenario) -> bool {
    let words_alone = scenario.asks_the_operator_alone() && scenario.recovers.is_none();
    !scenario.faults.is_empty() && !words_alone
}

/// A scenario that is nothing but a control.
pub(super) fn control_for(scenario: &Scenario) -> Scenario {
    let healthy = Document { rollup: Some(Rollup::FullyHealthy), ..Document::default() };
    Scenario {
        name: format!("control-{}-{}", scenario.release, scenario.profile),
        path: PathBuf::new(),
        story: "The same install without faults.".to_owned(),
        requires: Vec::new(),
        release: scenario.release.clone(),
        profile: scenario.profile.clone(),
        bootstrap: Bootstrap::default(),
        faults: Vec::new(),
        acts: Vec::new(),
        expect: Expect { eventually: healthy, ..Expect::default() },
        heal: Vec::new(),
        recovers: None,
    }
}

/// Controls that are there, by key; an error says why there is none.
#[derive(Default)]
pub(super) struct Controls {
    known: HashMap<Key, Result<Arc<Control>, String>>,
}

impl Controls {
    /// The first one of a key counts.
    pub(super) fn learn(&mut self, key: Key, control: Result<Control, String>) {
        self.known.entry(key).or_insert_with(|| control.map(Arc::new));
    }

    pub(super) fn get(&self, key: &Key) -> Option<Result<Arc<Control>, String>> {
        self.known.get(key).cloned()
    }
}

/// Controls on disk, for processes that run one scenario each.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    directory: PathBuf,
}

impl Cache {
    /// The cache of this nextest run, if there is one. What older runs left is removed.
    pub(super) fn of_nextest(base: &Path) -> Option<Self> {
        let run = std::env::var("NEXTEST_RUN_ID").ok()?;
        let all = base.join("controls");
        let directory = all.join(run.replace(['/', '.'], "-"));
        fs::create_dir_all(&directory).ok()?;
        forget_old(&all);
        Some(Self { directory })
    }

    /// The control of this name; made by one process while the others wait for it.
    pub(super) fn get_or_make<T>(
        &self,
        identity: &str,
        make: impl FnOnce() -> (T, Option<Control>),
    ) -> io::Result<Result<Control, T>> {
        let name = file_name(identity);
        let lock = File::create(self.directory.join(format!("{name}.lock")))?;
        let _locked =
            Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| io::Error::from(errno))?;
        let path = self.directory.join(format!("{name}.json"));
        if let Some(control) = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            return Ok(Ok(control));
        }
        let (played, control) = make();
        if let Some(control) = control {
            fs::write(&path, serde_json::to_vec(&control)?)?;
        }
        Ok(Err(played))
    }
}

fn file_name(identity: &str) -> String {
    let mut name = String::new();
    for byte in Sha256::digest(identity.as_bytes()).iter().take(8) {
        // Writing to a String does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// Keeps the newest eight runs' controls.
fn forget_old(all: &Path) {
    let Ok(entries) = fs::read_dir(all) else { return };
    let mut runs: Vec<_> = entries
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    runs.sort();
    let old = runs.len().saturating_sub(8);
    for (_, path) in runs.into_iter().take(old) {
        // Another process may be removing it too.
        let _ = fs::remove_dir_all(path);
    }
}
