//! What the words of `talosctl` mean.
//!
//! Its exit code tells only that something failed, and not always that: the words are those of the real program, and the tests
//! hold what a real machine was heard to say.

use std::fmt;

/// What a machine means by its answer, or by having none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nobody listens at the address.
    Refused,
    /// There is no way to the address.
    NoWay,
    /// The connection is taken, or swallowed, and nothing is said.
    Silent,
    /// The call is not for a machine in maintenance mode.
    InMaintenance,
    /// It is configured, and does not talk to people without credentials.
    AsksWhoWeAre,
    /// Its certificate is nobody's: that of the maintenance mode.
    SelfSigned,
    /// Its certificate was signed by another authority than ours.
    OtherAuthority,
    /// Its certificate is not for the address at which it was reached: that of a maintenance mode behind a forwarded port, for one.
    OtherName,
    /// It does not accept our certificate.
    RefusesUs,
    /// A certificate is not valid at the time that one of the two has.
    WrongTime,
    /// We are known, and may not do this.
    NotAllowed,
    /// Not yet.
    TooEarly,
    /// It was done before.
    AlreadyDone,
    /// The configuration cannot be used.
    BadConfiguration,
    /// Something else.
    Other,
}

/// Words by which each is known, the most telling first. Those of an expired or bad certificate and of a configuration that is
/// not valid are Go's and Talos' own and were not heard yet; all others are in the tests below as a real machine said them.
const WORDS: [(&str, Meaning); 20] = [
    ("not implemented in maintenance mode", Meaning::InMaintenance),
    ("tls: certificate required", Meaning::AsksWhoWeAre),
    ("remote error: tls: unknown certificate authority", Meaning::RefusesUs),
    ("remote error: tls: bad certificate", Meaning::RefusesUs),
    ("certificate has expired or is not yet valid", Meaning::WrongTime),
    ("remote error: tls: expired certificate", Meaning::WrongTime),
    ("while trying to verify candidate authority certificate", Meaning::OtherAuthority),
    ("certificate signed by unknown authority", Meaning::SelfSigned),
    ("x509: certificate is valid for ", Meaning::OtherName),
    ("code = PermissionDenied", Meaning::NotAllowed),
    ("code = AlreadyExists", Meaning::AlreadyDone),
    ("code = FailedPrecondition", Meaning::TooEarly),
    ("failed to parse config", Meaning::BadConfiguration),
    ("configuration validation failed", Meaning::BadConfiguration),
    ("no route to host", Meaning::NoWay),
    ("network is unreachable", Meaning::NoWay),
    ("connection refused", Meaning::Refused),
    ("code = DeadlineExceeded", Meaning::Silent),
    ("connection reset by peer", Meaning::Silent),
    // Whatever else kept a call from its answer: a handshake that broke off, for one.
    ("code = Unavailable", Meaning::Silent),
];

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) meaning: Meaning,
    words: String,
}

impl Answer {
    /// What the program said.
    pub(super) fn said(text: &str) -> Self {
        let known = WORDS.iter().find(|(words, _)| text.contains(words));
        let meaning = known.map_or(Meaning::Other, |(_, meaning)| *meaning);
        Self { meaning, words: told(text) }
    }

    /// The program said nothing for that many seconds.
    pub(super) fn silence(seconds: u64) -> Self {
        Self { meaning: Meaning::Silent, words: format!("no answer within {seconds} s") }
    }

    /// Whether it can be another one in a moment, with nothing done about it.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.meaning, Meaning::Refused | Meaning::NoWay | Meaning::Silent)
    }

    /// What helps.
    pub(super) fn remedy(&self) -> &'static str {
        match self.meaning {
            Meaning::BadConfiguration => {
                "Check --interface, --static-address, --static-gateway, --dns-servers, --hostname and --install-disk, then run the command again."
            }
            Meaning::NotAllowed => "Give a talosconfig with the role os:admin (--talosconfig).",
            Meaning::Refused | Meaning::NoWay | Meaning::Silent => {
                "Look at the machine's console, check cable and firewall (ports 50000 and 6443), then run the command again."
            }
            _ => "Look at the machine's console, then run the command again.",
        }
    }
}

