//! How far the set-up of the database is.

use appliance_status_model::{Bootstrap, BootstrapJob, BootstrapLogs, BootstrapSeed};

use crate::facts::{ContainerState, JobFact, Knowledge, LogExcerpt, ObjectKey, Truth, condition};
use crate::memory::Memory;

/// Name that every bootstrap job begins with.
pub(crate) const JOB_PREFIX: &str = "alga-core-sebastian-bootstrap";
/// Claim of the database's volume.
pub(crate) const POSTGRES_CLAIM: &str = "alga-core-sebastian-postgres-data";

/// Claim of Redis's volume.
pub(crate) const REDIS_CLAIM: &str = "alga-core-sebastian-redis-data";

/// How the newest job is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobPhase {
    Absent,
    Pending,
    Running,
    Complete,
    Failed,
}

impl JobPhase {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Failed => "failed",
        }
    }
}

/// A job that failed; it outlives the object, which goes when its time is over.
#[derive(Clone, Debug)]
pub(crate) struct PastFailure {
    name: String,
    pub(crate) line: Option<String>,
}

/// The newest bootstrap job and what is known of it.
#[derive(Debug)]
pub(crate) struct BootstrapView<'a> {
    pub(crate) job: Option<(&'a ObjectKey, &'a JobFact)>,
    pub(crate) phase: JobPhase,
    /// A run against this volume succeeded.
    pub(crate) completed: bool,
    pub(crate) users: Option<u64>,
    pub(crate) log: Option<(&'a ObjectKey, &'a LogExcerpt)>,
    /// A run succeeded, against a volume that is not there any more.
    pub(crate) of_another_volume: bool,
    /// The pod is there and its log is not read yet.
    pub(crate) log_pending: bool,
    /// The newest job, where it failed and is not there any more.
    pub(crate) past: Option<PastFailure>,
}

impl<'a> BootstrapView<'a> {
    pub(crate) fn new(known: &'a Knowledge, memory: &mut Memory) -> Self {
        let job = known
            .jobs
            .iter()
            .filter(|(key, _)| key.namespace == "msp" && key.name.starts_with(JOB_PREFIX))
            .max_by_key(|(_, job)| job.created);
        let phase = job.map_or(JobPhase::Absent, |(key, job)| phase_of(known, key, job));
        let claim = known.claims.get(&ObjectKey::new("msp", POSTGRES_CLAIM));
        // A job says nothing of a volume that is younger than itself.
        let of_this = claim.filter(|claim| {
            job.is_some_and(|(_, job)| claim.created.is_none() || job.created >= claim.created)
        });
        if let Some(claim) = of_this.filter(|_| phase == JobPhase::Complete) {
            memory.bootstrapped = Some(claim.uid.clone());
        }
        let result = claim.and_then(|claim| known.bootstrap_result.as_ref().filter(|it| it.is_for(claim)));
        let users = result.and_then(crate::BootstrapResult::users);
        let seen = claim.is_some_and(|it| memory.bootstrapped.as_ref() == Some(&it.uid));
        let pod = job.and_then(|(key, _)| pod_of(known, key));
        let log =
            pod.and_then(|pod| known.logs.get(&(pod.clone(), "bootstrap".into())).map(|log| (pod, log)));
        let mut view = Self {
            job,
            phase,
            past: None,
            of_another_volume: claim.is_some() && result.is_none() && !seen && {
                let remembered = memory.bootstrapped.is_some();
                remembered || known.bootstrap_result.is_some()
            },
            completed: users.map_or(seen, |users| users > 0),
            users,
            log_pending: pod.is_some() && log.is_none(),
            log,
        };
        view.remember(memory);
        view
    }

    /// Keeps what a job failed with until there is another.
    fn remember(&mut self, memory: &mut Memory) {
        match (self.phase, self.job) {
            (JobPhase::Absent, _) => self.past.clone_from(&memory.bootstrap_failed),
            (JobPhase::Failed, Some((key, _))) => {
                let before = memory.bootstrap_failed.take().filter(|it| it.name == key.name);
                let line = self.error_line().map(str::to_owned).or_else(|| before?.line);
                memory.bootstrap_failed = Some(PastFailure { name: key.name.clone(), line });
            }
            _ => memory.bootstrap_failed = None,
        }
    }

    /// The line that tells best why it failed.
    pub(crate) fn error_line(&self) -> Option<&'a str> {
        let (_, log) = self.log?;
        let lines = || log.lines.iter().map(String::as_str);
        lines()
            .find(|line| line.contains("ERROR:"))
            .or_else(|| lines().rfind(|line| is_error(line)))
            .or_else(|| lines().rfind(|line| !line.trim().is_empty()))
    }

    /// What it said last.
    pub(crate) fn last_line(&self) -> Option<&'a str> {
        let (_, log) = self.log?;
        log.lines.iter().map(|line| line.trim()).rfind(|line| !line.is_empty())
    }

    /// The part of the document.
    pub(crate) fn document(&self) -> Bootstrap {
        let tail = self.log.map(|(_, log)| log.lines.clone()).unwrap_or_default();
        Bootstrap {
            job: BootstrapJob {
                state: self.phase.as_str().into(),
                completed: self.completed,
                failed: self.phase == JobPhase::Failed,
                name: self.job.map(|(key, _)| key.name.clone()),
            },
            logs: BootstrapLogs {
                available: self.log.is_some_and(|(_, log)| log.error.is_none()),
                pod: self.log.map(|(pod, _)| pod.name.clone()),
                container: self.log.map(|_| "bootstrap".into()),
                detected_errors: tail.iter().filter(|line| is_error(line)).cloned().collect(),
                tail: tail[tail.len().saturating_sub(40)..].to_vec(),
            },
            seed: BootstrapSeed { users_count: self.users },
        }
    }
}

fn is_error(line: &str) -> bool {
    ["ERROR", "FATAL", "Configured seed directory does not exist", "Migration failed", "ERR_MODULE_NOT_FOUND"]
        .iter()
        .any(|signal| line.contains(signal))
}

fn phase_of(known: &Knowledge, key: &ObjectKey, job: &JobFact) -> JobPhase {
    let holds = |kind| condition(&job.conditions, kind).is_some_and(|it| it.status == Truth::True);
    if holds("Failed") || holds("FailureTarget") {
        return JobPhase::Failed;
    }
    if holds("Complete") {
        return JobPhase::Complete;
    }
    let running = pod_of(known, key).and_then(|pod| known.pods.get(pod)).is_some_and(|pod| {
        pod.containers.iter().any(|it| matches!(it.state, ContainerState::Running { .. }))
    });
    if running { JobPhase::Running } else { JobPhase::Pending }
}

/// The newest pod of a job.
fn pod_of<'a>(known: &'a Knowledge, job: &ObjectKey) -> Option<&'a ObjectKey> {
    known
        .pods
        .iter()
        .filter(|(key, pod)| {
            key.namespace == job.namespace
                && pod.owner.as_ref().is_some_and(|it| it.kind == "Job" && it.name == job.name)
        })
        .max_by_key(|(_, pod)| pod.created)
        .map(|(key, _)| key)
}
