//! The world outside the appliance, as it is simulated: the site's resolver, and the registries of the internet.

use std::any::Any;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use cluster_node::Wire;
use fake_network::{Authority, DnsConfig, DnsServer, Registry, RegistryConfig, Zone};
use field_clock::Clock;

use crate::world::WorldError;
use crate::world::addresses::{DNS_ACTUAL, DNS_KNOWN, Network, PROXY_PORT, REGISTRY_ACTUAL, REGISTRY_KNOWN};
use crate::world::outside::gateway::{Gateway, LOOPBACK};
use crate::world::outside::{HOSTS, Images, Outside, Portal, Resolver, Wares, Ways};

/// Resolvers that people name when their own does not answer.
const PUBLIC_RESOLVERS: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1)), IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8))];
/// Names of the site itself, which its resolver knows without asking anybody.
const GATEWAY: &str = "gateway.home.arpa";
const PORTAL: &str = "portal.home.arpa";

/// The servers outside, and the way to them.
pub(super) struct Servers {
    pub(super) dns: DnsServer,
    /// The resolvers that everybody can use.
    public: DnsServer,
    pub(super) registry: Registry,
    gateway: Gateway,
    /// What clients of the registry have to trust.
    pub(super) trust: String,
}

impl Servers {
    /// Starts them.
    pub(super) async fn start(clock: &Clock, network: &Network, wire: &Wire) -> Result<Self, WorldError> {
        let authority = Authority::new("appliance-smoke registries")?;
        let registry = Registry::start(RegistryConfig {
            clock: clock.clone(),
            listen: (network.registry(), REGISTRY_ACTUAL).into(),
            tls: Some(authority.server(&HOSTS)?),
        })
        .await?;
        let zone = || HOSTS.iter().fold(Zone::new(), |zone, host| zone.with(host, [network.registry()]));
        let listen = (network.resolver(), DNS_ACTUAL).into();
        let site = zone().with_own(GATEWAY, [network.resolver()]).with_own(PORTAL, [network.portal()]);
        let dns = DnsServer::start(DnsConfig { clock: clock.clone(), listen, zone: site }).await?;
        let listen = (network.public_resolver(), DNS_ACTUAL).into();
        let public = DnsServer::start(DnsConfig { clock: clock.clone(), listen, zone: zone() }).await?;
        for known in PUBLIC_RESOLVERS {
            wire.map((known, DNS_KNOWN).into(), public.address());
        }
        wire.map((network.registry(), REGISTRY_KNOWN).into(), registry.address());
        wire.map((network.resolver(), DNS_KNOWN).into(), dns.address());
        let desk = (network.desk(), PROXY_PORT).into();
        let gateway = Gateway::start(desk, &HOSTS, registry.address()).await?;
        Ok(Self { dns, public, registry, gateway, trust: authority.pem() })
    }

    /// What they are to causes, with the release published.
    pub(super) async fn outside(&self, portal: SimPortal, release: &str) -> Result<Outside, WorldError> {
        let ways = Ways {
            resolver: Resolver::Here(self.dns.control()),
            registry: Images::Here(self.registry.control()),
            desk: self.gateway.address(),
            wares: Arc::new(Wares::default()),
            portal: Some(Box::new(portal)),
        };
        let outside = Outside::new(release, ways)?;
        outside.publish().await?;
        Ok(outside)
    }

    /// What a machine on this site is told of its network: variables that HTTP clients know.
    pub(super) fn environment(&self, trust: &Path) -> [(&'static str, OsString); 4] {
        self.gateway.environment(trust, LOOPBACK)
    }

    /// Ends them.
    pub(super) async fn stop(self) {
        self.gateway.stop();
        self.dns.stop().await;
        self.public.stop().await;
        self.registry.stop().await;
    }
}

/// The portal of this site: a web server with a certificate of its own making.
pub(super) struct SimPortal {
    clock: Clock,
    wire: Wire,
    /// Where it would be.
    address: IpAddr,
}

impl SimPortal {
    pub(super) fn new(clock: &Clock, network: &Network, wire: &Wire) -> Self {
        Self { clock: clock.clone(), wire: wire.clone(), address: network.portal() }
    }
}

#[async_trait(?Send)]
impl Portal for SimPortal {
    async fn open(&self) -> Result<(IpAddr, Box<dyn Any>), WorldError> {
        let portal = Registry::start(RegistryConfig {
            clock: self.clock.clone(),
            listen: (self.address, REGISTRY_ACTUAL).into(),
            tls: Some(Authority::new("guest portal")?.server(&[PORTAL])?),
        })
        .await?;
        self.wire.map((self.address, REGISTRY_KNOWN).into(), portal.address());
        Ok((self.address, Box::new(portal)))
    }
}
