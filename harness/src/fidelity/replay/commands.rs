//! The commands of cases: the few verbs of kubectl that change a cluster or wait for it, done through the API.

use std::time::Duration;

use cluster_api::KindInfo;
use serde_json::{Value, json};

use super::ReplayError;
use super::lab::Lab;
use super::steps::unknown;
use crate::fidelity::case::Case;
use crate::recording::Api;

/// How often a waiting command looks.
const LOOK: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(300);

/// A command's words, sorted.
struct Words<'a> {
    namespace: &'a str,
    plain: Vec<&'a str>,
    options: Vec<(&'a str, &'a str)>,
}

impl<'a> Words<'a> {
    fn read(command: &'a str, default: &'a str) -> Self {
        let mut words = Self { namespace: default, plain: Vec::new(), options: Vec::new() };
        let mut rest = command.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
        while let Some(word) = rest.next() {
            match word {
                "-n" | "--namespace" => words.namespace = rest.next().unwrap_or(default),
                "-l" | "--selector" => words.options.push(("selector", rest.next().unwrap_or_default())),
                "-p" | "--patch" => words.options.push(("patch", rest.next().unwrap_or_default())),
                _ if word.starts_with("--") => {
                    let word = word.trim_start_matches('-');
                    words.options.push(word.split_once('=').unwrap_or((word, "true")));
                }
                _ => words.plain.push(word),
            }
        }
        words
    }

    fn option(&self, name: &str) -> Option<&'a str> {
        self.options.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// What commands are done to.
pub(super) struct Hand<'a> {
    pub(super) case: &'a Case,
    pub(super) lab: &'a Lab,
    pub(super) api: &'a Api,
}

/// Does the commands of a line, one after the other.
pub(super) async fn run(hand: &Hand<'_>, line: &str) -> Result<(), ReplayError> {
    for command in line.split(';').map(str::trim).filter(|command| !command.is_empty() && *command != "true")
    {
        let Some(command) = command.strip_prefix("kubectl ") else { return Err(unknown(hand.case, command)) };
        let words = Words::read(command, "default");
        let known = match words.plain.split_first() {
            Some((&"scale", objects)) => hand.scale(&words, objects).await,
            Some((&"delete", objects)) => hand.delete(&words, objects).await,
            Some((&("annotate" | "label"), objects)) => hand.note(&words, objects).await,
            Some((&"patch", objects)) => hand.patch(&words, objects).await,
            Some((&"wait", objects)) => hand.wait(&words, objects).await,
            Some((&"rollout", objects)) => hand.rollout(&words, objects).await,
            _ => None,
        };
        known.ok_or_else(|| unknown(hand.case, command))?;
    }
    Ok(())
}

