//! The cluster stands alone: nothing in its folder depends on anything of ours outside of it.

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use serde_json::Value;

    /// A package outside that tests inside may use: the registry and the resolver that the node's pulls are tried against.
    const FOR_TESTS: (&str, &str) = ("cluster-node", "fake-network");

    /// What cargo reads in the manifests of the workspace.
    fn packages() -> Vec<Value> {
        let cargo = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo is there, it runs this test");
        assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
        let mut metadata: Value = serde_json::from_slice(&cargo.stdout).expect("JSON");
        serde_json::from_value(metadata["packages"].take()).expect("a list of packages")
    }

    /// Every dependency by path of a package inside on one outside: package, dependency, kind.
    fn ways_out(packages: &[Value], inside: &Path) -> Vec<(String, String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let home = |package: &Value| PathBuf::from(text(&package["manifest_path"]));
        let mut found = Vec::new();
        for package in packages.iter().filter(|package| home(package).starts_with(inside)) {
            for dependency in package["dependencies"].as_array().into_iter().flatten() {
                let Some(path) = dependency["path"].as_str() else { continue };
                if !Path::new(path).starts_with(inside) {
                    let kind = dependency["kind"].as_str().unwrap_or("normal").to_owned();
                    found.push((text(&package["name"]), text(&dependency["name"]), kind));
                }
            }
        }
        found
    }

    #[test]
    fn no_crate_of_the_cluster_depends_on_ours_outside_its_folder() {
        let packages = packages();
        let inside = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(packages.len() > 7, "the workspace was read");
        let (of, on) = FOR_TESTS;
        let allowed = [(of.to_owned(), on.to_owned(), "dev".to_owned())];
        assert_eq!(ways_out(&packages, inside), allowed);
    }

    #[test]
    fn a_way_out_is_found() {
        let package = |dependency: &str| {
            serde_json::json!({"name": "a", "manifest_path": "/w/cluster/a/Cargo.toml",
                "dependencies": [{"name": "b", "path": dependency, "kind": null}]})
        };
        let inside = Path::new("/w/cluster");
        assert!(ways_out(&[package("/w/cluster/b")], inside).is_empty());
        assert_eq!(ways_out(&[package("/w/b")], inside).len(), 1);
        assert_eq!(ways_out(&[package("/w/cluster-b")], inside).len(), 1);
    }
}
