//! What no watch tells: logs, whether the credentials exist, what the login page says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use appliance_assess::{
    APPLICATION, ContainerFact, ContainerState, Knowledge, LogExcerpt, ObjectKey, PLATFORM, PodFact,
    Presence, Termination,
};
use appliance_status_model::{Component, WorkloadKind};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::LogParams;
use kube::{Api, Client};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::follow::{Change, Contact, words};
use crate::login;

const CREDENTIALS: [&str; 2] = ["db-credentials", "redis-credentials"];
const LOG_LINES: i64 = 100;
const LOG_BYTES: i64 = 64 * 1024;

/// Added to the number of a reading after bootstrap; more than there are readings before it.
const AFTER: i64 = 1 << 32;

/// One run of a container.
type Run = (ObjectKey, String, String, i32);

/// Asks what no watch tells, each thing at most once at a time.
pub(crate) struct Inquiries {
    client: Client,
    changes: mpsc::UnboundedSender<Change>,
    tasks: JoinSet<()>,
    logs_read: BTreeSet<Run>,
    /// Restarts and number of the last reading of what runs.
    heard: BTreeMap<(ObjectKey, String), (i32, i64)>,
    log_permits: Arc<Semaphore>,
    credentials: Busy,
    login: Busy,
}

/// Whether a question is on its way.
#[derive(Clone, Default)]
struct Busy(Arc<std::sync::atomic::AtomicBool>);

impl Busy {
    fn begin(&self) -> bool {
        !self.0.swap(true, std::sync::atomic::Ordering::Relaxed)
    }

    fn end(&self) {
        self.0.store(false, std::sync::atomic::Ordering::Relaxed);
    }
}

impl Inquiries {
    pub(crate) fn new(client: Client, changes: mpsc::UnboundedSender<Change>) -> Self {
        Self {
            client,
            changes,
            tasks: JoinSet::new(),
            logs_read: BTreeSet::new(),
            heard: BTreeMap::new(),
            log_permits: Arc::new(Semaphore::new(4)),
            credentials: Busy::default(),
            login: Busy::default(),
        }
    }

    /// Asks whatever the changed reads give reason to ask.
    pub(crate) fn follow_up(
        &mut self,
        known: &mut Knowledge,
        changed: &BTreeSet<&'static str>,
        pulse: bool,
        now: Option<Timestamp>,
    ) {
        while self.tasks.try_join_next().is_some() {}
        let any = |reads: &[&str]| pulse || reads.iter().any(|it| changed.contains(it));
        let unsure = CREDENTIALS.iter().any(|it| known.secrets.get(*it) != Some(&Presence::Present));
        if pulse || (unsure && any(&["statefulsets", "persistentvolumeclaims", "helmreleases"])) {
            self.ask_credentials();
        }
        if any(&["deployments", "pods"]) {
            self.ask_login(known);
        }
        if changed.contains("pods") {
            self.read_logs(known);
        }
        if let Some(now) = now.filter(|_| pulse) {
            self.listen(known, now);
        }
    }

