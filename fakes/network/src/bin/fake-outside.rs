//! The world outside an appliance as a program of its own: two resolvers and a registry, told what to do over a socket.
//!
//! | variable | what |
//! |---|---|
//! | `OUTSIDE_HOSTS` | the registry's names, with commas between them |
//! | `OUTSIDE_OWN` | names of the site that only its own resolver knows, each `name=address` |
//! | `OUTSIDE_DIRECTORY` | where these files are: `identity.pem` and `key.pem` of the registry, `portal.pem` and `portal-key.pem` of the portal at which guests of the site sign in, and `word`, the word by which those are known who may change anything |

use std::env;
use std::error::Error;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;

use fake_network::{
    DnsConfig, DnsServer, Registry, RegistryConfig, Served, TlsIdentity, Zone, outside_ports as ports, serve,
};
use field_clock::Clock;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("ERROR: {error}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let address = own_address().await?;
    let directory = PathBuf::from(env::var("OUTSIDE_DIRECTORY")?);
    let read = |name: &str| {
        fs::read_to_string(directory.join(name)).map_err(|error| format!("read {name}: {error}"))
    };
    let identity = TlsIdentity { chain_pem: read("identity.pem")?, key_pem: read("key.pem")? };
    let of_portal = TlsIdentity { chain_pem: read("portal.pem")?, key_pem: read("portal-key.pem")? };
    let zone = || {
        let hosts = env::var("OUTSIDE_HOSTS").unwrap_or_default();
        hosts
            .split(',')
            .filter(|host| !host.is_empty())
            .fold(Zone::new(), |zone, host| zone.with(host, [address]))
    };
    let mut site = zone();
    for own in env::var("OUTSIDE_OWN").unwrap_or_default().split(',').filter(|own| !own.is_empty()) {
        let (name, address) = own.split_once('=').ok_or("OUTSIDE_OWN: each is name=address")?;
        site = site.with_own(name, [address.parse()?]);
    }
    let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let clock = Clock::wall();
    let resolver = |port, zone| DnsConfig { clock: clock.clone(), listen: (any, port).into(), zone };
    let registry =
        |port, tls| RegistryConfig { clock: clock.clone(), listen: (any, port).into(), tls: Some(tls) };
    let site = DnsServer::start(resolver(ports::SITE, site)).await?;
    let public = DnsServer::start(resolver(ports::PUBLIC, zone())).await?;
    let images = Registry::start(registry(ports::REGISTRY, identity)).await?;
    let portal = Registry::start(registry(ports::PORTAL, of_portal)).await?;
    let served = Served {
        site: site.control(),
        public: public.control(),
        registry: images.control(),
        word: read("word")?,
    };
    let desk = TcpListener::bind((any, ports::DESK)).await?;
    let mut end = signal(SignalKind::terminate())?;
    let _ = std::io::Write::write_all(&mut std::io::stdout(), b"ready\n");
    tokio::select! {
        ended = serve(desk, served) => ended?,
        _ = end.recv() => {}
    }
    drop(portal);
    Ok(())
}

/// The address of this machine on its network; nothing is sent.
async fn own_address() -> std::io::Result<IpAddr> {
    let socket = tokio::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).await?;
    Ok(socket.local_addr()?.ip())
}
