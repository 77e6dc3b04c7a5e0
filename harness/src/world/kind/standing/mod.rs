//! A cluster with all that is beside it, from one scenario to the next.

mod raise;
mod rest;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cluster_api::kinds;
use field_clock::Clock;
use tokio::task::JoinHandle;

use super::engine::Engine;
use super::helper::Helper;
use super::home::Home;
use super::is_empty;
use super::leftovers;
use super::machine::KindMachine;
use super::{NAME, STATUS_PORT};
use crate::timeline::{self, Timeline};
use crate::world::mirror::Mirror;
use crate::world::outside::gateway::{Gateway, LOOPBACK};
use crate::world::outside::{Images, Outside, Resolver, Wares, Ways};
use crate::world::starts::Starts;
use crate::world::{Beginning, BootError, BootRequest, WorldError, evidence};

/// Where the portal is.
const PORTAL_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 0, 6));
/// Longer than this no cluster takes to become empty.
const EMPTYING: Duration = Duration::from_secs(180);
/// Longer than this the status service does not take to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// A cluster, ready for an appliance.
pub(super) struct Standing {
    pub(super) machine: KindMachine,
    pub(super) helper: Helper,
    pub(super) client: kube::Client,
    pub(super) mirror: Mirror,
    pub(super) starts: Starts,
    /// What the cluster says of itself.
    identity: BTreeMap<String, String>,
    wares: Arc<Wares>,
    gateway: Gateway,
    noting: JoinHandle<()>,
    trust: PathBuf,
    site: PathBuf,
    /// The release and the profile that the present scenario is about.
    asked: (String, String),
    home: Home,
    /// What may be in it.
    inside: Inside,
}

/// What may be in a cluster.
enum Inside {
    /// Nothing.
    Nothing,
    /// Something that nobody knows.
    Something,
    /// A healthy install of this release and profile.
    Install { release: String, profile: String, timeline: Arc<Timeline> },
}

/// The clusters that are between two scenarios.
#[derive(Default)]
pub(super) struct Stock(Mutex<Vec<Standing>>);

impl Stock {
    /// A cluster that is there, emptied; a new one where there is none.
    pub(super) async fn take(&self, request: &BootRequest) -> Result<Standing, BootError> {
        let failed = |source: WorldError| BootError::Failed { world: NAME, source };
        let mut standing = match self.choose(request) {
            Some(standing) => standing,
            None => Standing::make(request).await?,
        };
        match standing.prepare(request).await {
            Ok(()) => Ok(standing),
            Err(source) => {
                // What cannot be prepared now is not offered to the next scenario.
                if let Err(error) = standing.down().await {
                    tracing::warn!(%error, "a cluster that could not be prepared is left behind");
                }
                Err(failed(source))
            }
        }
    }

    /// One in which stands what the scenario begins with, or else one whose install nobody needs.
    fn choose(&self, request: &BootRequest) -> Option<Standing> {
        let mut held = self.held();
        let fits = held.iter().position(|standing| match request.beginning {
            Beginning::Installed => standing.has_install(request),
            Beginning::Empty | Beginning::Machine => !matches!(standing.inside, Inside::Install { .. }),
        });
        match fits {
            Some(at) => Some(held.swap_remove(at)),
            None => held.pop(),
        }
    }

    /// Keeps a cluster for the next scenario.
    pub(super) fn put_back(&self, standing: Standing) {
        self.held().push(standing);
    }

    /// Takes down what is there, all of it; the first that could not be is the error.
    pub(super) async fn clear(&self) -> Result<(), WorldError> {
        let held = std::mem::take(&mut *self.held());
        let mut ended = Ok(());
        for standing in held {
            ended = ended.and(standing.down().await);
        }
        // A cluster that failed to become a world is nobody's.
        let swept = leftovers::sweep_own(&Engine::on("kind")).await;
        ended.and(swept.map(drop).map_err(Into::into))
    }

    fn held(&self) -> MutexGuard<'_, Vec<Standing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standing {
    /// The world outside with the release published.
    pub(super) async fn outside(&self, release: &str) -> Result<Outside, WorldError> {
        self.helper.remote.begin_anew().await?;
        let ways = Ways {
            resolver: Resolver::There(self.helper.remote.clone()),
            registry: Images::There(self.helper.remote.clone()),
            desk: self.gateway.address(),
            wares: Arc::clone(&self.wares),
            portal: Some(Box::new(StandingPortal)),
        };
        let outside = Outside::new(release, ways)?;
        outside.publish().await?;
        Ok(outside)
    }

