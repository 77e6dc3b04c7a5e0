//! A case of a directory of recordings: what was done to a cluster, and when.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

/// One recorded case.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Its directory.
    pub directory: PathBuf,
    /// Which recorder made it.
    pub family: Family,
    /// Its namespaces, the first being the one that manifests without one go to.
    pub namespaces: Vec<String>,
    /// What is wrong with the world.
    pub causes: Vec<Cause>,
    /// What is done, in the order of its times.
    pub steps: Vec<Step>,
    /// How long was watched, in seconds.
    pub seconds: f64,
    /// What it is a run of, where it is one.
    pub run: Option<Run>,
}

/// The run of a scenario, recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The scenario's name.
    pub scenario: String,
    /// SHA-256 of its file.
    pub hash: String,
    /// From which second on it is this scenario, and not any install that is well.
    pub from: f64,
    /// Why it ended early, if it did.
    pub broken: Option<String>,
}

/// Which recorder made a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Kubernetes alone.
    Kubernetes,
    /// The Flux controllers in a cluster.
    Flux,
    /// `smoke record`: an appliance, installed and broken as a scenario says.
    Scenario,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Kubernetes, Self::Flux, Self::Scenario];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubernetes => "Kubernetes",
            Self::Flux => "Flux",
            Self::Scenario => "Scenario",
        }
    }
}

/// A cause, in the words of the fault catalogue.
#[derive(Debug, Clone, Deserialize)]
pub struct Cause {
    /// Its name, for instance `dns.refused`.
    pub fault: String,
    /// From when, in seconds; from the beginning when nothing is said.
    #[serde(rename = "atSeconds")]
    pub at: Option<f64>,
    /// Until when, in seconds; to the end when nothing is said.
    #[serde(rename = "untilSeconds")]
    pub until: Option<f64>,
    /// Everything else.
    #[serde(flatten)]
    pub parameters: Map<String, Value>,
}

/// Something that is done to the cluster.
#[derive(Debug, Clone)]
pub struct Step {
    /// When, in seconds.
    pub at: f64,
    /// What.
    pub what: Action,
}

/// What is done.
#[derive(Debug, Clone)]
pub enum Action {
    /// A file of the case is applied.
    Apply(PathBuf),
    /// A directory of the case is pushed as an artifact.
    Push {
        /// The directory, and repository and tag as the case says them.
        push: Value,
    },
    /// `KIND/NAME` is asked to be reconciled at once.
    Reconcile(String),
    /// A command.
    Run(String),
    /// Something in words.
    Do(String),
}

/// A case could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// A file could not be read.
    #[error("recording {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// `case.json` does not say what a case is.
    #[error("recording {path}: not the description of a case")]
    Describe {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The directory holds no case.
    #[error(
        "no case.json in {path} or the directories below it; hint: give the directory that holds the cases"
    )]
    Nothing {
        /// The directory.
        path: PathBuf,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    name: String,
    namespace: Option<String>,
    #[serde(default)]
    namespaces: Vec<String>,
    scenario: Option<String>,
    #[serde(default)]
    scenario_hash: String,
    #[serde(default)]
    from_seconds: f64,
    broken: Option<String>,
    manifest: Option<String>,
    #[serde(default)]
    cause: Vec<Cause>,
    recorded_seconds: Option<f64>,
    #[serde(default)]
    steps: Vec<Value>,
}

impl Case {
    /// Every case in a directory and the directories below it, by name.
    ///
    /// # Errors
    /// When a description cannot be read, or there is none.
    pub fn all(directory: &Path) -> Result<Vec<Self>, CaseError> {
        let mut cases = Vec::new();
        find(directory, 3, &mut cases)?;
        if cases.is_empty() {
            return Err(CaseError::Nothing { path: directory.to_owned() });
        }
        cases.sort_by(|a, b| (a.family, &a.name).cmp(&(b.family, &b.name)));
        Ok(cases)
    }

