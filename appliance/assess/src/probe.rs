//! What an answer of the login page means.

use crate::facts::ProbeFact;

/// Whether people can log in there: 200–399, and a redirect leads to the app's own host, which is the one that was asked
/// or that of the address for people.
pub(crate) fn is_reachable(probe: &ProbeFact, login_url: Option<&str>) -> bool {
    match (probe.status, &probe.location) {
        (Some(200..=299), _) => true,
        (Some(300..=399), Some(location)) => is_own(probe, login_url, location),
        _ => false,
    }
}

fn is_own(probe: &ProbeFact, login_url: Option<&str>, location: &str) -> bool {
    if !location.contains("://") && !location.starts_with("//") {
        return true;
    }
    let own = [Some(probe.url.as_str()), login_url];
    host(location).is_some_and(|it| own.into_iter().flatten().any(|url| host(url) == Some(it)))
}

/// Host of an address, without port.
pub(crate) fn host(url: &str) -> Option<&str> {
    let rest = url.split_once("//").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, it)| it);
    let host = match authority.strip_prefix('[') {
        Some(six) => six.split(']').next()?,
        None => authority.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::{host, is_reachable};
    use crate::facts::ProbeFact;

    fn answer(status: u16, location: Option<&str>) -> ProbeFact {
        ProbeFact {
            url: "http://10.0.2.15:3000/".into(),
            status: Some(status),
            location: location.map(Into::into),
            ..ProbeFact::default()
        }
    }

    #[test]
    fn a_redirect_to_the_dashboard_lets_people_in() {
        assert!(is_reachable(&answer(307, Some("/msp/dashboard")), None));
        assert!(is_reachable(&answer(302, Some("http://10.0.2.15:3000/auth/signin")), None));
        assert!(is_reachable(&answer(200, None), None) && is_reachable(&answer(299, None), None));
    }

    #[test]
    fn the_address_for_people_is_the_apps_own_host_as_well() {
        let there = answer(302, Some("https://psa.example.com/auth/signin"));
        assert!(is_reachable(&there, Some("https://psa.example.com")));
        assert!(!is_reachable(&there, Some("https://other.example.com")));
        assert!(!is_reachable(&answer(302, Some("https:///auth")), Some("nowhere")));
    }

    #[test]
    fn hosts_are_read_without_port_and_person() {
        for (url, expected) in [
            ("http://10.0.2.15:3000/x", Some("10.0.2.15")),
            ("https://me@psa.example.com/?a=1", Some("psa.example.com")),
            ("http://[fd00::1]:3000/", Some("fd00::1")),
            ("//elsewhere", Some("elsewhere")),
            ("http:///x", None),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
    }

    #[test]
    fn errors_and_foreign_hosts_do_not() {
        for status in [100, 199, 400, 405, 500, 502] {
            assert!(!is_reachable(&answer(status, None), None), "{status}");
        }
        for location in [None, Some("https://elsewhere.example/login"), Some("//elsewhere.example/login")] {
            assert!(!is_reachable(&answer(302, location), None), "{location:?}");
        }
        assert!(!is_reachable(&ProbeFact { url: "http://a/".into(), ..ProbeFact::default() }, None));
    }
}
