//! The configuration that is published for the appliance's releases, and what its publisher got wrong in it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::world::WorldError;

/// The file with the status service's roles.
const ROLES: &str = "platform/status-rbac.yaml";

/// What may not be read: a resource or all of them, in one way or in all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::world) struct Lack {
    pub(in crate::world) resource: Option<String>,
    pub(in crate::world) verb: Option<String>,
}

/// The files of the configuration, with what is wrong with them.
#[derive(Debug)]
pub(in crate::world) struct Configuration {
    /// The release that is installed.
    pub(in crate::world) release: String,
    wrong: RefCell<Wrong>,
    newest: RefCell<BTreeSet<String>>,
}

#[derive(Debug, Default)]
struct Wrong {
    withheld: BTreeSet<String>,
    absent: BTreeSet<String>,
    charts: BTreeMap<String, String>,
    lacks: Vec<Lack>,
}

impl Configuration {
    pub(in crate::world) fn of(release: &str) -> Self {
        Self { release: release.to_owned(), wrong: RefCell::default(), newest: RefCell::default() }
    }

    /// A release's configuration is not published any more.
    pub(in crate::world) fn withhold(&self, release: &str) {
        self.wrong.borrow_mut().withheld.insert(release.to_owned());
    }

    /// Leaves a HelmRelease out.
    pub(in crate::world) fn leave_out(&self, release: &str) {
        self.wrong.borrow_mut().absent.insert(release.to_owned());
    }

    /// Names another version of a HelmRelease's chart.
    pub(in crate::world) fn choose_chart(&self, release: &str, version: &str) {
        self.wrong.borrow_mut().charts.insert(release.to_owned(), version.to_owned());
    }

    /// Takes something from the status service's roles.
    pub(in crate::world) fn lack(&self, lack: Lack) {
        self.wrong.borrow_mut().lacks.push(lack);
    }

    /// Makes good what is wrong with a HelmRelease; whether anything was.
    pub(in crate::world) fn mend_release(&self, release: &str) -> bool {
        let mut wrong = self.wrong.borrow_mut();
        let chart = wrong.charts.remove(release).is_some();
        wrong.absent.remove(release) || chart
    }

    /// Makes the roles whole again; whether they were not.
    pub(in crate::world) fn mend_roles(&self) -> bool {
        !std::mem::take(&mut self.wrong.borrow_mut().lacks).is_empty()
    }

    /// Makes everything whole again, and publishes a release that was withheld.
    pub(in crate::world) fn mend(&self, release: &str) {
        let mut wrong = self.wrong.borrow_mut();
        wrong.withheld.remove(release);
        let withheld = std::mem::take(&mut wrong.withheld);
        *wrong = Wrong { withheld, ..Wrong::default() };
    }

    /// The releases whose configuration is published.
    pub(in crate::world) fn published(&self) -> Vec<String> {
        let all = fixtures::files("releases/").map(|(path, _)| path);
        let all = all.map(|path| path.trim_start_matches("releases/").trim_end_matches(".json").to_owned());
        all.filter(|release| !self.wrong.borrow().withheld.contains(release)).collect()
    }

    /// What was published last; of what was published before only that counts.
    pub(in crate::world) fn pushed(&self, digest: &str) {
        self.newest.borrow_mut().insert(digest.to_owned());
    }

    /// The digests under which the configuration is published as it is now.
    pub(in crate::world) fn newest(&self) -> BTreeSet<String> {
        self.newest.borrow().clone()
    }

