//! What the flags want of the machine, as a patch of its configuration.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::cli::{Bootstrap, NetworkMode};
use crate::failure::{Failure, Layer};

/// Where volumes are on the machine; its kubelet has to see them.
const VOLUMES: &str = "/var/local-path-provisioner";

/// How the machine gets its address.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Addressing {
    /// As Talos does by itself.
    Usual,
    Dhcp,
    Static {
        address: String,
        gateway: IpAddr,
    },
}

/// What the flags want of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    hostname: Option<String>,
    interface: Option<String>,
    addressing: Addressing,
    dns_servers: Vec<String>,
    /// Which disk, where one was named.
    pub(super) disk: Option<String>,
}

impl Wish {
    /// # Errors
    /// Where flags contradict each other.
    pub(super) fn of(arguments: &Bootstrap) -> Result<Self, Failure> {
        let address = arguments.static_address.as_ref();
        let addressing = match (arguments.network_mode, address, arguments.static_gateway) {
            (Some(NetworkMode::Static), Some(address), Some(gateway)) => {
                Addressing::Static { address: with_prefix(address)?, gateway }
            }
            (Some(NetworkMode::Static), ..) => {
                let remedy = "Give --static-address such as 192.168.1.20/24 and --static-gateway with it.";
                return Err(usage("--network-mode static says neither address nor gateway", remedy));
            }
            (_, None, None) if arguments.network_mode.is_some() => Addressing::Dhcp,
            (None, None, None) => Addressing::Usual,
            _ => {
                let remedy = "Give --network-mode static with them, or leave them out.";
                return Err(usage("--static-address and --static-gateway are for a static network", remedy));
            }
        };
        Ok(Self {
            hostname: arguments.hostname.clone(),
            interface: arguments.interface.clone(),
            addressing,
            dns_servers: arguments.dns_servers.iter().map(ToString::to_string).collect(),
            disk: arguments.install_disk.clone(),
        })
    }

    /// The node's name, where one was given.
    pub(super) fn hostname(&self) -> Option<&str> {
        self.hostname.as_deref()
    }

    /// In a few words.
    pub(super) fn summary(&self) -> String {
        let mut parts = vec![match &self.addressing {
            Addressing::Usual | Addressing::Dhcp => "address by DHCP".to_owned(),
            Addressing::Static { address, gateway } => format!("address {address}, gateway {gateway}"),
        }];
        if !self.dns_servers.is_empty() {
            parts.push(format!("DNS {}", self.dns_servers.join(", ")));
        }
        parts.extend(self.hostname.iter().map(|it| format!("host name {it}")));
        parts.extend(self.interface.iter().map(|it| format!("interface {it}")));
        parts.join("; ")
    }

    /// The patch.
    pub(super) fn patch(&self) -> Value {
        let mut network = json!({});
        if let Some(hostname) = &self.hostname {
            network["hostname"] = json!(hostname);
        }
        if !self.dns_servers.is_empty() {
            network["nameservers"] = json!(self.dns_servers);
        }
        if let Some(interface) = self.interface() {
            network["interfaces"] = json!([interface]);
        }
        json!({
            "machine": {
                "network": network,
                "kubelet": {
                    "extraMounts": [{
                        "destination": VOLUMES, "type": "bind", "source": VOLUMES, "options": ["bind", "rshared", "rw"],
                    }],
                },
            },
            // There is one machine: it has to do everything.
            "cluster": { "allowSchedulingOnControlPlanes": true },
        })
    }

    fn interface(&self) -> Option<Value> {
        let mut interface = match &self.addressing {
            Addressing::Usual if self.interface.is_none() => return None,
            Addressing::Usual | Addressing::Dhcp => json!({ "dhcp": true }),
            Addressing::Static { address, gateway } => {
                let anywhere = if gateway.is_ipv4() { "0.0.0.0/0" } else { "::/0" };
                json!({
                    "dhcp": false, "addresses": [address],
                    "routes": [{ "network": anywhere, "gateway": gateway }],
                })
            }
        };
        match &self.interface {
            Some(name) => interface["interface"] = json!(name),
            None => interface["deviceSelector"] = json!({ "physical": true }),
        }
        Some(interface)
    }
}

fn with_prefix(text: &str) -> Result<String, Failure> {
    let parsed = text.split_once('/').and_then(|(address, length)| {
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        length.parse::<u8>().ok().filter(|length| *length <= most)
    });
    match parsed {
        Some(_) => Ok(text.to_owned()),
        None => Err(usage(
            format!("--static-address {text} has no prefix length"),
            "Write it as 192.168.1.20/24.",
        )),
    }
}

fn usage(operation: impl Into<String>, remedy: &str) -> Failure {
    Failure::new(Layer::Usage, operation, remedy)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::json;

    use super::Wish;
    use crate::cli::{Cli, Command};
    use crate::failure::{Failure, Layer};

    fn wish(flags: &[&str]) -> Result<Wish, Failure> {
        let arguments = ["appliance", "bootstrap"].iter().chain(flags);
        let Command::Bootstrap(bootstrap) = Cli::try_parse_from(arguments).unwrap().command else {
            panic!("bootstrap was asked for")
        };
        Wish::of(&bootstrap)
    }

    #[test]
    fn every_dns_server_is_kept_in_its_order() {
        let patch = wish(&["--dns-servers", "1.1.1.1,8.8.8.8"]).unwrap().patch();
        assert_eq!(patch["machine"]["network"], json!({ "nameservers": ["1.1.1.1", "8.8.8.8"] }));
        assert_eq!(patch["cluster"]["allowSchedulingOnControlPlanes"], true);
    }

    #[test]
    fn a_static_network_has_address_and_route_on_the_named_interface() {
        let flags = [
            "--network-mode",
            "static",
            "--static-address",
            "10.0.0.9/24",
            "--static-gateway",
            "10.0.0.1",
            "--interface",
            "eth1",
        ];
        let patch = wish(&flags).unwrap().patch();
        let expected = json!([{
            "interface": "eth1", "dhcp": false, "addresses": ["10.0.0.9/24"],
            "routes": [{ "network": "0.0.0.0/0", "gateway": "10.0.0.1" }],
        }]);
        assert_eq!(patch["machine"]["network"]["interfaces"], expected);
    }

    #[test]
    fn flags_that_contradict_each_other_are_refused() {
        let wrong: [&[&str]; 4] = [
            &["--network-mode", "static"],
            &["--static-address", "10.0.0.9/24"],
            &["--network-mode", "dhcp", "--static-gateway", "10.0.0.1"],
            &["--network-mode", "static", "--static-address", "10.0.0.9", "--static-gateway", "10.0.0.1"],
        ];
        for flags in wrong {
            assert_eq!(wish(flags).unwrap_err().layer, Layer::Usage, "{flags:?}");
        }
    }
}
