//! `kustomize build`, as far as Flux repositories use it.

use cluster_api::{Store, object};
use serde_json::{Value, json};

use super::tree::{Tree, join};
use super::{generate, transform};
use crate::yaml;

/// Builds the objects of a directory.
pub(super) struct Builder<'a> {
    pub(super) tree: &'a Tree,
    /// The directory that the controller has unpacked the tree to, for messages.
    pub(super) root: &'a str,
    pub(super) store: &'a Store,
}

impl Builder<'_> {
    /// What a Kustomization applies: its directory, changed as its spec says.
    pub(super) fn of_kustomization(
        &self,
        kustomization: &Value,
        directory: &str,
    ) -> Result<Vec<Value>, String> {
        let mut objects = match self.tree.kustomization_file(directory) {
            Some(_) => {
                self.directory(directory).map_err(|error| format!("kustomize build failed: {error}"))?
            }
            None => self.plain(directory)?,
        };
        let spec = &kustomization["spec"];
        let mut overlay = json!({});
        for (field, from) in [
            ("namespace", "targetNamespace"),
            ("namePrefix", "namePrefix"),
            ("nameSuffix", "nameSuffix"),
            ("patches", "patches"),
            ("images", "images"),
        ] {
            if !spec[from].is_null() {
                overlay[field] = spec[from].clone();
            }
        }
        for component in spec["components"].as_array().map_or(&[][..], Vec::as_slice) {
            let path = component.as_str().and_then(|path| join(directory, path)).unwrap_or_default();
            self.component(&path, &mut objects)
                .map_err(|error| format!("kustomize build failed: {error}"))?;
        }
        transform::all(&overlay, &mut objects, &self.scope(directory))
            .map_err(|error| format!("kustomize build failed: {error}"))?;
        let common = &spec["commonMetadata"];
        for object in &mut objects {
            transform::add_strings(object, "labels", &common["labels"]);
            transform::add_strings(object, "annotations", &common["annotations"]);
        }
        Ok(objects)
    }

    fn scope(&self, directory: &str) -> transform::Scope<'_> {
        transform::Scope { tree: self.tree, store: self.store, directory: directory.to_owned() }
    }

    /// A directory without a kustomization file: every manifest in it, each checked.
    fn plain(&self, directory: &str) -> Result<Vec<Value>, String> {
        let mut objects = Vec::new();
        let mut built: Vec<String> = Vec::new();
        for file in self.tree.below(directory) {
            let (parent, name) = file.rsplit_once('/').unwrap_or(("", file));
            if built.iter().any(|done| parent == done || parent.starts_with(&format!("{done}/")))
                || name.starts_with('.')
            {
                continue;
            }
            if parent != directory && self.tree.kustomization_file(parent).is_some() {
                built.push(parent.to_owned());
                let found =
                    self.directory(parent).map_err(|error| format!("kustomize build failed: {error}"))?;
                objects.extend(found);
            } else if file.ends_with(".yaml") || file.ends_with(".yml") {
                let refuse = |words: String| {
                    format!("failed to decode Kubernetes YAML from {}/{file}: {words}", self.root)
                };
                let documents =
                    self.manifests(file).map_err(|error| refuse(format!("MalformedYAMLError: {error}")))?;
                for document in &documents {
                    if object::name(document).is_empty() {
                        let text = |field: &str| document[field].as_str().unwrap_or_default();
                        let (version, kind) = (text("apiVersion"), text("kind"));
                        return Err(refuse(format!(
                            "missing metadata.name in object {{{{{version} {kind}}} {{{{ }} map[] map[]}}}}"
                        )));
                    }
                }
                objects.extend(documents);
            }
        }
        Ok(objects)
    }

    /// The objects of a file; lists are taken apart.
    fn manifests(&self, file: &str) -> Result<Vec<Value>, String> {
        let documents = yaml::documents(&self.tree.text(file).unwrap_or_default())?;
        let apart = documents.into_iter().flat_map(|document| match document["items"].as_array() {
            Some(items) if document["kind"].as_str().is_some_and(|kind| kind.ends_with("List")) => {
                items.clone()
            }
            _ => vec![document],
        });
        Ok(apart.collect())
    }

    /// A directory with a kustomization file.
    fn directory(&self, directory: &str) -> Result<Vec<Value>, String> {
        let mut objects = Vec::new();
        self.component(directory, &mut objects)?;
        Ok(objects)
    }

    /// Adds to the objects what a directory has, and changes all of them as it says.
    fn component(&self, directory: &str, objects: &mut Vec<Value>) -> Result<(), String> {
        let file = self.tree.kustomization_file(directory).ok_or_else(|| {
            format!(
                "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{}/{directory}'",
                self.root
            )
        })?;
        let text = self.tree.text(&file).unwrap_or_default();
        let kustomization =
            yaml::document(&text).map_err(|error| format!("invalid Kustomization: {error}"))?;
        for field in ["resources", "bases"] {
            for resource in kustomization[field].as_array().map_or(&[][..], Vec::as_slice) {
                objects.extend(self.resource(directory, resource.as_str().unwrap_or_default())?);
            }
        }
        for component in kustomization["components"].as_array().map_or(&[][..], Vec::as_slice) {
            let path = component.as_str().and_then(|path| join(directory, path)).unwrap_or_default();
            self.component(&path, objects)?;
        }
        generate::all(self.tree, directory, &kustomization, objects)?;
        transform::all(&kustomization, objects, &self.scope(directory))
    }

    fn resource(&self, directory: &str, resource: &str) -> Result<Vec<Value>, String> {
        let path = join(directory, resource).unwrap_or_default();
        if self.tree.text(&path).is_some() {
            return self.manifests(&path).map_err(|error| {
                format!(
                    "accumulating resources: accumulation err='accumulating resources from '{resource}': MalformedYAMLError: \
                     {error} in File: {resource}'"
                )
            });
        }
        if self.tree.directory(&path).is_some() {
            let wrap = |error| {
                format!(
                    "accumulating resources: accumulation err='accumulating resources from '{resource}': {error}'"
                )
            };
            return self.directory(&path).map_err(wrap);
        }
        let whole = format!("{}/{path}", self.root);
        Err(format!(
            "accumulating resources: accumulation err='accumulating resources from '{resource}': open {whole}: no such file or \
             directory': must build at directory: not a valid directory: evalsymlink failure on '{whole}' : lstat {whole}: no \
             such file or directory"
        ))
    }
}

