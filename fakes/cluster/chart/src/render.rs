//! From a chart and values to the objects of a release.

use std::collections::BTreeMap;
use std::thread;

use serde_json::Value as Json;

use crate::capabilities::Capabilities;
use crate::chart::Chart;
use crate::chart::active::Active;
use crate::chart::dependencies::is_compatible;
use crate::engine;
use crate::lookup::Lookup;
use crate::manifest::{self, Hook, Manifest};
use crate::release::Release;
use crate::schema;
use crate::value::{Map, Value, text};
use crate::values::coalesce::{Nulls, coalesce};
use crate::values::{from_values, to_json};

/// What a chart renders to.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The objects of the release, in the order in which they are installed.
    pub manifests: Vec<Manifest>,
    /// The objects that are created at certain times only.
    pub hooks: Vec<Hook>,
    /// What is said to whoever installs it.
    pub notes: String,
    /// The definitions in `crds` folders, which no template can change.
    pub crds: Vec<Manifest>,
    /// All objects and hooks as `helm template` prints them.
    pub text: String,
    /// The values that the templates of the chart itself see.
    pub values: Json,
}

/// Why a chart cannot be rendered, in the words of Helm.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct RenderError(pub String);

/// Templates may call each other a thousand deep.
const STACK: usize = 512 << 20;

impl Chart {
    /// Renders the chart for a release.
    pub fn render(
        &self,
        release: &Release,
        user_values: &Json,
        capabilities: &Capabilities,
        lookup: &dyn Lookup,
    ) -> Result<Rendered, RenderError> {
        let work = || self.render_here(release, user_values, capabilities, lookup);
        thread::scope(|scope| {
            let builder = thread::Builder::new().name("chart".into()).stack_size(STACK);
            match builder.spawn_scoped(scope, work) {
                Ok(handle) => handle.join().unwrap_or_else(|_| Err("rendering template failed".into())),
                Err(error) => Err(format!("rendering template failed: {error}")),
            }
        })
        .map_err(RenderError)
    }

    /// What Helm looks at before anything else.
    fn check_installable(&self) -> Result<(), String> {
        if self.metadata.kind == "library" {
            return Err("library charts are not installable".into());
        }
        let is_there = |name: &str| self.dependencies.iter().any(|sub| sub.name() == name);
        let wanted = self.metadata.dependencies.iter().flatten();
        let missing: Vec<&str> =
            wanted.map(|wanted| wanted.name.as_str()).filter(|name| !is_there(name)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!(
            "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {}",
            missing.join(", ")
        ))
    }

    fn render_here(
        &self,
        release: &Release,
        user_values: &Json,
        capabilities: &Capabilities,
        lookup: &dyn Lookup,
    ) -> Result<Rendered, String> {
        let user = match from_values(user_values) {
            Value::Map(map) => map,
            _ => Map::empty(),
        };
        self.check_installable()?;
        let mut chart = Active::new(self);
        chart
            .process_dependencies(&user)
            .map_err(|error| format!("chart dependencies processing failed: {}", error.0))?;
        let values = coalesce(&chart, &user, Nulls::Remove).map_err(|error| error.0)?;
        let seen = to_json(&values.clone().into());
        schema::check(&chart, &seen)?;
        chart.check_kube_version(capabilities)?;
        let mut rendered = engine::render(&chart, &values, release, capabilities, lookup)?;
        let notes = take_notes(&mut rendered, chart.name());
        let sorted = manifest::sort(&rendered)?;
        let text = print(&sorted.manifests, &sorted.hooks);
        Ok(Rendered {
            manifests: sorted.manifests,
            hooks: sorted.hooks,
            notes,
            crds: crds(&chart)?,
            text,
            values: seen,
        })
    }
}

impl Active<'_> {
    fn check_kube_version(&self, capabilities: &Capabilities) -> Result<(), String> {
        let wanted = &self.metadata.kube_version;
        let facts = capabilities.facts();
        if wanted.is_empty() || is_compatible(wanted, &facts.normalized) {
            return Ok(());
        }
        Err(format!(
            "chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {}",
            facts.version
        ))
    }
}

/// Takes the notes out of what was rendered; only those of the chart itself count.
fn take_notes(rendered: &mut BTreeMap<String, String>, chart: &str) -> String {
    let own = rendered.remove(&format!("{chart}/templates/NOTES.txt"));
    rendered.retain(|path, _| !path.ends_with("NOTES.txt"));
    own.unwrap_or_default()
}

fn print(manifests: &[Manifest], hooks: &[Hook]) -> String {
    let document =
        |manifest: &Manifest| format!("---\n# Source: {}\n{}\n", manifest.source, manifest.content);
    let all: String = manifests.iter().map(document).collect();
    let hooks: String = hooks.iter().map(|hook| document(&hook.manifest)).collect();
    format!("{}\n{hooks}", all.trim())
}

fn crds(chart: &Active<'_>) -> Result<Vec<Manifest>, String> {
    let mut crds = Vec::new();
    for (path, file) in chart.crds(chart.name()) {
        let rendered = BTreeMap::from([(path, text::from_bytes(&file.data))]);
        crds.append(&mut manifest::sort(&rendered)?.manifests);
    }
    Ok(crds)
}
