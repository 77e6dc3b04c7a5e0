//! The world outside of a machine: the same fakes as everywhere, where its network leads.
//!
//! ```text
//!   guest ── 10.0.2.3:53, 1.1.1.1:53, 8.8.8.8:53 ──▶ resolvers      each name of a registry, and of the time server, is 10.0.2.2
//!         ── 10.0.2.2:443 ──▶ registry     10.0.2.2:123 ──▶ time server
//! ```

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::Path;
use std::sync::Arc;

use fake_network::{Authority, DnsConfig, DnsServer, Registry, RegistryConfig, TimeServer, Zone};
use field_clock::Clock;
use smoke_vm::{GATEWAY, Service, UserNetwork};

use crate::world::WorldError;
use crate::world::addresses::{DNS_KNOWN, Network, PROXY_PORT, REGISTRY_KNOWN};
use crate::world::outside::gateway::{Gateway, LOOPBACK};
use crate::world::outside::{HOSTS, Images, Outside, Resolver, Wares, Ways};

/// Resolvers that people name when their own does not answer.
const PUBLIC_RESOLVERS: [Ipv4Addr; 2] = [Ipv4Addr::new(1, 1, 1, 1), Ipv4Addr::new(8, 8, 8, 8)];
/// A name of the site itself.
const SITE: &str = "gateway.home.arpa";
/// Whom a machine of Talos asks for the time when nobody says otherwise, and the port of every time server.
const TIME: &str = "time.cloudflare.com";
const TIME_PORT: u16 = 123;

/// The servers outside of a machine.
pub(super) struct Servers {
    dns: DnsServer,
    /// The resolvers that everybody can use.
    public: DnsServer,
    registry: Registry,
    pub(super) time: TimeServer,
    gateway: Gateway,
    /// What clients of the registry have to trust.
    pub(super) trust: String,
}

impl Servers {
    /// Starts them. A guest's network leads to 127.0.0.1 alone, so their ports are whatever is free there.
    pub(super) async fn start(
        clock: &Clock,
        network: &Network,
        authority: &Authority,
    ) -> Result<Self, WorldError> {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let tls = Some(authority.server(&HOSTS)?);
        let registry = Registry::start(RegistryConfig { clock: clock.clone(), listen: free, tls }).await?;
        let outside = IpAddr::V4(GATEWAY);
        let names = HOSTS.iter().chain([&TIME]);
        let zone = names.fold(Zone::new(), |zone, host| zone.with(host, [outside]));
        let site = zone.clone().with_own(SITE, [outside]);
        let dns = DnsServer::start(DnsConfig { clock: clock.clone(), listen: free, zone: site }).await?;
        let public = DnsServer::start(DnsConfig { clock: clock.clone(), listen: free, zone }).await?;
        let time = TimeServer::start(clock.clone(), free).await?;
        let desk = (network.desk(), PROXY_PORT).into();
        let gateway = Gateway::start(desk, &HOSTS, registry.address()).await?;
        Ok(Self { dns, public, registry, time, gateway, trust: authority.pem() })
    }

    /// A guest's network on which they are where they are known to be.
    pub(super) fn network(&self, network: UserNetwork) -> UserNetwork {
        let at = |port| SocketAddrV4::new(GATEWAY, port);
        let network =
            PUBLIC_RESOLVERS.into_iter().fold(network.resolver(self.dns.address()), |network, known| {
                network.resolver_at(known, self.public.address())
            });
        network
            .service(Service::Udp { at: at(DNS_KNOWN), to: self.dns.address() })
            .service(Service::Tcp { at: at(DNS_KNOWN), port: self.dns.address().port() })
            .service(Service::Tcp { at: at(REGISTRY_KNOWN), port: self.registry.address().port() })
            .service(Service::Udp { at: at(TIME_PORT), to: self.time.address() })
    }

    /// What they are to causes, with the release published.
    pub(super) async fn outside(&self, wares: Arc<Wares>, release: &str) -> Result<Outside, WorldError> {
        let ways = Ways {
            resolver: Resolver::Here(self.dns.control()),
            registry: Images::Here(self.registry.control()),
            desk: self.gateway.address(),
            wares,
            portal: None,
        };
        let outside = Outside::new(release, ways)?;
        outside.publish().await?;
        Ok(outside)
    }

    /// What the operator's machine is told of its network: variables that HTTP clients know.
    pub(super) fn environment(&self, trust: &Path) -> [(&'static str, OsString); 4] {
        self.gateway.environment(trust, LOOPBACK)
    }

    /// The names of the registries, for whoever trusts them.
    pub(super) fn hosts() -> [&'static str; 8] {
        HOSTS
    }

    /// Ends them.
    pub(super) async fn stop(self) {
        self.gateway.stop();
        self.dns.stop().await;
        self.public.stop().await;
        self.registry.stop().await;
    }
}
