//! Which subcharts take part, and which of their values their parents take over.

use super::active::Active;
use super::metadata::{Dependency, Metadata};
use crate::functions::semver::{Constraints, Version};
use crate::value::{Map, Value};
use crate::values::coalesce::{Nulls, TypeMismatch, coalesce, merge_tables};
use crate::values::{deep_copy, path};

impl Active<'_> {
    /// Drops the subcharts that conditions and tags switch off, and imports values from the others.
    pub(crate) fn process_dependencies(&mut self, user: &Map) -> Result<(), TypeMismatch> {
        self.switch(user, "")?;
        self.import_values()
    }

    fn switch(&mut self, values: &Map, prefix: &str) -> Result<(), TypeMismatch> {
        let Some(mut wanted) = self.metadata.dependencies.take() else {
            return Ok(());
        };
        self.choose_subcharts(&mut wanted);
        for dependency in &mut wanted {
            dependency.enabled = true;
        }
        let merged = coalesce(self, values, Nulls::Remove)?;
        for dependency in &mut wanted {
            apply_tags(dependency, &merged);
            apply_condition(dependency, &merged, prefix);
        }
        let off: Vec<String> = wanted
            .iter()
            .filter(|dependency| !dependency.enabled)
            .map(|dependency| dependency.name.clone())
            .collect();
        self.dependencies.retain(|sub| !off.iter().any(|name| name == sub.name()));
        wanted.retain(|dependency| !off.contains(&dependency.name));
        for sub in &mut self.dependencies {
            let prefix = format!("{prefix}{}.", sub.name());
            sub.switch(&merged, &prefix)?;
        }
        self.metadata.dependencies = if wanted.is_empty() { None } else { Some(wanted) };
        Ok(())
    }

    /// Takes one copy of a subchart for each time it is asked for, under its alias.
    fn choose_subcharts(&mut self, wanted: &mut [Dependency]) {
        let all = std::mem::take(&mut self.dependencies);
        let is_asked_for = |sub: &Active<'_>| wanted.iter().any(|dependency| fits(dependency, &sub.metadata));
        let mut chosen: Vec<_> = all.iter().filter(|sub| !is_asked_for(sub)).cloned().collect();
        for dependency in wanted {
            if let Some(sub) = all.iter().find(|sub| fits(dependency, &sub.metadata)) {
                let mut sub = sub.clone();
                if !dependency.alias.is_empty() {
                    sub.metadata.name = dependency.alias.clone();
                }
                chosen.push(sub);
            }
            dependency.name = dependency.key().into();
        }
        self.dependencies = chosen;
    }

    fn import_values(&mut self) -> Result<(), TypeMismatch> {
        for sub in &mut self.dependencies {
            sub.import_values()?;
        }
        let Some(dependencies) = self.metadata.dependencies.clone() else {
            return Ok(());
        };
        let merged = coalesce(self, &Map::empty(), Nulls::Keep)?;
        let imported = Map::empty();
        for dependency in &dependencies {
            for import in &dependency.import_values {
                if let Some(table) = path::table(&merged, &format!("{}.{}", dependency.name, import.child)) {
                    merge_tables(&imported, &path::nested(&import.parent, &table), Nulls::Keep);
                }
            }
        }
        let values = deep_copy(&merged);
        merge_tables(&values, &imported, Nulls::Keep);
        self.values = values;
        Ok(())
    }
}

fn fits(dependency: &Dependency, chart: &Metadata) -> bool {
    dependency.name == chart.name && is_compatible(&dependency.version, &chart.version)
}

/// Whether a version is within a range.
pub(crate) fn is_compatible(range: &str, version: &str) -> bool {
    match (Constraints::parse(range), Version::parse(version)) {
        (Ok(constraints), Ok(version)) => constraints.allow(&version),
        _ => false,
    }
}

/// Off if it has a tag that is off and none that is on.
fn apply_tags(dependency: &mut Dependency, values: &Map) {
    let Some(tags) = path::table(values, "tags") else {
        return;
    };
    let found = |wanted: bool| {
        dependency.tags.iter().any(|tag| matches!(tags.get(tag), Some(Value::Bool(flag)) if flag == wanted))
    };
    dependency.enabled = found(true) || !found(false);
}

/// The first path that leads to true or false decides.
fn apply_condition(dependency: &mut Dependency, values: &Map, prefix: &str) {
    let paths = dependency.condition.trim().split(',').filter(|path| !path.is_empty());
    let decided = paths.filter_map(|path| match path::leaf(values, &format!("{prefix}{path}")) {
        Some(Value::Bool(flag)) => Some(flag),
        _ => None,
    });
    if let Some(flag) = decided.into_iter().next() {
        dependency.enabled = flag;
    }
}
