//! Which names are asked of which servers, in which order.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use field_clock::Clock;

use super::error::{DnsError, DnsFailure};
use super::exchange::{ANSWER_WITHIN, addresses};
use crate::wire::Wire;

/// How often Go asks the list of servers.
const ATTEMPTS: usize = 2;

fn is_refused(failure: &DnsFailure) -> bool {
    matches!(failure, DnsFailure::Unreachable(text) if text.ends_with("connection refused"))
}

/// What a `resolv.conf` says.
#[derive(Clone, Debug)]
pub(super) struct ResolvConf {
    pub(super) servers: Vec<SocketAddr>,
    pub(super) search: Vec<String>,
    pub(super) ndots: usize,
}

/// Resolves a name; an address is itself.
pub(super) async fn lookup(
    clock: &Clock,
    wire: &Wire,
    from: IpAddr,
    conf: &ResolvConf,
    host: &str,
) -> Result<Vec<IpAddr>, DnsError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![address]);
    }
    let mut last = None;
    for name in names(conf, host) {
        match ask_servers(clock, wire, from, conf, &name).await {
            Ok(found) => return Ok(found),
            Err((server, failure)) => {
                let over = is_refused(&failure);
                last = Some(DnsError { name: host.to_owned(), server, failure });
                if over {
                    break;
                }
            }
        }
    }
    Err(last.unwrap_or_else(|| DnsError {
        name: host.to_owned(),
        server: conf.servers.first().copied().unwrap_or(NO_SERVER),
        failure: DnsFailure::NoSuchHost,
    }))
}

/// Where Go asks when `resolv.conf` names nobody.
const NO_SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 53);

/// The fully qualified names to try, in order.
fn names(conf: &ResolvConf, host: &str) -> Vec<String> {
    if host.is_empty() {
        return Vec::new();
    }
    if host.ends_with('.') {
        return vec![host.to_owned()];
    }
    let itself = format!("{host}.");
    let mut list: Vec<String> = conf.search.iter().map(|domain| format!("{host}.{domain}.")).collect();
    if host.matches('.').count() >= conf.ndots {
        list.insert(0, itself);
    } else {
        list.push(itself);
    }
    list
}

async fn ask_servers(
    clock: &Clock,
    wire: &Wire,
    from: IpAddr,
    conf: &ResolvConf,
    name: &str,
) -> Result<Vec<IpAddr>, (SocketAddr, DnsFailure)> {
    let fallback = [NO_SERVER];
    let servers = if conf.servers.is_empty() { &fallback[..] } else { &conf.servers[..] };
    let mut last = (servers[0], DnsFailure::NoSuchHost);
    for _ in 0..ATTEMPTS {
        for server in servers {
            match addresses(clock, wire, from, *server, name).await {
                Ok(found) => return Ok(found),
                Err(DnsFailure::NoSuchHost) => return Err((*server, DnsFailure::NoSuchHost)),
                Err(failure) => last = (*server, failure),
            }
            if is_refused(&last.1) && !conf.search.is_empty() {
                // Recorded: with cluster DNS gone a lookup of a pod takes 10 s and ends in a refusal. Why it takes so long is not known here.
                clock.sleep(ANSWER_WITHIN).await;
            }
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::{ResolvConf, lookup, names};
    use crate::wire::Wire;
    use field_clock::Clock;

    fn conf(search: &[&str], ndots: usize) -> ResolvConf {
        let search = search.iter().map(|s| (*s).to_owned()).collect();
        ResolvConf { servers: vec!["127.77.1.9:53".parse().unwrap()], search, ndots }
    }

    #[test]
    fn a_short_name_is_searched_before_it_is_taken_as_it_is() {
        assert_eq!(names(&conf(&["msp.svc.cluster.local"], 5), "db"), ["db.msp.svc.cluster.local.", "db."]);
        assert_eq!(names(&conf(&["lan"], 1), "ghcr.io"), ["ghcr.io.", "ghcr.io.lan."]);
        assert_eq!(names(&conf(&["lan"], 1), "ghcr.io."), ["ghcr.io."]);
    }

    #[tokio::test]
    async fn a_dead_resolver_is_told_in_the_words_of_go() {
        let from = "127.77.1.1".parse().unwrap();
        let error = lookup(&Clock::wall(), &Wire::new(), from, &conf(&[], 1), "ghcr.io").await.unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("lookup ghcr.io on 127.77.1.9:53: read udp 127.77.1.1:"), "{text}");
        assert!(text.ends_with("->127.77.1.9:53: read: connection refused"), "{text}");
    }
}
