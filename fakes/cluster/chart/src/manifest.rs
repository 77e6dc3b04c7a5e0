//! Cuts rendered texts into objects and hooks, and puts them in order.

mod head;
mod order;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::engine::is_partial;
use crate::values::to_json;
use head::Head;

/// An object of a release.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The template it comes from.
    pub source: String,
    /// Its text, as it was rendered.
    pub content: String,
    /// Its kind, empty if it has none.
    pub kind: String,
    /// The object; null if there are only comments.
    pub value: Json,
}

/// An object that is created at certain times only.
#[derive(Clone, Debug)]
pub struct Hook {
    /// The object.
    pub manifest: Manifest,
    /// Its name.
    pub name: String,
    /// When it is created, such as `pre-install`.
    pub events: Vec<String>,
    /// Its place among the hooks of one event.
    pub weight: i64,
    /// When it is deleted, such as `hook-succeeded`.
    pub delete_policies: Vec<String>,
}

/// What the templates have rendered.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    pub(crate) manifests: Vec<Manifest>,
    pub(crate) hooks: Vec<Hook>,
}

const EVENTS: [&str; 10] = [
    "pre-install",
    "post-install",
    "pre-delete",
    "post-delete",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
    "test",
    "test-success",
];

/// Sorts what has been rendered into objects and hooks, in the order of their kinds.
pub(crate) fn sort(rendered: &BTreeMap<String, String>) -> Result<Sorted, String> {
    let mut sorted = Sorted::default();
    for (path, text) in rendered {
        if is_partial(path) {
            continue;
        }
        for content in split(text) {
            let (head, value) =
                Head::read(content).map_err(|error| format!("YAML parse error on {path}: {error}"))?;
            let manifest = Manifest {
                source: path.clone(),
                content: content.into(),
                kind: head.kind.clone(),
                value: to_json(&value),
            };
            match head.annotation("helm.sh/hook") {
                None => sorted.manifests.push(manifest),
                Some(events) => sorted.hooks.extend(hook(manifest, &head, events)),
            }
        }
    }
    sorted.manifests.sort_by(|left, right| order::compare(&left.kind, &right.kind));
    sorted.hooks.sort_by(|left, right| order::compare(&left.manifest.kind, &right.manifest.kind));
    Ok(sorted)
}

/// A hook, unless it is for an event that nobody knows.
fn hook(manifest: Manifest, head: &Head, events: &str) -> Option<Hook> {
    let events = list(events);
    if !events.iter().all(|event| EVENTS.contains(&event.as_str())) {
        return None;
    }
    let events = events.into_iter().map(|event| if event == "test-success" { "test".into() } else { event });
    Some(Hook {
        manifest,
        name: head.name.clone(),
        events: events.collect(),
        weight: head.annotation("helm.sh/hook-weight").and_then(|weight| weight.parse().ok()).unwrap_or(0),
        delete_policies: head.annotation("helm.sh/hook-delete-policy").map(list).unwrap_or_default(),
    })
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(|part| part.trim().to_lowercase()).collect()
}

/// The documents of a text, at lines that begin with `---`.
fn split(text: &str) -> Vec<&str> {
    let text = text.trim_start();
    let mut documents = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if let Some(rest) = line.strip_prefix("---") {
            documents.push(&text[start..at]);
            start = at + line.len() - rest.trim_start_matches([' ', '\t']).len();
        }
        at += line.len();
    }
    documents.push(&text[start..]);
    documents.retain(|document| !document.trim().is_empty());
    documents.into_iter().map(str::trim_start).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{sort, split};

    #[test]
    fn documents_are_cut_even_where_something_follows_the_dashes() {
        assert_eq!(split("\n---\na: 1\n--- \n\n---b: 2\n---\n# c\n"), ["a: 1\n", "b: 2\n", "# c\n"]);
    }

    #[test]
    fn objects_come_in_the_order_in_which_they_are_installed() {
        let text = "kind: Deployment\n---\nkind: Zebra\n---\nkind: Secret\n---\nkind: Apple\n---\nkind: Job\nmetadata:\n  name: j\n  annotations: {helm.sh/hook: 'pre-install, post-install', helm.sh/hook-weight: -5}\n";
        let rendered = BTreeMap::from([("c/templates/a.yaml".to_owned(), text.to_owned())]);
        let sorted = sort(&rendered).expect("manifests");
        let kinds: Vec<&str> = sorted.manifests.iter().map(|manifest| manifest.kind.as_str()).collect();
        assert_eq!(kinds, ["Secret", "Deployment", "Apple", "Zebra"]);
        assert_eq!(sorted.hooks[0].events, ["pre-install", "post-install"]);
        assert_eq!((sorted.hooks[0].weight, sorted.hooks[0].name.as_str()), (-5, "j"));
    }
}
