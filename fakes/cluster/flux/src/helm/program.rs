//! The helm program, as a person uses it beside the controllers: it knows releases, and no HelmRelease.

use std::time::Duration;

use bytes::Bytes;
use cluster_api::Store;
use field_clock::Clock;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::engine::{Crds, Engine, Failure, Hooks, Journal, Namespace, Settings, Waiting};
use super::policy::Names;
use super::release::{Desired, Release};
use super::values;
use crate::duration;
use crate::render::Chart;
use crate::wait::Jobs;

/// What the program does until it writes the first object.
const STARTS: u32 = 600;
/// It watches, and so sees a change soon.
const SEES: Duration = Duration::from_millis(100);

/// The program, at work in a cluster. Dropping what [`HelmProgram::run`] returns kills it where it stands.
pub struct HelmProgram<'a> {
    /// The cluster's objects.
    pub store: &'a Store,
    /// Field time.
    pub clock: &'a Clock,
    /// Where charts come from: an archive by reference and version.
    pub charts: &'a (dyn Fn(&str, &str) -> Option<Bytes> + Sync),
}

/// The program ended with an error; its text is Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Error: {0}")]
pub struct HelmError(String);

/// A command line, sorted.
#[derive(Default)]
struct Line {
    plain: Vec<String>,
    namespace: Option<String>,
    version: String,
    timeout: Option<Duration>,
    values: Value,
    waits: bool,
    creates_namespace: bool,
}

impl Line {
    fn read(arguments: &[String]) -> Self {
        let mut line = Self { values: json!({}), ..Self::default() };
        let mut rest = arguments.iter().map(String::as_str);
        while let Some(word) = rest.next() {
            let (flag, glued) = match word.split_once('=').filter(|_| word.starts_with("--")) {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (word, None),
            };
            let mut value = || glued.clone().or_else(|| rest.next().map(str::to_owned)).unwrap_or_default();
            match flag {
                "-n" | "--namespace" => line.namespace = Some(value()),
                "--version" => line.version = value(),
                "--timeout" => line.timeout = duration::parse(&value()),
                "--set" => {
                    for pair in value().split(',').filter_map(|pair| pair.split_once('=')) {
                        values::set_path(&mut line.values, pair.0, values::yaml_scalar(pair.1));
                    }
                }
                "-o" | "--output" => drop(value()),
                "--wait" => line.waits = true,
                "--create-namespace" => line.creates_namespace = true,
                _ if flag.starts_with('-') => {}
                _ => line.plain.push(word.to_owned()),
            }
        }
        line
    }

    fn settings(&self) -> Settings {
        Settings {
            timeout: self.timeout.unwrap_or(Duration::from_secs(300)),
            waiting: if self.waits { Waiting::Watch(Jobs::Ignore) } else { Waiting::Not },
            hooks: Hooks::Run,
            crds: Crds::Create,
            namespace: if self.creates_namespace { Namespace::Create } else { Namespace::Expect },
        }
    }
}

impl HelmProgram<'_> {
    /// Runs `helm ARGUMENTS` to its end; what it prints.
    ///
    /// # Errors
    /// [`HelmError`] as the program words it.
    pub async fn run(&self, arguments: &[String]) -> Result<String, HelmError> {
        let line = Line::read(arguments);
        let word = |at: usize| line.plain.get(at).map_or("", String::as_str);
        let namespace = line.namespace.clone().unwrap_or_else(|| "default".to_owned());
        let names = Names { release: word(1).to_owned(), storage: namespace.clone(), namespace };
        let interrupt = CancellationToken::new();
        let engine = Engine {
            store: self.store,
            clock: self.clock,
            names: &names,
            owner: None,
            manager: "helm",
            interrupt: &interrupt,
            journal: Journal::new(self.store),
            poll: SEES,
        };
        let outcome = match word(0) {
            "install" => self.install(&engine, &line).await,
            "upgrade" => self.upgrade(&engine, &line).await,
            "rollback" => rollback(&engine, &line).await,
            "uninstall" | "delete" => uninstall(&engine, &line).await,
            "list" | "ls" => Ok(String::new()),
            other => Err(format!("unknown command {other:?} for \"helm\"")),
        };
        outcome.map_err(HelmError)
    }

    async fn install(&self, engine: &Engine<'_>, line: &Line) -> Result<String, String> {
        crate::pace::spend(self.clock, STARTS, &engine.names.release).await;
        let history = engine.records().all();
        if history.first().is_some_and(|latest| latest.status != "uninstalled") {
            return Err("INSTALLATION FAILED: cannot re-use a name that is still in use".to_owned());
        }
        let desired = self.desired(engine.names, line)?;
        let done = engine.install(&desired, &history, &line.settings()).await;
        done.map_err(|failure| format!("INSTALLATION FAILED: {}", failure.message()))?;
        Ok(format!("NAME: {}", engine.names.release))
    }

    async fn upgrade(&self, engine: &Engine<'_>, line: &Line) -> Result<String, String> {
        crate::pace::spend(self.clock, STARTS, &engine.names.release).await;
        let failed = |why: &str| format!("UPGRADE FAILED: {why}");
        let history = engine.records().all();
        let Some(latest) = history.first() else {
            return Err(failed(&format!("\"{}\" has no deployed releases", engine.names.release)));
        };
        if latest.is_pending() {
            return Err(failed("another operation (install/upgrade/rollback) is in progress"));
        }
        let desired = self.desired(engine.names, line)?;
        let done = engine.upgrade(&desired, &history, &line.settings()).await;
        done.map_err(|failure: Failure| failed(failure.message()))?;
        Ok(format!("Release \"{}\" has been upgraded. Happy Helming!", engine.names.release))
    }

    fn desired(&self, names: &Names, line: &Line) -> Result<Desired, String> {
        let reference = line.plain.get(2).cloned().unwrap_or_default();
        let archive = (self.charts)(&reference, &line.version);
        let archive = archive.ok_or_else(|| format!("{reference}:{}: not found", line.version))?;
        let chart = Chart::load(&archive)?;
        let version = chart.version.clone();
        Ok(Desired::of(names.clone(), chart, version, line.values.clone()))
    }
}

async fn rollback(engine: &Engine<'_>, line: &Line) -> Result<String, String> {
    let history = engine.records().all();
    let latest = history.first().ok_or_else(|| "release: not found".to_owned())?;
    let wanted = line.plain.get(2).and_then(|version| version.parse().ok());
    let wanted = wanted.unwrap_or(latest.version.saturating_sub(1));
    let good = history.iter().find(|release: &&Release| release.version == wanted);
    let good = good.ok_or_else(|| format!("release has no {wanted} version"))?;
    crate::pace::spend(engine.clock, STARTS / 2, &engine.names.release).await;
    engine.rollback(good, &history, &line.settings()).await?;
    Ok("Rollback was a success! Happy Helming!".to_owned())
}

async fn uninstall(engine: &Engine<'_>, line: &Line) -> Result<String, String> {
    let history = engine.records().all();
    let name = &engine.names.release;
    let latest = history
        .first()
        .ok_or_else(|| format!("uninstall: Release not loaded: {name}: release: not found"))?;
    engine.take_down(latest, line.settings().timeout).await?;
    history[1..].iter().for_each(|older| engine.records().delete(older));
    Ok(format!("release \"{name}\" uninstalled"))
}