#[cfg(test)]
mod tests {
    use field_clock::Clock;

    use super::*;

    const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

    fn build(files: &[(&str, &str)], spec: Value) -> Result<Vec<Value>, String> {
        let (tree, store) = (Tree::of(files), Store::new(Clock::wall()));
        Builder { tree: &tree, root: "/tmp/kustomization-1", store: &store }
            .of_kustomization(&json!({"spec": spec}), "flux")
    }

    #[test]
    fn resources_may_be_files_and_directories_and_the_namespace_reaches_all_but_cluster_objects() {
        let files = [
            ("flux/kustomization.yaml", "resources: [base, ns.yaml]\nnamespace: msp\n"),
            ("flux/ns.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: msp}\n"),
            ("flux/base/kustomization.yaml", "resources: [map.yaml]\ncommonLabels: {tier: core}\n"),
            ("flux/base/map.yaml", MAP),
        ];
        let objects = build(&files, json!({})).unwrap();
        assert_eq!(
            objects[0]["metadata"],
            json!({"name": "a", "labels": {"tier": "core"}, "namespace": "msp"})
        );
        assert_eq!(objects[1]["metadata"], json!({"name": "msp"}));
    }

    #[test]
    fn a_directory_without_a_kustomization_file_is_taken_whole() {
        let files = [("flux/a.yaml", MAP), ("flux/sub/b.yml", MAP), ("flux/README.md", "no manifest")];
        assert_eq!(build(&files, json!({})).unwrap().len(), 2);
    }

    #[test]
    fn a_missing_resource_is_told_as_kustomize_tells_it() {
        let error = build(&[("flux/kustomization.yaml", "resources: [gone.yaml]\n")], json!({})).unwrap_err();
        assert!(error.starts_with(
            "kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'gone.yaml': open \
             /tmp/kustomization-1/flux/gone.yaml: no such file or directory': must build at directory"
        ));
    }

    #[test]
    fn a_manifest_without_a_name_is_refused() {
        let error = build(&[("flux/a.yaml", "apiVersion: v1\nkind: ConfigMap\n")], json!({})).unwrap_err();
        assert_eq!(
            error,
            "failed to decode Kubernetes YAML from /tmp/kustomization-1/flux/a.yaml: missing metadata.name in object \
             {{v1 ConfigMap} {{ } map[] map[]}}"
        );
    }

    #[test]
    fn patches_and_images_of_the_spec_come_last() {
        let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: msp}\nspec:\n  replicas: 1\n  \
            template: {spec: {containers: [{name: web, image: 'ghcr.io/x/web:1'}]}}\n";
        let spec = json!({
            "patches": [
                {"patch": "- op: replace\n  path: /spec/replicas\n  value: 3\n", "target": {"kind": "Deployment"}},
                {"patch": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: web, tty: true}]}}}\n"},
            ],
            "images": [{"name": "ghcr.io/x/web", "newTag": "2"}],
        });
        let objects = build(&[("flux/a.yaml", deployment)], spec).unwrap();
        assert_eq!(objects[0]["spec"]["replicas"], 3);
        let container = &objects[0]["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(*container, json!({"name": "web", "image": "ghcr.io/x/web:2", "tty": true}));
    }
}
