//! From the tree to a checked [`Scenario`].

use std::path::Path;

use super::fields::{Fields, Problems};
use super::model::{Bootstrap, Scenario};
use super::problem::BadScenario;
use super::tree::{self, Node};
use super::{expectations, steps};
use crate::world::{BootstrapMode, Capability};

/// The release that is installed where a scenario names none.
pub const DEFAULT_RELEASE: &str = "1.0-rc5";
/// The profile that is used where a scenario names none.
pub const DEFAULT_PROFILE: &str = "single-node";

/// Reads one scenario.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read(path: &Path, source: &str) -> Result<Scenario, BadScenario> {
    let root = match tree::parse(source) {
        Ok(root) => root,
        Err(problem) => return Err(BadScenario::new(path, source, vec![problem])),
    };
    let mut problems = Problems::default();
    let scenario = scenario(root, path, &mut problems);
    match scenario {
        Some(scenario) if problems.0.is_empty() => Ok(scenario),
        _ => Err(BadScenario::new(path, source, problems.0)),
    }
}

fn scenario(root: Node, path: &Path, problems: &mut Problems) -> Option<Scenario> {
    let place = root.place;
    let mut fields = Fields::new(root, "a scenario", problems);
    let name = fields.need("name").and_then(|node| name(&node, path, fields.problems));
    let story = fields.need("story").and_then(|node| fields.problems.text(&node, "the story"));
    let requires =
        fields.take("requires").map(|node| capabilities(node, fields.problems)).unwrap_or_default();
    let release = fields.take("release").and_then(|node| fields.problems.text(&node, "the release"));
    let profile = fields.take("profile").and_then(|node| fields.problems.text(&node, "the profile"));
    let bootstrap = fields.take("bootstrap").map(|node| bootstrap(node, fields.problems)).unwrap_or_default();
    let faults = fields.take("faults").map(|node| steps::faults(node, fields.problems)).unwrap_or_default();
    let acts = fields.take("acts").map(|node| steps::acts(node, fields.problems)).unwrap_or_default();
    let expect = fields.need("expect").map(|node| expectations::expect(node, fields.problems));
    let healing = fields.take("heal");
    let heals = healing.is_some();
    let heal = healing.map(|node| steps::heals(node, fields.problems)).unwrap_or_default();
    let recovers =
        fields.take("recovers").map(|node| expectations::document(node, "recovers", fields.problems));
    fields.finish();
    if heals && recovers.is_none() {
        problems.add(place, "a scenario that heals says with `recovers` what holds at the end");
    }
    let (name, expect) = (name?, expect?);
    Some(Scenario {
        name,
        path: path.to_owned(),
        story: story?.split_whitespace().collect::<Vec<_>>().join(" "),
        requires,
        release: release.unwrap_or_else(|| DEFAULT_RELEASE.to_owned()),
        profile: profile.unwrap_or_else(|| DEFAULT_PROFILE.to_owned()),
        bootstrap,
        faults,
        acts,
        expect,
        heal,
        recovers,
    })
}

/// The scenario's name, which is its file's.
fn name(node: &Node, path: &Path, problems: &mut Problems) -> Option<String> {
    let name = problems.text(node, "the name")?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.chars().all(fits) || name.starts_with('-') {
        problems.add(node.place, format!("`{name}` is not a name of lower-case letters, digits and dashes"));
        return None;
    }
    let file = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if file != name {
        problems
            .add(node.place, format!("the name is `{name}` and the file's is `{file}`; they are the same"));
        return None;
    }
    Some(name)
}

fn capabilities(node: Node, problems: &mut Problems) -> Vec<Capability> {
    let names: Vec<&'static str> = Capability::ALL.iter().map(|capability| capability.name()).collect();
    let mut found = Vec::new();
    for item in problems.list(node, "requires") {
        let name = problems.one_of(&item, "capability", &names);
        found.extend(name.and_then(|name| name.parse::<Capability>().ok()));
    }
    found
}

fn bootstrap(node: Node, problems: &mut Problems) -> Bootstrap {
    let mut fields = Fields::new(node, "bootstrap", problems);
    let mode = fields
        .take("mode")
        .and_then(|node| fields.problems.one_of(&node, "bootstrap mode", &["fresh", "recover"]));
    let dns_servers = fields.take("dns-servers").map(|node| texts(node, "dns-servers", fields.problems));
    let arguments = fields.take("arguments").map(|node| texts(node, "arguments", fields.problems));
    fields.finish();
    Bootstrap {
        mode: if mode == Some("recover") { BootstrapMode::Recover } else { BootstrapMode::Fresh },
        dns_servers: dns_servers.unwrap_or_default(),
        arguments: arguments.unwrap_or_default(),
    }
}

fn texts(node: Node, what: &str, problems: &mut Problems) -> Vec<String> {
    let items = problems.list(node, what);
    items.iter().filter_map(|item| problems.text(item, "an item")).collect()
}
