//! What texts tell where nothing else does.

use std::sync::LazyLock;

use regex::Regex;

static DNS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"lookup \S+.*(connection refused|no such host|server misbehaving|i/o timeout|Temporary failure in name resolution)|getaddrinfo (ENOTFOUND|EAI_AGAIN)")
        .expect("the pattern is well-formed")
});

static STATUS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:unexpected status.*?: |status code |response status code )(\d{3})")
        .expect("the pattern is well-formed")
});

/// Whether a text says that a name could not be resolved.
pub(crate) fn is_dns_trouble(text: &str) -> bool {
    (text.contains("lookup ") || text.contains("getaddrinfo ")) && DNS.is_match(text)
}

/// The part of a text from `lookup` on.
pub(super) fn dns_part(text: &str) -> &str {
    text.rfind("lookup ").or_else(|| text.rfind("getaddrinfo ")).map_or(text, |at| &text[at..])
}

/// Why a pull failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PullTrouble {
    Dns,
    NotFound,
    Interrupted,
    Registry(RegistryAnswer),
}

/// What the registry, or the way to it, answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RegistryAnswer {
    Denied,
    RateLimited,
    ServerError,
    BadDigest,
    Untrusted,
    Unreachable,
    Other,
}

/// Reads the text of a failed pull.
pub(super) fn classify_pull(text: &str) -> PullTrouble {
    if is_dns_trouble(text) {
        return PullTrouble::Dns;
    }
    let status = http_status(text);
    if status == Some(404) || says_not_found(text) {
        return PullTrouble::NotFound;
    }
    if let Some(answer) = status.and_then(answer_of_status) {
        return PullTrouble::Registry(answer);
    }
    let has = |signals: &[&str]| signals.iter().any(|signal| text.contains(signal));
    let refusals = [
        "insufficient_scope",
        "authorization failed",
        "authentication required",
        "UNAUTHORIZED",
        "denied",
        "DENIED",
    ];
    if has(&refusals) {
        return PullTrouble::Registry(RegistryAnswer::Denied);
    }
    if has(&["toomanyrequests", "TOOMANYREQUESTS", "Too Many Requests"]) {
        return PullTrouble::Registry(RegistryAnswer::RateLimited);
    }
    if has(&[": UNKNOWN: "]) {
        return PullTrouble::Registry(RegistryAnswer::ServerError);
    }
    if has(&["unexpected commit digest", "failed size validation", "invalid digest", "digest mismatch"]) {
        return PullTrouble::Registry(RegistryAnswer::BadDigest);
    }
    if has(&["x509:", "tls:"]) {
        return PullTrouble::Registry(RegistryAnswer::Untrusted);
    }
    if has(&["context canceled", "unexpected EOF", "context deadline exceeded", "connection reset"]) {
        return PullTrouble::Interrupted;
    }
    let unreachable = [
        "connection refused",
        "i/o timeout",
        "handshake timeout",
        "no route to host",
        "network is unreachable",
        "EOF",
    ];
    if has(&unreachable) {
        return PullTrouble::Registry(RegistryAnswer::Unreachable);
    }
    PullTrouble::Registry(RegistryAnswer::Other)
}

/// What a failure of Flux says of the registry that it speaks to, where the registry is to blame.
pub(super) fn registry_trouble(text: &str) -> Option<RegistryAnswer> {
    let of_registry = ["chart pull error", "failed to determine artifact digest", "failed to pull artifact"];
    match classify_pull(text) {
        PullTrouble::Registry(answer) if answer != RegistryAnswer::Other => {
            of_registry.iter().any(|it| text.contains(it)).then_some(answer)
        }
        _ => None,
    }
}

/// The HTTP status that a text quotes.
pub(super) fn http_status(text: &str) -> Option<u16> {
    STATUS.captures(text)?.get(1)?.as_str().parse().ok()
}

fn says_not_found(text: &str) -> bool {
    text.contains("manifest unknown")
        || text.contains("MANIFEST_UNKNOWN")
        || text.contains("NAME_UNKNOWN")
        || text.contains("code = NotFound")
        || text.trim_end_matches(['"', '.']).ends_with(": not found")
}

fn answer_of_status(status: u16) -> Option<RegistryAnswer> {
    match status {
        401 | 403 => Some(RegistryAnswer::Denied),
        429 => Some(RegistryAnswer::RateLimited),
        500..=599 => Some(RegistryAnswer::ServerError),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{PullTrouble, RegistryAnswer, classify_pull};

    #[test]
    fn texts_of_a_real_kubelet_are_told_apart() {
        let head = r#"failed to pull and unpack image "ghcr.io/a/b:1": failed to resolve reference "ghcr.io/a/b:1": "#;
        let cases = [
            ("rpc error: code = NotFound desc = x: ghcr.io/a/b:1: not found", PullTrouble::NotFound),
            (
                r#"failed to do request: Head "https://ghcr.io/v2/a/b/manifests/1": dial tcp: lookup ghcr.io on 127.0.0.1:53: read udp 127.0.0.1:4->127.0.0.1:53: read: connection refused"#,
                PullTrouble::Dns,
            ),
            (
                "unexpected status from HEAD request to http://172.18.0.1:5001/v2/deny/b/manifests/1?ns=ghcr.io: 403 Forbidden",
                PullTrouble::Registry(RegistryAnswer::Denied),
            ),
            (
                "unexpected status from HEAD request to http://172.18.0.1:5001/v2/fail/b/manifests/1: 500 Internal Server Error",
                PullTrouble::Registry(RegistryAnswer::ServerError),
            ),
            (
                r#"failed to do request: Head "http://172.18.0.1:5999/v2/a": dial tcp 172.18.0.1:5999: connect: connection refused"#,
                PullTrouble::Registry(RegistryAnswer::Unreachable),
            ),
            ("short read: expected 13145738 bytes but got 6572869: unexpected EOF", PullTrouble::Interrupted),
            ("context canceled", PullTrouble::Interrupted),
        ];
        for (tail, expected) in cases {
            assert_eq!(classify_pull(&format!("{head}{tail}")), expected, "{tail}");
        }
    }
}