/// In one line, without the wrapping.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// The line that tells what failed, without what is said at every failure.
fn told(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let telling = lines.iter().rev().find(|line| line.contains("desc = ") || line.starts_with("* "));
    let headline = lines.iter().rev().find(|line| line.contains("rror"));
    let line = telling.or(headline).or(lines.last()).copied().unwrap_or("it said nothing");
    let line = line.strip_prefix("* ").unwrap_or(line);
    let line = line.rfind("desc = \"").map_or(line, |at| line[at + 8..].trim_end_matches('"'));
    line.rfind("desc = ").map_or(line, |at| &line[at + 7..]).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Answer, Meaning};

    /// What a real Talos v1.11 was heard to say to a real `talosctl`.
    #[test]
    fn the_words_of_a_real_machine_are_told_apart() {
        let cases = [
            (
                "error getting version: rpc error: code = Unimplemented desc = API is not implemented in maintenance mode",
                Meaning::InMaintenance,
                "API is not implemented in maintenance mode",
            ),
            (
                r#"rpc error: code = Unavailable desc = connection error: desc = "error reading server preface: remote error: tls: certificate required""#,
                Meaning::AsksWhoWeAre,
                "error reading server preface: remote error: tls: certificate required",
            ),
            (
                r#"error getting version: rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority (possibly because of \"x509: Ed25519 verification failure\" while trying to verify candidate authority certificate \"talos\")""#,
                Meaning::OtherAuthority,
                r#"transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority (possibly because of \"x509: Ed25519 verification failure\" while trying to verify candidate authority certificate \"talos\")"#,
            ),
            (
                r#"error listing services: rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority""#,
                Meaning::SelfSigned,
                "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority",
            ),
            (
                r#"rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate is valid for 10.0.2.15, 127.0.0.1, ::1, not 127.77.1.7""#,
                Meaning::OtherName,
                "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate is valid for 10.0.2.15, 127.0.0.1, ::1, not 127.77.1.7",
            ),
            (
                r#"error getting version: rpc error: code = Unavailable desc = connection error: desc = "error reading server preface: remote error: tls: unknown certificate authority""#,
                Meaning::RefusesUs,
                "error reading server preface: remote error: tls: unknown certificate authority",
            ),
            (
                "error executing bootstrap: 1 error occurred:\n\t* 127.0.0.1: rpc error: code = FailedPrecondition desc = bootstrap is not available yet\n\n",
                Meaning::TooEarly,
                "bootstrap is not available yet",
            ),
            (
                "error executing bootstrap: 1 error occurred:\n\t* 127.77.1.1: rpc error: code = FailedPrecondition desc = time is not in sync yet\n\n",
                Meaning::TooEarly,
                "time is not in sync yet",
            ),
            (
                "error executing bootstrap: 1 error occurred:\n\t* 127.0.0.1: rpc error: code = AlreadyExists desc = etcd data directory is not empty\n\n",
                Meaning::AlreadyDone,
                "etcd data directory is not empty",
            ),
            (
                r#"error getting version: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:59999: connect: connection refused""#,
                Meaning::Refused,
                "transport: Error while dialing: dial tcp 127.0.0.1:59999: connect: connection refused",
            ),
            (
                r#"error executing bootstrap: rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: EOF""#,
                Meaning::Silent,
                "transport: authentication handshake failed: EOF",
            ),
            (
                "error getting version: 1 error occurred:\n\t* 10.0.2.99: rpc error: code = Unavailable desc = connection error: desc = \"transport: Error while dialing: dial tcp 10.0.2.99:50000: connect: no route to host\"\n\n",
                Meaning::NoWay,
                "transport: Error while dialing: dial tcp 10.0.2.99:50000: connect: no route to host",
            ),
            (
                "error applying new configuration: rpc error: code = Unknown desc = failed to parse config: decode error: yaml: line 1: did not find expected node content",
                Meaning::BadConfiguration,
                "failed to parse config: decode error: yaml: line 1: did not find expected node content",
            ),
            (
                "error executing reboot: 1 error occurred:\n\t* 127.0.0.1: rpc error: code = PermissionDenied desc = not authorized\n\n",
                Meaning::NotAllowed,
                "not authorized",
            ),
        ];
        for (text, meaning, told) in cases {
            let answer = Answer::said(text);
            assert_eq!((answer.meaning, answer.to_string().as_str()), (meaning, told), "{text}");
        }
    }

    #[test]
    fn words_that_nobody_knows_are_told_as_they_are() {
        let answer = Answer::said("unknown flag: --insecure\n\nUsage:\n  talosctl dmesg [flags]\n");
        assert_eq!(answer.meaning, Meaning::Other);
        assert_eq!(Answer::said("").to_string(), "it said nothing");
    }
}
