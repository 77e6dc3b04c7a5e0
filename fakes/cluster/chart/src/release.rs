//! What is being installed.

use jiff::Timestamp;

use crate::value::{Map, Value};

/// The release that a chart is rendered for.
#[derive(Clone, Debug)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// The namespace it goes to.
    pub namespace: String,
    /// How often it has been installed or upgraded, this time included.
    pub revision: u32,
    /// Whether it is there already.
    pub action: Action,
    /// The time that `now` gives.
    pub now: Timestamp,
}

/// What is done with a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is not there yet.
    Install,
    /// It is there.
    Upgrade,
}

impl Release {
    /// The first installation of a release.
    pub fn install(name: impl Into<String>, namespace: impl Into<String>, now: Timestamp) -> Self {
        Self { name: name.into(), namespace: namespace.into(), revision: 1, action: Action::Install, now }
    }

    /// The `.Release` of templates.
    pub(crate) fn fields(&self) -> Map {
        let fields = Map::empty();
        fields.insert("Name", self.name.as_str().into());
        fields.insert("Namespace", self.namespace.as_str().into());
        fields.insert("Revision", Value::Int(i64::from(self.revision)));
        fields.insert("IsInstall", Value::Bool(self.action == Action::Install));
        fields.insert("IsUpgrade", Value::Bool(self.action == Action::Upgrade));
        fields.insert("Service", "Helm".into());
        fields
    }
}
