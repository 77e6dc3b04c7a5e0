//! A chart on its way through rendering: its values can change, its subcharts come and go.

use super::metadata::Metadata;
use super::{Chart, File};
use crate::value::{Map, Value};
use crate::values::from_values;

/// A chart with the values and subcharts that take part.
#[derive(Clone, Debug)]
pub(crate) struct Active<'a> {
    pub(crate) chart: &'a Chart,
    pub(crate) metadata: Metadata,
    pub(crate) values: Map,
    pub(crate) dependencies: Vec<Self>,
}

impl<'a> Active<'a> {
    pub(crate) fn new(chart: &'a Chart) -> Self {
        let values = match from_values(&chart.values) {
            Value::Map(map) => map,
            _ => Map::empty(),
        };
        let dependencies = chart.dependencies.iter().map(Self::new).collect();
        Self { chart, metadata: chart.metadata.clone(), values, dependencies }
    }

    /// The name, or its alias.
    pub(crate) fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The objects of its `crds` folder and those of its subcharts, with the paths of their files.
    pub(crate) fn crds(&self, path: &str) -> Vec<(String, &'a File)> {
        let own = self.chart.files.iter().filter(|file| {
            let is_manifest = [".yaml", ".yml", ".json"].iter().any(|ending| file.name.ends_with(ending));
            file.name.starts_with("crds/") && is_manifest
        });
        let mut crds: Vec<_> = own.map(|file| (format!("{path}/{}", file.name), file)).collect();
        for sub in &self.dependencies {
            crds.extend(sub.crds(&format!("{path}/charts/{}", sub.name())));
        }
        crds
    }
}
