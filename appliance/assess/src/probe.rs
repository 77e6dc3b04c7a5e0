//! What an answer of the login page means.

use crate::facts::ProbeFact;

/// Whether people can log in there: 200–399, and a redirect leads to the app's own host.
pub(crate) fn is_reachable(probe: &ProbeFact) -> bool {
    match (probe.status, &probe.location) {
        (Some(200..=299), _) => true,
        (Some(300..=399), Some(location)) => is_own(&probe.url, location),
        _ => false,
    }
}

fn is_own(url: &str, location: &str) -> bool {
    if !location.contains("://") && !location.starts_with("//") {
        return true;
    }
    host(location).is_some() && host(location) == host(url)
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
    use super::is_reachable;
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
        assert!(is_reachable(&answer(307, Some("/msp/dashboard"))));
        assert!(is_reachable(&answer(302, Some("http://10.0.2.15:3000/auth/signin"))));
    }

    #[test]
    fn errors_and_foreign_hosts_do_not() {
        assert!(!is_reachable(&answer(500, None)));
        assert!(!is_reachable(&answer(405, None)));
        assert!(!is_reachable(&answer(302, Some("https://elsewhere.example/login"))));
        assert!(!is_reachable(&answer(302, Some("//elsewhere.example/login"))));
    }
}
