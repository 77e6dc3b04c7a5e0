//! The server as kubectl sees it.

use std::path::Path;
use std::process::Stdio;

use crate::world::{World, pod};
use cluster_api::kinds;
use serde_json::json;
use tokio::process::Command;

/// kubectl with a kubeconfig of its own.
struct Kubectl {
    home: tempfile::TempDir,
}

impl Kubectl {
    /// `None`, and the reason printed, when there is no kubectl.
    #[expect(clippy::print_stdout, reason = "a lane that did not run has to say so")]
    async fn find(world: &World) -> Option<Self> {
        let home = tempfile::tempdir().expect("a directory");
        std::fs::write(home.path().join("config"), world.server.kubeconfig()).expect("a kubeconfig");
        let found = Self { home };
        match found.command(&["version", "--client"]).output().await {
            Ok(output) if output.status.success() => Some(found),
            Ok(output) => {
                println!("lanes: kubectl did not run ({})", String::from_utf8_lossy(&output.stderr).trim());
                None
            }
            Err(problem) => {
                println!("lanes: kubectl did not run ({problem})");
                None
            }
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command
            .args(arguments)
            .env("KUBECONFIG", self.home.path().join("config"))
            .env("HOME", self.home.path());
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    async fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().await.expect("kubectl runs");
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "kubectl {arguments:?}: {stdout}{stderr}");
        stdout.into_owned()
    }

    async fn refused(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().await.expect("kubectl runs");
        assert!(!output.status.success(), "kubectl {arguments:?} should fail");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn manifest(&self, text: &str) -> String {
        let path = self.home.path().join("manifest.yaml");
        std::fs::write(&path, text).expect("a manifest");
        Path::to_str(&path).expect("a path").to_owned()
    }
}

fn words(text: &str, line: usize) -> Vec<&str> {
    text.lines().nth(line).unwrap_or("").split_whitespace().collect()
}

#[tokio::test]
async fn pods_are_printed_in_every_output() {
    let world = World::start().await;
    let Some(kubectl) = Kubectl::find(&world).await else { return };
    world.store.create(&kinds::PODS, pod("a")).expect("created");
    let table = kubectl.run(&["get", "pods"]).await;
    assert_eq!(words(&table, 0), ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
    assert_eq!(words(&table, 1)[..4], ["a", "0/1", "Pending", "0"]);
    let wide = kubectl.run(&["get", "po", "-o", "wide", "-A", "--show-labels"]).await;
    assert!(wide.contains("NOMINATED NODE") && wide.contains("app=a"), "{wide}");
    assert_eq!(kubectl.run(&["get", "pods", "-o", "name"]).await, "pod/a\n");
    assert_eq!(kubectl.run(&["get", "pod", "a", "-o", "jsonpath={.status.phase}"]).await, "Pending");
    assert!(kubectl.run(&["get", "pod", "a", "-o", "yaml"]).await.contains("restartPolicy: Always"));
    assert!(
        kubectl.run(&["get", "all,cm,sc,nodes,events,crd,pvc,pv,sa,ns", "-A"]).await.contains("kube-system")
    );
    assert!(kubectl.run(&["describe", "pod", "a"]).await.contains("Image:        db:1"));
    assert_eq!(kubectl.run(&["logs", "a"]).await, "one\ntwo\n");
    assert!(
        kubectl
            .refused(&["get", "pod", "b"])
            .await
            .contains("Error from server (NotFound): pods \"b\" not found")
    );
    assert!(
        kubectl
            .refused(&["get", "things"])
            .await
            .contains("the server doesn't have a resource type \"things\"")
    );
}

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: \"web:1\", env: [{name: A, value: \"1\"}, {name: B, value: \"2\"}]}
";

#[tokio::test]
async fn manifests_are_applied_by_the_client_and_by_the_server() {
    let world = World::start().await;
    let Some(kubectl) = Kubectl::find(&world).await else { return };
    let file = kubectl.manifest(DEPLOYMENT);
    assert_eq!(kubectl.run(&["apply", "-f", &file]).await, "deployment.apps/web created\n");
    assert_eq!(kubectl.run(&["apply", "-f", &file]).await, "deployment.apps/web unchanged\n");
    let file =
        kubectl.manifest(&DEPLOYMENT.replace("web:1", "web:2").replace("{name: A, value: \"1\"}, ", ""));
    assert_eq!(kubectl.run(&["apply", "-f", &file]).await, "deployment.apps/web configured\n");
    let stored = world.store.get(&kinds::DEPLOYMENTS, "default", "web").expect("there");
    let container = &stored["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(
        (&container["image"], &container["env"]),
        (&json!("web:2"), &json!([{"name": "B", "value": "2"}]))
    );
    assert_eq!(kubectl.run(&["scale", "deploy/web", "--replicas=3"]).await, "deployment.apps/web scaled\n");
    let refused = kubectl
        .refused(&["apply", "--server-side", "--field-manager=other", "-f", &kubectl.manifest(DEPLOYMENT)])
        .await;
    assert!(refused.contains("conflict with \"kubectl-client-side-apply\""), "{refused}");
    let forced = ["apply", "--server-side", "--force-conflicts", "-f", &file];
    assert_eq!(kubectl.run(&forced).await, "deployment.apps/web serverside-applied\n");
    kubectl.run(&["annotate", "deploy", "web", "a=b"]).await;
    kubectl.run(&["set", "image", "deploy/web", "web=web:3"]).await;
    assert!(kubectl.run(&["get", "deploy", "web", "-o", "wide"]).await.contains("web:3"));
    let dry = ["delete", "deploy", "web", "--dry-run=server"];
    assert!(kubectl.run(&dry).await.contains("deleted"));
    assert_eq!(kubectl.run(&["delete", "deploy", "web"]).await, "deployment.apps \"web\" deleted\n");
    assert!(world.store.get(&kinds::DEPLOYMENTS, "default", "web").is_none());
}

#[tokio::test]
async fn access_is_explained_and_custom_columns_are_printed() {
    let world = World::start().await;
    let Some(kubectl) = Kubectl::find(&world).await else { return };
    assert_eq!(kubectl.run(&["auth", "can-i", "list", "pods"]).await.trim(), "yes");
    let definition = json!({"metadata": {"name": "things.example.com"}, "spec": {"group": "example.com", "scope": "Namespaced",
        "names": {"plural": "things", "kind": "Thing", "shortNames": ["th"]}, "versions": [{"name": "v1", "served": true,
        "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
        "subresources": {"status": {}}, "additionalPrinterColumns": [
        {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]}]}});
    world.store.create(&kinds::CRDS, definition).expect("created");
    let file =
        kubectl.manifest("apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: one}\nspec: {a: 1}\n");
    assert_eq!(kubectl.run(&["apply", "-f", &file]).await, "thing.example.com/one created\n");
    let table = kubectl.run(&["get", "th"]).await;
    assert_eq!(words(&table, 0), ["NAME", "READY", "AGE"]);
    let patch = ["patch", "thing", "one", "--type=merge", "-p", "{\"spec\":{\"a\":2}}"];
    assert_eq!(kubectl.run(&patch).await, "thing.example.com/one patched\n");
    kubectl.run(&["create", "namespace", "made"]).await;
    assert!(
        kubectl
            .run(&["create", "configmap", "m", "-n", "made", "--from-literal=a=b"])
            .await
            .contains("created")
    );
    assert!(
        kubectl
            .run(&["wait", "crd/things.example.com", "--for=condition=Established"])
            .await
            .contains("condition met")
    );
}
