//! The node's ways to the world outside: whom it asks for names, and what is led elsewhere. A machine has them still when it starts
//! again, while a container gets them anew from its engine; so a service of the node's own puts them back before anything else runs.

use std::net::IpAddr;

use super::cluster::Cluster;
use super::engine::EngineError;

/// What is kept on the node: resolvers, and the rules that lead elsewhere.
const RESOLVERS: &str = "/etc/appliance-smoke/resolv.conf";
const RULES: &str = "/etc/appliance-smoke/rules.sh";
const UNIT: &str = "appliance-smoke-ways.service";

impl Cluster {
    /// Has the node keep its ways when it starts again.
    pub(super) async fn keep_ways(&self) -> Result<(), EngineError> {
        let unit = format!(
            "[Unit]\nDescription=Ways to the world outside\nBefore=containerd.service kubelet.service\n\n\
             [Service]\nType=oneshot\nExecStart=/bin/sh -c 'cat {RESOLVERS} > /etc/resolv.conf; sh {RULES}'\n\n\
             [Install]\nWantedBy=multi-user.target\n"
        );
        let script = format!(
            "mkdir -p $(dirname {RULES})\ntouch {RULES}\ncp /etc/resolv.conf {RESOLVERS}\n\
             cat > /etc/systemd/system/{UNIT}\nsystemctl daemon-reload\nsystemctl enable --quiet {UNIT}"
        );
        self.shell(&script, unit.as_bytes()).await.map(drop)
    }

    /// Has the node ask these resolvers, in this order.
    pub(super) async fn resolve_by(&self, servers: &[IpAddr]) -> Result<(), EngineError> {
        let lines: String = servers.iter().map(|server| format!("nameserver {server}\n")).collect();
        // The file is a mount: it can be written and not replaced.
        let script = format!("mkdir -p $(dirname {RESOLVERS})\ntee {RESOLVERS} > /etc/resolv.conf");
        self.shell(&script, lines.as_bytes()).await.map(drop)
    }

    /// Leads what the node and its pods send to `from` to another place.
    pub(super) async fn lead(&self, from: (IpAddr, u16), to: (IpAddr, u16)) -> Result<(), EngineError> {
        let mut rules = String::new();
        for chain in ["OUTPUT", "PREROUTING"] {
            for protocol in ["udp", "tcp"] {
                rules.push_str(&format!(
                    "iptables -t nat -I {chain} -d {} -p {protocol} --dport {} -j DNAT --to-destination {}:{}\n",
                    from.0, from.1, to.0, to.1
                ));
            }
        }
        self.shell(&format!("tee -a {RULES} | sh"), rules.as_bytes()).await.map(drop)
    }
}
