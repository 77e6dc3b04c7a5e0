//! Records a world's cluster while a scenario is played in it.

use std::path::Path;
use std::time::Duration;

use field_clock::Clock;
use tokio::task::JoinSet;

use super::api::{Api, ApiError};
use super::controllers::{CONTROLLERS, follow};
use super::description::Description;
use super::keeping::{KeepingError, keep};
use super::kinds;
use super::kubeconfig::Kubeconfig;
use super::logs::{Look, look_at};
use super::notes::Notes;
use super::stream::Stream;
use super::watcher::{Collection, Scope, watch};
use crate::world::{Concealed, World};

/// Where an appliance has its objects.
pub(super) const NAMESPACES: [&str; 5] =
    ["msp", "alga-system", "flux-system", "appliance-system", "local-path-storage"];

/// What is watched; of Secrets only the names and labels of Helm's releases are kept.
const WATCHED: [(&str, Scope); 16] = [
    ("pods", Scope::Namespaces),
    ("events", Scope::Namespaces),
    ("persistentvolumeclaims", Scope::Namespaces),
    ("jobs", Scope::Namespaces),
    ("deployments", Scope::Namespaces),
    ("statefulsets", Scope::Namespaces),
    ("endpointslices", Scope::Namespaces),
    ("secrets", Scope::Namespaces),
    ("nodes", Scope::Path),
    ("clusterevents", Scope::Path),
    ("ocirepositories", Scope::Namespaces),
    ("gitrepositories", Scope::Namespaces),
    ("helmrepositories", Scope::Namespaces),
    ("helmcharts", Scope::Namespaces),
    ("kustomizations", Scope::Namespaces),
    ("helmreleases", Scope::Namespaces),
];

/// How long the watches are open before anything happens.
const BEFORE: Duration = Duration::from_millis(800);
/// The most that a look at all logs takes: an API that hangs answers nobody.
const LOOK: Duration = Duration::from_secs(10);

/// A recorder at work.
pub(crate) struct Tape {
    api: Api,
    notes: Notes,
    clock: Clock,
    watches: JoinSet<()>,
    administrator: String,
}

/// What a recorder brought home.
pub(super) struct Taken {
    pub(super) stream: Stream,
    /// What nothing may hold that is kept of it.
    pub(super) secrets: Concealed,
}

impl Tape {
    /// Begins; the watches are open when this comes back.
    pub(crate) async fn start(world: &dyn World) -> Result<Self, ApiError> {
        let kubeconfig = Kubeconfig::read(&world.access().kubeconfig)?;
        let api = Api::of(&kubeconfig)?;
        let clock = world.clock();
        let began = clock.now() + BEFORE;
        let notes = Notes::new(clock.clone(), began, NAMESPACES.map(str::to_owned).to_vec());
        let mut watches = JoinSet::new();
        for (kind, scope) in WATCHED {
            if let Some(path) = kinds::watched(kind, None) {
                let collection = Collection { kind: kind.to_owned(), path, scope };
                watches.spawn(watch(api.clone(), notes.clone(), collection));
            }
        }
        for controller in CONTROLLERS {
            watches.spawn(follow(api.clone(), notes.clone(), controller));
        }
        clock.sleep_until(began).await;
        Ok(Self { api, notes, clock, watches, administrator: kubeconfig.secret() })
    }

    /// Looks at the logs of all containers, as they stand now.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a recording takes minutes")]
    pub(crate) async fn look(&self) {
        let look = Look { second: self.notes.now().max(0.0) as u32, takes: Duration::ZERO };
        let looking = async {
            // The logs of Flux' controllers are followed line by line.
            for namespace in NAMESPACES.into_iter().filter(|it| *it != "flux-system") {
                look_at(&self.api, &self.notes, namespace, look).await;
            }
        };
        // What an API in trouble did not answer was not seen.
        let _ = self.clock.timeout(LOOK, looking).await;
    }

    /// Ends, and keeps what was recorded with what `describe` says of it; it is told for how many seconds that was.
    pub(crate) async fn keep<'d>(
        mut self,
        world: &dyn World,
        place: &Path,
        describe: impl FnOnce(f64) -> Description<'d>,
    ) -> Result<(), KeepingError> {
        let description = describe(self.notes.now());
        self.watches.shutdown().await;
        let seen = self.notes.secrets().into_iter().chain([self.administrator]);
        let secrets = Concealed::new(seen).and(world.secrets().await);
        let told = description.json(|at| self.notes.seconds(at));
        let taken = Taken { stream: self.notes.with(std::mem::take), secrets };
        keep(&taken, &told, &description.scenario.path, place)
    }
}
