//! What templates can learn from a cluster.

use serde_json::Value;

/// Looks objects up for the `lookup` function.
pub trait Lookup: Sync {
    /// The object of a name, or with an empty name a list of objects; an empty object if there is none.
    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Value, LookupError>;
}

/// Why nothing can be looked up, in the words that the template error shall repeat.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct LookupError(pub String);

/// No cluster at all, as `helm template` has none: nothing is ever found.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCluster;

impl Lookup for NoCluster {
    fn lookup(&self, _: &str, _: &str, _: &str, _: &str) -> Result<Value, LookupError> {
        Ok(Value::Object(serde_json::Map::new()))
    }
}