    /// Reads one `case.json`.
    pub(super) fn read(path: &Path) -> Result<Self, CaseError> {
        let bytes = fs::read(path).map_err(|source| CaseError::Read { path: path.to_owned(), source })?;
        let described: Described = serde_json::from_slice(&bytes)
            .map_err(|source| CaseError::Describe { path: path.to_owned(), source })?;
        let directory = path.parent().unwrap_or(Path::new(".")).to_owned();
        let family = match (&described.scenario, described.steps.is_empty()) {
            (Some(_), _) => Family::Scenario,
            (None, true) => Family::Kubernetes,
            (None, false) => Family::Flux,
        };
        let mut steps: Vec<Step> =
            described.steps.iter().filter_map(|step| Step::read(step, &directory)).collect();
        let mut end = described.recorded_seconds;
        for step in &described.steps {
            if step["end"] == true {
                end = step["atSeconds"].as_f64();
            }
        }
        if let Some(manifest) = &described.manifest {
            steps.insert(0, Step { at: 0.0, what: Action::Apply(directory.join(manifest)) });
        }
        let prefix = if family == Family::Flux { "fx" } else { "rec" };
        let first = described.namespace.unwrap_or_else(|| format!("{prefix}-{}", described.name));
        let seconds = end.unwrap_or_else(|| steps.iter().map(|step| step.at).fold(0.0, f64::max) + 60.0);
        let namespaces = match family {
            Family::Kubernetes => namespaces(first, &directory),
            Family::Flux => super::replay::flux::namespaces(&first, &directory),
            Family::Scenario => described.namespaces,
        };
        let run = described.scenario.map(|scenario| Run {
            scenario,
            hash: described.scenario_hash,
            from: described.from_seconds,
            broken: described.broken,
        });
        Ok(Self {
            name: described.name,
            directory,
            family,
            namespaces,
            causes: described.cause,
            steps,
            seconds,
            run,
        })
    }

    /// The seconds at which somebody looked at logs; the last one where nobody did. Those of Flux' controllers are followed.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a recording takes minutes")]
    pub fn looks(&self) -> Vec<u32> {
        let files = fs::read_dir(self.directory.join("logs")).into_iter().flatten().flatten();
        let mut seconds: Vec<u32> = files
            .filter_map(|file| {
                file.file_name().to_str()?.strip_suffix(".txt")?.rsplit_once("-t")?.1.parse().ok()
            })
            .collect();
        if seconds.is_empty() && self.family == Family::Kubernetes {
            seconds.push(self.seconds.max(0.0) as u32);
        }
        seconds.sort_unstable();
        seconds.dedup();
        seconds
    }
}

impl Step {
    fn read(step: &Value, directory: &Path) -> Option<Self> {
        let at = step["atSeconds"].as_f64().unwrap_or_default();
        let what = if let Some(file) = step["apply"].as_str() {
            Action::Apply(directory.join(file))
        } else if step["push"].is_object() {
            Action::Push { push: step["push"].clone() }
        } else if let Some(object) = step["annotate"].as_str() {
            Action::Reconcile(object.split_whitespace().next()?.to_owned())
        } else if let Some(command) = step["run"].as_str() {
            Action::Run(command.to_owned())
        } else {
            Action::Do(step["do"].as_str()?.to_owned())
        };
        Some(Self { at, what })
    }
}

/// The first, and every one that the case's own files name and that starts with it.
fn namespaces(first: String, directory: &Path) -> Vec<String> {
    let mut found = vec![first];
    let files = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    for file in files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
            if word.strip_prefix(found[0].as_str()).is_some_and(|rest| rest.starts_with('-'))
                && !found.iter().any(|known| known == word)
            {
                found.push(word.to_owned());
            }
        }
    }
    found
}

fn find(directory: &Path, depth: usize, cases: &mut Vec<Case>) -> Result<(), CaseError> {
    let description = directory.join("case.json");
    if description.is_file() {
        cases.push(Case::read(&description)?);
        return Ok(());
    }
    if depth == 0 {
        return Ok(());
    }
    let entries =
        fs::read_dir(directory).map_err(|source| CaseError::Read { path: directory.to_owned(), source })?;
    // What begins with a dot is a recording that its recorder had not finished.
    let visible = entries.flatten().filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    for entry in visible.filter(|entry| entry.path().is_dir()) {
        find(&entry.path(), depth - 1, cases)?;
    }
    Ok(())
}
