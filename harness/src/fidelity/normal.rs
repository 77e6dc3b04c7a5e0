//! What differs between two runs of the same thing, taken out of texts: generated names, ids, addresses, measured times.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::recording::Stream;

/// Takes accidental words out of the texts of one stream.
#[derive(Debug, Default)]
pub(super) struct Normaliser {
    /// What stands in the stream, and what stands for it; the longest first.
    words: Vec<(String, String)>,
}

/// The letters of which Kubernetes makes suffixes.
const LETTERS: &str = "bcdfghjklmnpqrstvwxz2456789";

static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let rules: [(String, &str); 16] = [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}".into(), "<uid>"),
        (r"sha256:[0-9a-f]{64}".into(), "sha256:<digest>"),
        (r"\b[0-9a-f]{64}\b".into(), "<id>"),
        (r"\+[0-9a-f]{12}\b".into(), "+<digest>"),
        (format!("kube-api-access-[{LETTERS}]{{5}}"), "kube-api-access-*"),
        // A pod of a Deployment that the stream does not show.
        (format!("-[{LETTERS}]{{8,10}}-[{LETTERS}]{{5}}(_|\\b)"), "-*$1"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d( [A-Z]+)?)?".into(), "<time>"),
        (r"\[::ffff:\d{1,3}(\.\d{1,3}){3}\]:\d{1,5}\b".into(), "<ip>:<port>"),
        (r"\b\d{1,3}(\.\d{1,3}){3}:\d{1,5}\b".into(), "<ip>:<port>"),
        (r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d{1,2} \d\d:\d\d\b".into(), "<time>"),
        (r"\b\d{1,3}(\.\d{1,3}){3}\b".into(), "<ip>"),
        // A measured time has a fraction; one that was configured has none.
        (r"\b(\d+h)?(\d+m)?\d+\.\d+(ms|µs|us|s)".into(), "<duration>"),
        (r"\b\d+(ms|µs|us|ns)\b".into(), "<duration>"),
        (r"resource version: \d+ \(\d+\)".into(), "resource version: <n> (<n>)"),
        (r"/tmp/[A-Za-z0-9_./-]*".into(), "<temporary file>"),
        (r"\b\d{6,}\b".into(), "<n>"),
    ];
    rules.into_iter().filter_map(|(rule, word)| Some((Regex::new(&rule).ok()?, word))).collect()
});

static REPLICA_SET: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!("^(.*)-[{LETTERS}]{{6,10}}$")).ok());

impl Normaliser {
    /// Learns the generated names of a stream; `namespaces` are those of the case, its own name is a word like them.
    pub(super) fn of(stream: &Stream, case: &str, namespaces: &[String]) -> Self {
        let mut words = BTreeMap::new();
        for line in &stream.lines {
            learn(&line.event["object"], &mut words);
        }
        words.insert(case.to_owned(), "<case>".to_owned());
        if let Some(stranger) = stranger(stream, namespaces) {
            words.insert(stranger, "<namespace>".to_owned());
        }
        for namespace in namespaces {
            let rest = namespaces.first().and_then(|first| namespace.strip_prefix(first.as_str()));
            words.insert(namespace.clone(), format!("<namespace{}>", rest.unwrap_or_default()));
        }
        let mut words: Vec<_> = words.into_iter().filter(|(from, _)| !from.is_empty()).collect();
        words.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
        Self { words }
    }

    /// The text without accidents.
    pub(super) fn text(&self, text: &str) -> String {
        let mut text = text.trim_end().to_owned();
        for (from, to) in &self.words {
            if text.contains(from.as_str()) {
                text = whole_words(&text, from, to);
            }
        }
        for (rule, word) in &*RULES {
            if let std::borrow::Cow::Owned(changed) = rule.replace_all(&text, *word) {
                text = changed;
            }
        }
        text
    }
}

/// The namespace in which the pods were when the case was recorded, where it has been renamed since.
fn stranger(stream: &Stream, namespaces: &[String]) -> Option<String> {
    let pods = stream.lines.iter().filter(|line| line.kind == "pods");
    let found: BTreeSet<&str> =
        pods.filter_map(|line| line.event["object"]["metadata"]["namespace"].as_str()).collect();
    let [only] = found.into_iter().collect::<Vec<_>>()[..] else { return None };
    (!namespaces.iter().any(|known| known == only)).then(|| only.to_owned())
}

