//! Charts: what they are made of, and where they come from.

pub(crate) mod active;
mod archive;
pub(crate) mod dependencies;
mod directory;
mod ignore;
mod load;
pub(crate) mod metadata;
mod pattern;

use std::path::Path;
use std::sync::Arc;

use metadata::Metadata;

/// A file of a chart, named from the chart's root on.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path with slashes.
    pub name: String,
    /// What is in it.
    pub data: Arc<[u8]>,
}

/// A chart that can be rendered any number of times.
#[derive(Clone, Debug)]
pub struct Chart {
    pub(crate) metadata: Metadata,
    pub(crate) values: serde_json::Value,
    /// What its values must be like, in JSON.
    pub(crate) schema: Option<String>,
    pub(crate) templates: Vec<File>,
    pub(crate) files: Vec<File>,
    pub(crate) dependencies: Vec<Self>,
}

/// Why something is no chart.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The archive cannot be unpacked.
    #[error("unpack chart archive")]
    Unpack(#[source] std::io::Error),
    /// A file cannot be read.
    #[error("read chart file {path}")]
    Read {
        /// The file or directory.
        path: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// What is in it makes no chart; in Helm's words.
    #[error("{0}")]
    Invalid(String),
}

impl Chart {
    /// The chart in a gzipped tar archive.
    pub fn from_archive(bytes: &[u8]) -> Result<Self, LoadError> {
        load::chart(archive::files(bytes)?)
    }

    /// The chart in a directory, without what its `.helmignore` says.
    pub fn from_dir(directory: &Path) -> Result<Self, LoadError> {
        load::chart(directory::files(directory)?)
    }

    /// The chart of some files, subcharts being below `charts/`.
    pub fn from_files(files: impl IntoIterator<Item = File>) -> Result<Self, LoadError> {
        load::chart(files.into_iter().collect())
    }

    /// The name in `Chart.yaml`.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The version in `Chart.yaml`.
    pub fn version(&self) -> &str {
        &self.metadata.version
    }

    /// The version of what it installs, empty if it does not say.
    pub fn app_version(&self) -> &str {
        &self.metadata.app_version
    }
}

impl File {
    /// A file of a name and contents.
    pub fn new(name: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), data: data.into().into() }
    }
}
