//! The one line of a Corefile that matters: where other names are asked for.

use std::net::SocketAddr;
use std::path::Path;

use crate::runtime::ContainerSpec;

/// The servers that the Corefile names; nothing when it leaves them to the node.
pub(super) fn upstreams(spec: &ContainerSpec) -> Option<Vec<SocketAddr>> {
    let written = spec.argv.iter().position(|arg| arg == "-conf").and_then(|at| spec.argv.get(at + 1));
    let path = written.map_or("/etc/coredns/Corefile", String::as_str);
    let text = std::fs::read_to_string(spec.host_path(Path::new(path))?).ok()?;
    parse(&text)
}

fn parse(text: &str) -> Option<Vec<SocketAddr>> {
    let line = text.lines().map(str::trim).find(|line| line.starts_with("forward "))?;
    let targets = line.trim_end_matches('{').split_whitespace().skip(2);
    let servers: Vec<SocketAddr> = targets.filter_map(server).collect();
    (!servers.is_empty()).then_some(servers)
}

fn server(text: &str) -> Option<SocketAddr> {
    let text = text.strip_prefix("dns://").unwrap_or(text);
    text.parse().ok().or_else(|| text.parse().ok().map(|ip| SocketAddr::new(ip, 53)))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_corefile_may_name_servers_or_leave_them_to_the_node() {
        assert_eq!(parse(".:53 {\n    forward . /etc/resolv.conf {\n max_concurrent 1000\n }\n}"), None);
        let named = parse(".:53 {\n  forward . 1.1.1.1 8.8.8.8:5353\n}").unwrap();
        assert_eq!(named, ["1.1.1.1:53".parse().unwrap(), "8.8.8.8:5353".parse().unwrap()]);
    }
}