impl Hand<'_> {
    /// The kind that a word of kubectl means.
    fn kind(&self, word: &str) -> Option<KindInfo> {
        let store = self.lab.cluster.store();
        let word = word.split('.').next().unwrap_or(word).to_lowercase();
        let found = store.kinds().into_iter().find(|info| {
            info.res.plural == word || info.kind.to_lowercase() == word || info.short_names.contains(&word)
        });
        found.map(|info| KindInfo::clone(&info))
    }

    /// Kinds and names: `KIND/NAME …`, `KIND NAME …` or `KIND -l SELECTOR`.
    fn objects(&self, words: &Words<'_>, plain: &[&str]) -> Option<Vec<(KindInfo, String)>> {
        let first = plain.first()?;
        if first.contains('/') {
            let pairs = plain.iter().filter_map(|word| word.split_once('/'));
            return pairs.map(|(kind, name)| Some((self.kind(kind)?, name.to_owned()))).collect();
        }
        let info = self.kind(first)?;
        if let Some(selector) = words.option("selector") {
            let wanted: Vec<(&str, &str)> =
                selector.split(',').filter_map(|pair| pair.split_once('=')).collect();
            let all = self.lab.cluster.store().list(&info.res, Some(words.namespace));
            let fits = |object: &Value| {
                wanted.iter().all(|(key, value)| {
                    cluster_api::object::label(object, key.trim_end_matches('='))
                        == Some(value.trim_start_matches('='))
                })
            };
            let names =
                all.iter().filter(|object| fits(object)).map(|o| cluster_api::object::name(o).to_owned());
            return Some(names.map(|name| (info.clone(), name)).collect());
        }
        let names = plain[1..].iter().filter(|name| !name.contains('='));
        Some(names.map(|name| (info.clone(), (*name).to_owned())).collect())
    }

    fn path(info: &KindInfo, namespace: &str, name: &str) -> String {
        let group = &info.res.group;
        let version =
            if group.is_empty() { info.version.to_string() } else { format!("{group}/{}", info.version) };
        super::steps::path(info, &version, namespace, name)
    }

    /// What the API refuses was refused to the recorder as well.
    async fn merge(&self, words: &Words<'_>, objects: &[(KindInfo, String)], patch: &Value) {
        for (info, name) in objects {
            let _ = self.api.merge(&Self::path(info, words.namespace, name), patch).await;
        }
    }

    async fn scale(&self, words: &Words<'_>, plain: &[&str]) -> Option<()> {
        let replicas: u64 = words.option("replicas")?.parse().ok()?;
        let objects = self.objects(words, plain)?;
        self.merge(words, &objects, &json!({"spec": {"replicas": replicas}})).await;
        Some(())
    }

    async fn note(&self, words: &Words<'_>, plain: &[&str]) -> Option<()> {
        let (pairs, objects): (Vec<&str>, Vec<&str>) =
            plain[1..].iter().partition(|word| word.contains('=') || word.ends_with('-'));
        let objects = self.objects(words, &[&plain[..1], &objects].concat())?;
        let field = if words.plain.first() == Some(&"label") { "labels" } else { "annotations" };
        let mut notes = json!({});
        for pair in pairs {
            match pair.split_once('=') {
                Some((key, value)) => notes[key] = json!(value.trim_matches(['"', '\''])),
                None => notes[pair.trim_end_matches('-')] = Value::Null,
            }
        }
        self.merge(words, &objects, &json!({"metadata": {field: notes}})).await;
        Some(())
    }

    async fn patch(&self, words: &Words<'_>, plain: &[&str]) -> Option<()> {
        let patch: Value = serde_json::from_str(words.option("patch")?).ok()?;
        let objects = self.objects(words, plain)?;
        self.merge(words, &objects, &patch).await;
        Some(())
    }

    async fn delete(&self, words: &Words<'_>, plain: &[&str]) -> Option<()> {
        let objects = self.objects(words, plain)?;
        let mut options = json!({"propagationPolicy": words.option("cascade").map_or("Background", cascade)});
        let grace = words.option("grace-period").and_then(|grace| grace.parse::<i64>().ok());
        if let Some(grace) = grace.or(words.option("now").map(|_| 1)) {
            options["gracePeriodSeconds"] = json!(grace);
        }
        for (info, name) in &objects {
            let _ = self.api.delete(&Self::path(info, words.namespace, name), &options).await;
        }
        if words.option("wait") != Some("false") && words.option("force").is_none() {
            self.until(words, || objects.iter().all(|(info, name)| self.get(info, words, name).is_none()))
                .await;
        }
        Some(())
    }

    fn get(&self, info: &KindInfo, words: &Words<'_>, name: &str) -> Option<std::sync::Arc<Value>> {
        let namespace = if info.namespaced { words.namespace } else { "" };
        self.lab.cluster.store().get(&info.res, namespace, name)
    }

    async fn wait(&self, words: &Words<'_>, plain: &[&str]) -> Option<()> {
        let objects = self.objects(words, plain)?;
        match words.option("for")? {
            "delete" => {
                self.until(words, || {
                    objects.iter().all(|(info, name)| self.get(info, words, name).is_none())
                })
                .await;
            }
            wanted => {
                let condition = wanted.strip_prefix("condition=")?;
                let (kind, status) = condition.split_once('=').unwrap_or((condition, "true"));
                let holds = |object: &Value| {
                    let found =
                        object["status"]["conditions"].as_array().into_iter().flatten().find(|found| {
                            found["type"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(kind))
                        });
                    found
                        .and_then(|found| found["status"].as_str())
                        .is_some_and(|s| s.eq_ignore_ascii_case(status))
                };
                let all = || {
                    objects
                        .iter()
                        .all(|(info, name)| self.get(info, words, name).is_some_and(|object| holds(&object)))
                };
                self.until(words, all).await;
            }
        }
        Some(())
    }

    async fn rollout(&self, words: &Words<'_>, plain: &[&str]) -> Option<()> {
        let (verb, plain) = plain.split_first()?;
        let objects = self.objects(words, plain)?;
        match *verb {
            "status" => {
                let done = |object: &Value| {
                    let count = |field: &str| object["status"][field].as_u64().unwrap_or(0);
                    let wanted = object["spec"]["replicas"].as_u64().unwrap_or(1);
                    object["status"]["observedGeneration"] == object["metadata"]["generation"]
                        && count("updatedReplicas") >= wanted
                        && count("replicas") <= count("updatedReplicas")
                        && count("availableReplicas") >= count("updatedReplicas")
                };
                let all = || {
                    objects
                        .iter()
                        .all(|(info, name)| self.get(info, words, name).is_some_and(|object| done(&object)))
                };
                self.until(words, all).await;
            }
            "restart" => {
                let at = self.lab.cluster.store().clock().now().to_string();
                let patch = json!({"spec": {"template": {"metadata": {"annotations": {
                    "kubectl.kubernetes.io/restartedAt": at}}}}});
                self.merge(words, &objects, &patch).await;
            }
            _ => return None,
        }
        Some(())
    }

    /// Looks again and again, no longer than the command's own timeout.
    async fn until(&self, words: &Words<'_>, done: impl Fn() -> bool) {
        let clock = self.lab.cluster.store().clock();
        let limit = words.option("timeout").and_then(seconds).unwrap_or(LONGEST);
        let end = clock.now() + limit;
        while !done() && clock.now() < end {
            clock.sleep(LOOK).await;
        }
    }
}

fn cascade(word: &str) -> &'static str {
    match word {
        "orphan" => "Orphan",
        "foreground" => "Foreground",
        _ => "Background",
    }
}

/// `60s`, `2m`.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let number: u64 = number.parse().ok()?;
    Some(Duration::from_secs(number * if unit == "m" { 60 } else { 1 }))
}