    fn ask_credentials(&mut self) {
        if !self.credentials.begin() {
            return;
        }
        let api: Api<Secret> = Api::namespaced(self.client.clone(), APPLICATION);
        let (changes, busy) = (self.changes.clone(), self.credentials.clone());
        self.tasks.spawn(async move {
            let ask = async |name: &'static str| {
                let presence = match api.get_metadata_opt(name).await {
                    Ok(Some(_)) => Presence::Present,
                    Ok(None) => Presence::Absent,
                    Err(error) => Presence::Unknown(words(&error)),
                };
                (name, presence)
            };
            let found = futures::future::join_all(CREDENTIALS.map(ask)).await;
            busy.end();
            let apply = Box::new(move |known: &mut Knowledge| {
                for (name, presence) in found {
                    note_presence(known, name, presence);
                }
            });
            let change = Change { read: "secrets", apply, newest: None, contact: Contact::NotAsked };
            let _ = changes.send(change);
        });
    }

    fn ask_login(&mut self, known: &mut Knowledge) {
        let app = (WorkloadKind::Deployment, ObjectKey::new(APPLICATION, Component::AlgaCore.object_name()));
        let ready = known.workloads.get(&app).is_some_and(appliance_assess::WorkloadFact::is_ready);
        let Some(host) = known.site.host_ip.clone().filter(|_| ready) else {
            known.login_probe = None;
            return;
        };
        if !self.login.begin() {
            return;
        }
        let (changes, busy) = (self.changes.clone(), self.login.clone());
        self.tasks.spawn(async move {
            let address = if host.contains(':') { format!("[{host}]:3000") } else { format!("{host}:3000") };
            let fact = login::ask(&address).await;
            busy.end();
            let apply = Box::new(move |known: &mut Knowledge| known.login_probe = Some(fact));
            let change = Change { read: "login", apply, newest: None, contact: Contact::NotAsked };
            let _ = changes.send(change);
        });
    }

    /// Reads what containers say that run and are not ready, and workers that may sleep: at the first beats, then ever
    /// more seldom.
    fn listen(&mut self, known: &Knowledge, now: Timestamp) {
        let ours = known
            .pods
            .iter()
            .filter(|(key, pod)| key.namespace == APPLICATION && !pod.is_terminal() && !pod.deleting);
        for (key, container) in ours.flat_map(|(key, pod)| pod.containers.iter().map(move |it| (key, it))) {
            let Some(age) = age(container, now).filter(|_| is_worth_hearing(key, container)) else {
                continue;
            };
            let place = (key.clone(), container.name.clone());
            // What somebody said who waited for bootstrap is out of date when it has finished.
            let since = if container.init && known.bootstrap_result.is_some() { AFTER } else { 0 };
            let reading = (container.restarts, since + turn(age, container.ready));
            if self.heard.insert(place, reading) != Some(reading) {
                read_log(
                    &self.client,
                    &self.changes,
                    &self.log_permits,
                    &mut self.tasks,
                    key,
                    Source { container: container.name.clone(), previous: false, run: container.restarts },
                );
            }
        }
    }

    /// Reads the log of every run that ended badly, once.
    fn read_logs(&mut self, known: &mut Knowledge) {
        let pods: BTreeMap<&ObjectKey, &PodFact> =
            known.pods.iter().filter(|(key, _)| is_ours(&key.namespace)).collect();
        known.logs.retain(|(pod, _), _| pods.contains_key(pod));
        self.logs_read.retain(|(pod, ..)| pods.contains_key(pod));
        self.heard.retain(|(pod, _), _| pods.contains_key(pod));
        for (key, pod) in pods {
            for container in &pod.containers {
                let Some(end) = container.last_end().filter(|end| is_telling(container, end)) else {
                    continue;
                };
                let finished = end.finished_at.map(|it| it.to_string()).unwrap_or_default();
                let run = (key.clone(), container.name.clone(), finished, container.restarts);
                if self.logs_read.insert(run) {
                    let previous = matches!(container.state, ContainerState::Running { .. });
                    read_log(
                        &self.client,
                        &self.changes,
                        &self.log_permits,
                        &mut self.tasks,
                        key,
                        Source {
                            container: container.name.clone(),
                            previous,
                            run: container.restarts - i32::from(previous),
                        },
                    );
                }
            }
        }
    }
}

fn is_ours(namespace: &str) -> bool {
    namespace == APPLICATION || PLATFORM.contains(&namespace)
}

/// Seconds for which a container has run, once what it says is worth reading; after a bad end, what it said then is
/// worth more for a while.
fn age(container: &ContainerFact, now: Timestamp) -> Option<i64> {
    let ContainerState::Running { since: Some(since) } = container.state else { return None };
    let first = if container.last.as_ref().is_some_and(|end| end.exit_code != 0) { 60 } else { 10 };
    Some(now.duration_since(since).as_secs()).filter(|age| *age >= first)
}

