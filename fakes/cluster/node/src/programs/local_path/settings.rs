//! Where volumes are put.

use cluster_api::kinds::CONFIG_MAPS;
use serde_json::Value;

use super::Provisioner;

const USUAL_PATH: &str = "/opt/local-path-provisioner";
const ANY_NODE: &str = "DEFAULT_PATH_FOR_NON_LISTED_NODES";

impl Provisioner {
    /// The directory for volumes of a node, as the ConfigMap `local-path-config` says.
    pub(super) fn base_path(&self, node: &str) -> String {
        let config = self.store.get(&CONFIG_MAPS, &self.namespace, "local-path-config");
        let text = config.as_ref().and_then(|c| c["data"]["config.json"].as_str()).unwrap_or("{}");
        path_for(&serde_json::from_str(text).unwrap_or_default(), node)
    }
}

fn path_for(config: &Value, node: &str) -> String {
    let map = || config["nodePathMap"].as_array().into_iter().flatten();
    let entry = map().find(|e| e["node"] == node).or_else(|| map().find(|e| e["node"] == ANY_NODE));
    let path = entry.and_then(|e| e["paths"].as_array()?.first()?.as_str());
    path.unwrap_or(USUAL_PATH).trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::path_for;
    use serde_json::json;

    #[test]
    fn a_listed_node_has_its_own_path() {
        let config = json!({"nodePathMap": [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": ["/a"]}, {"node": "n", "paths": ["/b/"]}]});
        assert_eq!((path_for(&config, "n"), path_for(&config, "m")), ("/b".to_owned(), "/a".to_owned()));
        assert_eq!(path_for(&json!({}), "n"), "/opt/local-path-provisioner");
    }
}
