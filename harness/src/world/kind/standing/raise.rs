//! How a cluster comes to be, with all that is beside it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use fake_network::outside_ports as ports;

use super::{Inside, PORTAL_ADDRESS, Standing};
use crate::world::kind::cluster::{Cluster, Wish};
use crate::world::kind::engine::Engine;
use crate::world::kind::helper::{Helper, Site};
use crate::world::kind::home::Home;
use crate::world::kind::machine::KindMachine;
use crate::world::kind::{NAME, leftovers, preflight, starts};
use crate::world::mirror::{Mirror, client};
use crate::world::outside::gateway::{Gateway, write_trust};
use crate::world::outside::{HOSTS, every_image};
use crate::world::starts::Starts;
use crate::world::wares::wares;
use crate::world::{BootError, BootRequest, WorldError};

/// Resolvers that people name when their own does not answer, and the port of every resolver.
const PUBLIC: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1)), IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8))];
const DNS: u16 = 53;
/// A name of the site itself, and that of the portal at which its guests sign in.
const GATEWAY: &str = "gateway.home.arpa";
const PORTAL: &str = "portal.home.arpa";

impl Standing {
    pub(super) async fn make(request: &BootRequest) -> Result<Self, BootError> {
        let failed = |source: WorldError| BootError::Failed { world: NAME, source };
        let home = Home::of(request).map_err(failed)?;
        let name = leftovers::name_of(home.path());
        let engine = Engine::on(&name);
        let image = request.cluster.image.as_deref();
        let (preflight, means) = preflight::look(&engine, image, &request.cluster.programs).await;
        if preflight.is_fine() {
            leftovers::sweep_dead(&engine).await.map_err(|error| failed(error.into()))?;
        }
        let Some(means) = means else {
            return Err(BootError::Unavailable { world: NAME, reason: format!("\n{}", preflight.table()) });
        };
        Self::raise(request, home, engine, &name, &means).await.map_err(failed)
    }

    async fn raise(
        request: &BootRequest,
        home: Home,
        engine: Engine,
        name: &str,
        means: &preflight::Means,
    ) -> Result<Self, WorldError> {
        let wish = Wish { name, image: &means.image, directory: home.path() };
        let found = home.reused(&engine, &wish).await;
        let reused = found.is_some();
        let (cluster, helper) = match found {
            Some(found) => found,
            None => Self::raise_new(&engine, &wish, means).await?,
        };
        if let Home::Shared(_) = home {
            helper.remember(home.path())?;
        }
        let images = every_image(&request.release)?;
        let wares = wares(&engine, &means.programs, &images, &helper.authority).await?;
        let client = client(&cluster.kubeconfig).await?;
        let mirror = Mirror::follow(&client);
        let starts = Starts::default();
        let noting = tokio::spawn(starts::note(mirror.seen.clone(), cluster.clone(), starts.clone()));
        let desk = cluster.gateway().await?;
        let registry = SocketAddr::new(helper.address, ports::REGISTRY);
        let gateway = Gateway::start((desk, 0).into(), &HOSTS, registry).await?;
        let trust = home.path().join("trust");
        write_trust(&trust, &helper.authority)?;
        let mut identity = cluster.identity().await?;
        identity.insert("outsideContainer".to_owned(), helper.id().to_owned());
        Ok(Self {
            machine: KindMachine::of(cluster),
            helper,
            client,
            mirror,
            starts,
            identity,
            wares: Arc::new(wares),
            gateway,
            noting,
            trust,
            site: home.path().join("site"),
            asked: Default::default(),
            home,
            // Nobody knows what is in one that was there before.
            inside: if reused { Inside::Something } else { Inside::Nothing },
        })
    }

    /// A new cluster, and a new world outside beside it.
    async fn raise_new(
        engine: &Engine,
        wish: &Wish<'_>,
        means: &preflight::Means,
    ) -> Result<(Cluster, Helper), WorldError> {
        let cluster = Cluster::create(engine, wish).await?;
        let own = [(GATEWAY, cluster.address), (PORTAL, PORTAL_ADDRESS)];
        let site = Site { hosts: &HOSTS, own: &own, portal: PORTAL };
        let helper = Helper::start(engine, wish.name, &means.programs, &site).await?;
        cluster.trust(&HOSTS, &helper.authority).await?;
        cluster.keep_ways().await?;
        cluster.resolve_by(&[helper.address]).await?;
        for public in PUBLIC {
            cluster.lead((public, DNS), (helper.address, ports::PUBLIC)).await?;
        }
        cluster.lead((PORTAL_ADDRESS, ports::REGISTRY), (helper.address, ports::PORTAL)).await?;
        cluster.without_storage().await?;
        cluster.renew_dns().await?;
        Ok((cluster, helper))
    }
}