/// Number of the reading that is due at that age: of what does not get ready at 10, 20, 40 s and so on, then every five
/// minutes; of a worker that is ready every half minute.
fn turn(age: i64, ready: bool) -> i64 {
    const SELDOM: i64 = 320;
    const HALF_A_MINUTE: i64 = 30;
    match age {
        _ if ready => age / HALF_A_MINUTE,
        SELDOM.. => 5 + age / SELDOM,
        _ => i64::from((age / 10).max(1).ilog2()),
    }
}

/// Init containers wait for others, and only one of them may be kept from what is there; the database is asked by others; a ready program has nothing to complain of, but a
/// worker may be ready and asleep, and a job that hangs is ready to the end of its days.
fn is_worth_hearing(pod: &ObjectKey, container: &ContainerFact) -> bool {
    const WORKERS: [Component; 3] =
        [Component::WorkflowWorker, Component::TemporalWorker, Component::EmailService];
    let is_worker = || WORKERS.iter().any(|it| pod.name.starts_with(it.object_name()));
    match container.name.as_str() {
        "bootstrap" | "wait-for-bootstrap" => true,
        _ => !container.init && (!container.ready || is_worker()),
    }
}

fn is_telling(container: &ContainerFact, end: &Termination) -> bool {
    end.exit_code != 0 || container.name == "bootstrap"
}

struct Source {
    container: String,
    previous: bool,
    /// Restarts before the run that is read.
    run: i32,
}

fn read_log(
    client: &Client,
    changes: &mpsc::UnboundedSender<Change>,
    permits: &Arc<Semaphore>,
    tasks: &mut JoinSet<()>,
    pod: &ObjectKey,
    source: Source,
) {
    let api: Api<Pod> = Api::namespaced(client.clone(), &pod.namespace);
    let (changes, permits, pod) = (changes.clone(), permits.clone(), pod.clone());
    let run = source.run;
    let params = LogParams {
        container: Some(source.container.clone()),
        previous: source.previous,
        tail_lines: Some(LOG_LINES),
        limit_bytes: Some(LOG_BYTES),
        ..LogParams::default()
    };
    tasks.spawn(async move {
        let Ok(_permit) = permits.acquire().await else { return };
        let mut answer = api.logs(&pod.name, &params).await;
        if !params.previous && answer.as_ref().is_ok_and(String::is_empty) {
            // It was started anew meanwhile, and says nothing yet.
            let before = LogParams { previous: true, ..params };
            answer = api.logs(&pod.name, &before).await.or(answer);
        }
        let excerpt = match answer {
            Ok(text) => LogExcerpt { run, lines: text.lines().map(str::to_owned).collect(), error: None },
            Err(error) => LogExcerpt { run, lines: Vec::new(), error: Some(words(&error)) },
        };
        let apply = Box::new(move |known: &mut Knowledge| {
            note_log(known, (pod, source.container), excerpt);
        });
        let _ = changes.send(Change { read: "logs", apply, newest: None, contact: Contact::NotAsked });
    });
}

/// What a run said replaces what another said; who asked while the next run began has heard nothing of it.
fn note_log(known: &mut Knowledge, of: (ObjectKey, String), excerpt: LogExcerpt) {
    let told = known.logs.get(&of).is_some_and(|it| it.run == excerpt.run && !it.lines.is_empty());
    if !(told && excerpt.lines.is_empty()) {
        known.logs.insert(of, excerpt);
    }
}

/// An answer replaces what was known; a failure does not unsay it.
fn note_presence(known: &mut Knowledge, name: &str, presence: Presence) {
    let failed = matches!(presence, Presence::Unknown(_));
    if let Presence::Unknown(why) = &presence {
        let state = appliance_assess::ReadState::Failed(why.clone());
        known.reads.insert(format!("secret {name}"), state);
    } else {
        known.reads.remove(&format!("secret {name}"));
    }
    if !failed || !known.secrets.contains_key(name) {
        known.secrets.insert(name.to_owned(), presence);
    }
}
