//! Replays a case on a fresh simulated cluster and keeps what it says.

mod artifacts;
mod causes;
mod commands;
mod deeds;
pub(super) mod flux;
mod helm;
mod lab;
mod logs;
mod steps;

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use field_clock::{Clock, FieldRuntime, Options};

use self::lab::Lab;
use super::case::{Case, Family};
use crate::recording::{self, ApiError, CONTROLLERS, Collection, Notes, Scope, Stream};
use crate::world::Speed;

/// A case could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// No loopback network, no directory.
    #[error("make room for a simulated cluster")]
    Room(#[source] std::io::Error),
    /// The cluster did not start.
    #[error("start a simulated cluster")]
    Cluster(#[source] fake_cluster::ClusterError),
    /// Its API cannot be asked.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Something could not be published.
    #[error("publish {what}")]
    Publish {
        /// What.
        what: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file of the case is not what it should be.
    #[error("{file}: {message}")]
    Manifest {
        /// The file.
        file: String,
        /// Why.
        message: String,
    },
    /// The case asks for something that cannot be done here.
    #[error("case {case}: cannot do {what:?}; hint: {known}")]
    Unknown {
        /// The case.
        case: String,
        /// What it asks for.
        what: String,
        /// What is known.
        known: String,
    },
}

/// How a case is replayed.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// The most seconds of field time in a second of the machine's.
    pub speed: Speed,
    /// Seed of everything random.
    pub seed: u64,
}

/// How long the recorder's watches are open before anything is applied.
const BEFORE: Duration = Duration::from_millis(800);

/// What the simulated cluster says in this case.
///
/// # Errors
/// When there is no room for a cluster, or the case cannot be done on one.
pub(super) fn replay(case: &Case, manner: Manner) -> Result<Stream, ReplayError> {
    let runtime = FieldRuntime::start(Options { speed: manner.speed.0 }).map_err(ReplayError::Room)?;
    let clock = runtime.clock().clone();
    runtime.block_on(async {
        let lab = Lab::start(case, manner.seed, &clock).await?;
        let stream = play(case, &lab, &clock).await;
        lab.stop().await;
        stream
    })
}

async fn play(case: &Case, lab: &Lab, clock: &Clock) -> Result<Stream, ReplayError> {
    let api = lab.api()?;
    let standing = causes::bring_standing(case, lab).await?;
    steps::make_namespaces(case, &api).await?;
    let began = clock.now() + BEFORE;
    let notes = Notes::new(clock.clone(), began, case.namespaces.clone());
    let mut watches = tokio::task::JoinSet::new();
    for kind in watched(case) {
        let scope = if case.family == Family::Flux { Scope::Namespaces } else { Scope::Path };
        let namespace = case.namespaces.first().filter(|_| scope == Scope::Path).map(String::as_str);
        if let Some(path) = recording::watched(&kind, namespace) {
            watches.spawn(recording::watch(api.clone(), notes.clone(), Collection { kind, path, scope }));
        }
    }
    if case.family == Family::Flux {
        for controller in CONTROLLERS {
            watches.spawn(recording::follow(api.clone(), notes.clone(), controller));
        }
    }
    clock.sleep_until(began).await;
    let doing = async {
        for step in &case.steps {
            clock.sleep_until(began + Duration::from_secs_f64(step.at.max(0.0))).await;
            steps::take(step, case, lab, &api, &notes).await?;
        }
        Ok::<_, ReplayError>(())
    };
    let causes = causes::come_and_go(case, lab, clock, began, standing);
    let looking = logs::look(case, &api, &notes, clock, began);
    let (done, caused, ()) = futures::join!(doing, causes, looking);
    clock.sleep_until(began + Duration::from_secs_f64(case.seconds.max(0.0))).await;
    watches.shutdown().await;
    done?;
    caused?;
    Ok(notes.with(std::mem::take))
}

/// What every recorder watches.
const USUALLY_WATCHED: [&str; 6] =
    ["pods", "events", "persistentvolumeclaims", "jobs", "deployments", "endpointslices"];

/// What the recorder of this case watched: the kinds of its files; the usual ones where nothing was recorded yet.
fn watched(case: &Case) -> BTreeSet<String> {
    let files = fs::read_dir(&case.directory).into_iter().flatten().flatten();
    let mut found: BTreeSet<String> = files
        .filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".watch.jsonl")?.to_owned()))
        .collect();
    if found.is_empty() {
        found.extend(USUALLY_WATCHED.map(str::to_owned));
    }
    if case.family == Family::Flux {
        found.insert("secrets".to_owned());
    }
    found
}
