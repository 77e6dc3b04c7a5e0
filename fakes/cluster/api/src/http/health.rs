//! `/healthz`, `/livez`, `/readyz`.

use http::{Response, StatusCode};

use super::answer::{self, Body};
use super::condition::Phase;

/// What runs once the server listens; all but the roles are there as soon as it does.
const CHECKS: [&str; 9] = [
    "ping",
    "log",
    "etcd",
    "poststarthook/start-apiextensions-controllers",
    "poststarthook/crd-informer-synced",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/apiservice-openapi-controller",
    "shutdown",
];
const LATE: &str = "poststarthook/rbac/bootstrap-roles";

/// The answer to a question about health, if the path asks one.
pub(super) fn serve(path: &str, query: &str, phase: Phase) -> Option<Response<Body>> {
    let path = path.trim_matches('/');
    if !matches!(path, "healthz" | "livez" | "readyz") {
        return None;
    }
    let late = phase != Phase::Serving && path != "livez";
    let verbose = query.split('&').any(|part| part == "verbose" || part.starts_with("verbose="));
    if !late && !verbose {
        return Some(answer::text("ok"));
    }
    let mut text = String::new();
    for check in CHECKS.iter().filter(|check| path == "readyz" || **check != "shutdown") {
        if late && *check == LATE {
            text.push_str(&format!("[-]{check} failed: reason withheld\n"));
        } else {
            text.push_str(&format!("[+]{check} ok\n"));
        }
    }
    text.push_str(&format!("{path} check {}\n", if late { "failed" } else { "passed" }));
    let mut response = answer::text(&text);
    if late {
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_lacks_its_roles_lives_and_is_not_ready() {
        let code = |path| serve(path, "", Phase::Warming).map(|response| response.status().as_u16());
        assert_eq!((code("/livez"), code("/readyz"), code("/version")), (Some(200), Some(500), None));
        let ready = serve("/readyz", "verbose", Phase::Serving).map(|response| response.status().as_u16());
        assert_eq!(ready, Some(200));
    }
}
