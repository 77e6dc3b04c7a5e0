//! Commands that use the network.

mod connection;
mod lookup;
mod server;
mod web;

pub(super) use connection::nc;
pub(super) use lookup::nslookup;
pub(super) use server::httpd;
pub(super) use web::wget;

use std::net::IpAddr;

use crate::process::Process;

/// The address of a host: as it is, from `/etc/hosts`, or asked for.
async fn resolve(process: &Process, host: &str) -> Option<IpAddr> {
    if let Ok(address) = host.parse() {
        return Some(address);
    }
    let hosts = process.files().read("/", "/etc/hosts").unwrap_or_default();
    for line in String::from_utf8_lossy(&hosts).lines() {
        let line = line.split('#').next().unwrap_or("");
        let mut words = line.split_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse::<IpAddr>().ok()) else { continue };
        if address.is_ipv4() && words.any(|name| name == host) {
            return Some(if address.is_loopback() && host == "localhost" {
                process.world.ip
            } else {
                address
            });
        }
    }
    process.world.network.resolve(host).await.ok()?.into_iter().next()
}
