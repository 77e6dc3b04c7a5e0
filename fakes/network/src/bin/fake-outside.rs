//! The world outside an appliance as a program of its own: two resolvers and a registry, told what to do over a socket.
//!
//! | variable | what |
//! |---|---|
//! | `OUTSIDE_ADDRESS` | the address by which others reach this machine |
//! | `OUTSIDE_HOSTS` | the registry's names, with commas between them |
//! | `OUTSIDE_OWN` | names of the site that only its own resolver knows, each `name=address` |
//! | `OUTSIDE_IDENTITY`, `OUTSIDE_KEY` | the registry's certificates and its private key, in PEM |
//! | `OUTSIDE_PORTAL_IDENTITY`, `OUTSIDE_PORTAL_KEY` | the same of the portal at which guests of the site sign in |
//! | `OUTSIDE_WORD` | the word by which those are known who may change anything |

use std::env;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
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
    let address: IpAddr = variable("OUTSIDE_ADDRESS")?.parse()?;
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
    let images = Registry::start(registry(ports::REGISTRY, identity("OUTSIDE")?)).await?;
    let portal = Registry::start(registry(ports::PORTAL, identity("OUTSIDE_PORTAL")?)).await?;
    let served = Served {
        site: site.control(),
        public: public.control(),
        registry: images.control(),
        word: variable("OUTSIDE_WORD")?,
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

fn identity(of: &str) -> Result<TlsIdentity, Box<dyn Error>> {
    Ok(TlsIdentity {
        chain_pem: variable(&format!("{of}_IDENTITY"))?,
        key_pem: variable(&format!("{of}_KEY"))?,
    })
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("{name} is not set"))
}