/// Replaces `from` where it is not a part of a longer name.
fn whole_words(text: &str, from: &str, to: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let (before, after) = (&rest[..at], &rest[at + from.len()..]);
        let inside = before.chars().next_back().is_some_and(part) || after.chars().next().is_some_and(part);
        out.push_str(before);
        out.push_str(if inside { from } else { to });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Whether a name is a prefix and a suffix that Kubernetes made.
fn is_suffixed(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|tail| tail.len() == 5 && tail.chars().all(|c| LETTERS.contains(c)))
}

fn learn(object: &Value, words: &mut BTreeMap<String, String>) {
    let metadata = &object["metadata"];
    let name = metadata["name"].as_str().unwrap_or_default();
    if let Some(hash) = metadata["labels"]["pod-template-hash"].as_str()
        && let Some(at) = name.find(&format!("-{hash}"))
    {
        words.insert(name[..=at + hash.len()].to_owned(), format!("{}-*", &name[..at]));
    }
    if let Some(prefix) = metadata["generateName"].as_str().filter(|prefix| is_suffixed(name, prefix)) {
        let hash = metadata["labels"]["pod-template-hash"].as_str().unwrap_or_default();
        let stem = prefix.strip_suffix(&format!("{hash}-")).filter(|_| !hash.is_empty()).unwrap_or(prefix);
        words.insert(name.to_owned(), format!("{stem}*"));
    }
    if let Some(node) = object["spec"]["nodeName"].as_str() {
        words.insert(node.to_owned(), "<node>".to_owned());
    }
    if object["kind"] == "Node" {
        words.insert(name.to_owned(), "<node>".to_owned());
    }
    let involved = &object["involvedObject"];
    let involved_name = involved["name"].as_str().unwrap_or_default();
    match involved["kind"].as_str() {
        Some("ReplicaSet") => {
            let stem =
                REPLICA_SET.as_ref().and_then(|rule| Some(rule.captures(involved_name)?.get(1)?.as_str()));
            if let Some(stem) = stem {
                words.entry(involved_name.to_owned()).or_insert_with(|| format!("{stem}-*"));
            }
        }
        Some("Node") => {
            words.insert(involved_name.to_owned(), "<node>".to_owned());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Normaliser;
    use crate::recording::{Line, Stream};

    fn normaliser() -> Normaliser {
        let pod = json!({"type": "ADDED", "object": {"kind": "Pod", "metadata": {
            "name": "web-6fdf7fb9b5-rvgf5", "generateName": "web-6fdf7fb9b5-", "labels": {"pod-template-hash": "6fdf7fb9b5"},
        }, "spec": {"nodeName": "box"}}});
        let stream =
            Stream { lines: vec![Line { at: 0.0, kind: "pods".into(), event: pod }], ..Stream::default() };
        Normaliser::of(&stream, "a-case", &["rec-a-case".to_owned(), "rec-a-case-two".to_owned()])
    }

    #[test]
    fn generated_names_and_namespaces_become_words() {
        let normal = normaliser();
        assert_eq!(normal.text("Created pod: web-6fdf7fb9b5-rvgf5"), "Created pod: web-*");
        assert_eq!(normal.text("replica set web-6fdf7fb9b5 from 0 to 1"), "replica set web-* from 0 to 1");
        assert_eq!(normal.text("assigned rec-a-case/x to box"), "assigned <namespace>/x to <node>");
        assert_eq!(normal.text("in rec-a-case-two"), "in <namespace-two>");
        assert_eq!(normal.text("a toolbox"), "a toolbox");
    }

    #[test]
    fn measured_times_addresses_and_ids_are_taken_out_and_configured_times_stay() {
        let normal = normaliser();
        assert_eq!(
            normal.text("in 99ms (1m28.477s including waiting)"),
            "in <duration> (<duration> including waiting)"
        );
        assert_eq!(normal.text("back-off 1m20s restarting"), "back-off 1m20s restarting");
        assert_eq!(
            normal.text("read udp 10.244.0.93:56712->10.96.0.10:53: i/o timeout"),
            "read udp <ip>:<port>-><ip>:<port>: i/o timeout"
        );
        assert_eq!(normal.text("pod x(ce1a4360-1b31-4d4b-a9c1-e896cb422495)"), "pod x(<uid>)");
    }
}
