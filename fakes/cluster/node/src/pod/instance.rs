//! What is known of a container: the run that is, the one before, and why the next has not begun.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use field_clock::{Clock, Hold};
use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use crate::logs::LogSink;
use crate::probes::{ProbeChange, ProbeKind};
use crate::pull::Image;
use crate::runtime::{Container, Exit, ExitCause};

/// How a run ended.
#[derive(Clone, Debug)]
pub(super) struct Terminated {
    pub(super) id: String,
    pub(super) code: i32,
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) started: Timestamp,
    pub(super) finished: Timestamp,
}

/// Whether a run goes on.
#[derive(Clone, Debug)]
pub(super) enum Life {
    Running { since: Timestamp },
    Ended(Terminated),
}

/// One run of a container.
pub(super) struct Instance {
    /// Tells runs of one container apart.
    pub(super) number: u64,
    pub(super) id: String,
    pub(super) image: Arc<Image>,
    pub(super) life: Life,
    pub(super) log: LogSink,
    pub(super) stop: mpsc::UnboundedSender<Duration>,
    /// Ends with the run.
    pub(super) ended: CancellationToken,
    pub(super) termination_file: PathBuf,
}

/// Everything about one container of a pod.
#[derive(Default)]
pub(super) struct Record {
    pub(super) current: Option<Instance>,
    pub(super) last: Option<Terminated>,
    pub(super) restarts: u32,
    /// Why the next run has not begun: reason and message.
    pub(super) waiting: Option<(String, String)>,
    pub(super) backoff: Backoff,
    pub(super) pulls: Backoff,
    pub(super) pull_error: String,
    pub(super) started: bool,
    pub(super) ready: bool,
    /// The probe that wants it restarted.
    pub(super) unhealthy: Option<ProbeKind>,
    /// This very sync has ended it for its probe; the sync still reckons with the run before.
    pub(super) just_killed: bool,
}

/// What a worker hears of its containers.
pub(super) enum Event {
    Ended { container: String, number: u64, exit: Exit, at: Timestamp },
    Probe { container: String, number: u64, change: ProbeChange },
}

impl Record {
    pub(super) fn is_running(&self) -> bool {
        matches!(self.current, Some(Instance { life: Life::Running { .. }, .. }))
    }

    pub(super) fn ended(&self) -> Option<&Terminated> {
        match &self.current {
            Some(Instance { life: Life::Ended(ended), .. }) => Some(ended),
            _ => None,
        }
    }

    /// When the run ended from which the wait for the next one counts.
    pub(super) fn waits_from(&mut self) -> Option<Timestamp> {
        let reckoned = if std::mem::take(&mut self.just_killed) { self.last.as_ref() } else { self.ended() };
        reckoned.map(|ended| ended.finished)
    }

    /// Whether it is up as far as probes can tell.
    pub(super) fn is_ready(&self) -> bool {
        self.is_running() && self.started && self.ready
    }
}

impl Instance {
    /// Notes the end of the run.
    pub(super) fn end(&mut self, exit: Exit, at: Timestamp, falls_back: bool) {
        let Life::Running { since } = self.life else { return };
        let reason = match (exit.cause, exit.code) {
            (ExitCause::OutOfMemory, _) => "OOMKilled",
            (ExitCause::Program, 0) => "Completed",
            (ExitCause::Program, _) => "Error",
        };
        let mut message = std::fs::read_to_string(&self.termination_file).unwrap_or_default();
        message.truncate(message.floor_char_boundary(4096));
        if message.is_empty() && falls_back && exit.code != 0 {
            message = self.log.tail(80, 2048);
        }
        let ended = Terminated {
            id: self.id.clone(),
            code: exit.code,
            reason,
            message,
            started: since,
            finished: at,
        };
        self.life = Life::Ended(ended);
    }
}

/// No container is killed sooner after it was asked to end.
const SHORTEST_GRACE: Duration = Duration::from_secs(2);

/// Waits for a container's end, and ends it when asked to.
pub(super) async fn supervise(
    mut container: Box<dyn Container>,
    mut stop: mpsc::UnboundedReceiver<Duration>,
) -> Exit {
    tokio::select! {
        exit = container.wait() => exit,
        Some(grace) = stop.recv() => {
            container.stop(grace.max(SHORTEST_GRACE)).await;
            container.wait().await
        }
    }
}

const LOOKS: usize = 40;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Keeps field time from jumping until a process outside listens, ends, or has had its two seconds.
pub(super) async fn hold_until_it_listens(
    clock: Clock,
    hold: Hold,
    address: SocketAddr,
    ended: CancellationToken,
) {
    for _ in 0..LOOKS {
        if TcpStream::connect(address).await.is_ok()
            || clock.timeout(BETWEEN_LOOKS, ended.cancelled()).await.is_ok()
        {
            break;
        }
    }
    drop(hold);
}