    /// The files as they are published now.
    pub(in crate::world) fn files(&self) -> Result<BTreeMap<String, Bytes>, WorldError> {
        self.newest.borrow_mut().clear();
        let wrong = self.wrong.borrow();
        let mut files: BTreeMap<String, Bytes> = fixtures::files("flux/")
            .map(|(path, bytes)| (path.trim_start_matches("flux/").to_owned(), Bytes::from_static(bytes)))
            .collect();
        for release in &wrong.absent {
            let Some(tier) = tier_of(release) else { continue };
            files.remove(&format!("{tier}/{release}.yaml"));
            if let Some(list) = files.get_mut(&format!("{tier}/kustomization.yaml")) {
                *list = without_line(list, &format!("- {release}.yaml"));
            }
        }
        for (release, version) in &wrong.charts {
            let path = tier_of(release).map(|tier| format!("{tier}/{release}.yaml")).unwrap_or_default();
            if let Some(file) = files.get_mut(&path) {
                let mut object: Value = serde_saphyr::from_slice(file)?;
                object["spec"]["chart"]["spec"]["version"] = json!(version);
                *file = serde_json::to_vec_pretty(&object)?.into();
            }
        }
        if !wrong.lacks.is_empty()
            && let Some(file) = files.get_mut(ROLES)
        {
            let text = String::from_utf8_lossy(file).into_owned();
            let mut objects: Vec<Value> = serde_saphyr::from_multiple(&text)?;
            let mut written = String::new();
            for object in &mut objects {
                wrong.lacks.iter().for_each(|lack| take_from(object, lack));
                written.push_str("---\n");
                written.push_str(&serde_json::to_string_pretty(object)?);
                written.push('\n');
            }
            *file = written.into();
        }
        Ok(files)
    }

    /// The roles as they are published now.
    pub(in crate::world) fn roles(&self) -> Result<Vec<Value>, WorldError> {
        let files = self.files()?;
        let text =
            files.get(ROLES).map(|file| String::from_utf8_lossy(file).into_owned()).unwrap_or_default();
        let mut objects: Vec<Value> = serde_saphyr::from_multiple(&text)?;
        objects.retain(|object| object["rules"].is_array());
        Ok(objects)
    }
}

/// The folder of a release's tier.
fn tier_of(release: &str) -> Option<&'static str> {
    ["core", "background"]
        .into_iter()
        .find(|tier| fixtures::file(&format!("flux/{tier}/{release}.yaml")).is_some())
}

fn without_line(file: &Bytes, line: &str) -> Bytes {
    let text = String::from_utf8_lossy(file);
    text.lines().filter(|it| it.trim() != line).flat_map(|it| [it, "\n"]).collect::<String>().into()
}

/// Takes a right out of a role's rules; a rule that is about other resources too is split.
fn take_from(role: &mut Value, lack: &Lack) {
    let Some(rules) = role.get_mut("rules").and_then(Value::as_array_mut) else { return };
    let mut left = Vec::new();
    for rule in rules.drain(..) {
        let names = |field: &str| -> Vec<String> {
            let list = rule[field].as_array().into_iter().flatten();
            list.filter_map(|it| it.as_str().map(str::to_owned)).collect()
        };
        let (resources, verbs) = (names("resources"), names("verbs"));
        let (hit, spared): (Vec<String>, Vec<String>) = resources
            .into_iter()
            .partition(|it| lack.resource.as_ref().is_none_or(|resource| resource == it));
        let kept: Vec<String> =
            verbs.iter().filter(|it| lack.verb.as_ref().is_some_and(|verb| verb != *it)).cloned().collect();
        for (resources, verbs) in [(spared, verbs), (hit, kept)] {
            if !resources.is_empty() && !verbs.is_empty() {
                let mut part = rule.clone();
                part["resources"] = json!(resources);
                part["verbs"] = json!(verbs);
                left.push(part);
            }
        }
    }
    *rules = left;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lack(resource: Option<&str>, verb: Option<&str>) -> Lack {
        Lack { resource: resource.map(str::to_owned), verb: verb.map(str::to_owned) }
    }

    #[test]
    fn a_right_that_is_lacking_takes_no_other_with_it() {
        let mut role =
            json!({"rules": [{"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get", "list"]}]});
        take_from(&mut role, &lack(Some("pods"), Some("list")));
        assert_eq!(
            role["rules"],
            json!([{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]},
                {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])
        );
        take_from(&mut role, &lack(None, None));
        assert_eq!(role["rules"], json!([]));
    }

    #[test]
    fn what_is_left_out_is_there_again_once_it_is_mended() {
        let configuration = Configuration::of("1.0-rc5");
        let whole = configuration.files().unwrap();
        configuration.leave_out("temporal");
        let files = configuration.files().unwrap();
        assert!(!files.contains_key("background/temporal.yaml"));
        assert!(
            !String::from_utf8_lossy(&files["background/kustomization.yaml"]).contains("- temporal.yaml")
        );
        assert!(files.contains_key("background/temporal-worker.yaml"));
        assert!(configuration.mend_release("temporal") && !configuration.mend_release("temporal"));
        assert_eq!(configuration.files().unwrap(), whole);
    }
}