    /// What a machine on this site is told of its network: variables that HTTP clients know.
    pub(super) fn environment(&self) -> [(&'static str, OsString); 4] {
        let direct = format!("{LOOPBACK},{}", self.machine.cluster.address);
        self.gateway.environment(&self.trust, &direct)
    }

    /// Makes the cluster what a scenario begins with.
    async fn prepare(&mut self, request: &BootRequest) -> Result<(), WorldError> {
        self.asked = (request.release.clone(), request.profile.clone());
        self.machine.settle().await?;
        let empty = matches!(self.inside, Inside::Nothing);
        let installed = request.beginning == Beginning::Installed && self.has_install(request);
        if !(empty || installed && self.comes_to_rest().await) {
            self.empty(request).await?;
            self.inside = Inside::Nothing;
        }
        self.machine.cluster.forget_builds(&request.release).await?;
        std::fs::create_dir_all(self.site())?;
        Ok(())
    }

    /// What the cluster says of itself, and of the images that its pods run.
    pub(super) fn identity(&self) -> BTreeMap<String, String> {
        let mut known = self.identity.clone();
        for pod in self.mirror.seen.list(&kinds::PODS, None) {
            let statuses = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
            for status in statuses {
                let (image, id) = (status["image"].as_str(), status["imageID"].as_str());
                if let (Some(image), Some((_, digest))) = (image, id.and_then(|id| id.split_once('@'))) {
                    known.insert(format!("image {image}"), digest.to_owned());
                }
            }
        }
        known
    }

    /// The operator's home, for as long as an install stands.
    pub(super) fn site(&self) -> &Path {
        &self.site
    }

    /// The install that stands.
    pub(super) fn installed(&self) -> Option<Arc<Timeline>> {
        match &self.inside {
            Inside::Install { timeline, .. } => Some(Arc::clone(timeline)),
            Inside::Nothing | Inside::Something => None,
        }
    }

    /// A scenario leaves the cluster, with an install that stands or with nobody knows what.
    pub(super) fn leave(&mut self, install: Option<Arc<Timeline>>) {
        let (release, profile) = self.asked.clone();
        self.inside = match install {
            Some(timeline) => Inside::Install { release, profile, timeline },
            None => Inside::Something,
        };
    }

    /// Whether what stands in it is the install of this release and profile.
    fn has_install(&self, request: &BootRequest) -> bool {
        matches!(&self.inside, Inside::Install { release, profile, .. }
            if *release == request.release && *profile == request.profile)
    }

    /// Whether the status service says now that all is healthy.
    async fn is_healthy(&self) -> bool {
        let token = evidence::status_token(&self.mirror.seen).unwrap_or_default();
        let url = format!("http://{}/api/status", SocketAddr::new(self.machine.cluster.address, STATUS_PORT));
        let asked = reqwest::Client::new().get(url).bearer_auth(token).timeout(ANSWER).send().await;
        let Ok(answer) = asked else { return false };
        answer.json().await.is_ok_and(|document| timeline::is_healthy(&document))
    }

    /// Takes everything of an appliance out of the cluster, and makes sure that nothing is left.
    async fn empty(&mut self, request: &BootRequest) -> Result<(), WorldError> {
        let cluster = &self.machine.cluster;
        self.helper.remote.begin_anew().await?;
        cluster.resolve_by(&[self.helper.address]).await?;
        cluster.mend().await?;
        cluster.reset(request).await?;
        cluster.clear(&request.release).await?;
        let seen = &self.mirror.seen;
        let mut changes = seen.changes();
        let emptied = async {
            while !is_empty(seen) {
                if changes.changed().await.is_err() {
                    break;
                }
            }
        };
        let waited = Clock::wall().timeout(EMPTYING, emptied).await;
        waited.map_err(|_| format!("the cluster did not become empty within {} s", EMPTYING.as_secs()))?;
        self.starts.forget();
        match std::fs::remove_dir_all(self.site()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        Ok(())
    }

    /// Writes what containers said on the node into a directory.
    pub(super) async fn logs(&self, directory: &Path) -> Result<(), WorldError> {
        let script = "cd /var/log/pods && for f in $(find . -name '*.log' | grep -E 'msp_|flux-system_|appliance-system_|local-path'); \
                      do echo \"== $f\"; tail -n 200 \"$f\"; done";
        let said = self.machine.cluster.shell(script, b"").await?;
        std::fs::write(directory.join("pod-logs.txt"), said)?;
        let kubelet = self.machine.cluster.shell("journalctl -u kubelet --no-pager -n 300", b"").await?;
        std::fs::write(directory.join("kubelet.txt"), kubelet)?;
        Ok(())
    }

    async fn down(self) -> Result<(), WorldError> {
        let Self { machine, helper, gateway, noting, mirror, home, .. } = self;
        noting.abort();
        gateway.stop();
        drop(mirror);
        if let Home::Shared(_) = home {
            helper.leave();
            home.leave();
            return Ok(());
        }
        let deleted = machine.cluster.delete().await;
        helper.stop().await?;
        deleted?;
        machine.cluster.delete_network().await?;
        drop(home);
        Ok(())
    }
}

/// The portal is open all the time; nobody is led there until a resolver says so.
struct StandingPortal;

#[async_trait::async_trait(?Send)]
impl crate::world::outside::Portal for StandingPortal {
    async fn open(&self) -> Result<(IpAddr, Box<dyn std::any::Any>), WorldError> {
        Ok((PORTAL_ADDRESS, Box::new(())))
    }
}
