//! A world with the operator's command at work in it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use smoke_harness::world::{BootstrapOptions, OperatorCommand, OperatorEnd, World};
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::api::Api;
use crate::empty::{PROFILE, RELEASE};
use crate::smoke::Ran;

/// In field time; nothing that is waited for takes longer.
const LONGEST: Duration = Duration::from_secs(7200);
/// After which a release that does not come is waited for by Helm, and long before that ends.
const SOME_MINUTES: Duration = Duration::from_secs(300);
const BEAT: Duration = Duration::from_secs(5);

/// What a reset may change.
const KINDS: [&str; 8] = [
    "/api/v1/namespaces",
    "/api/v1/persistentvolumes",
    "/api/v1/persistentvolumeclaims",
    "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations",
    "/apis/helm.toolkit.fluxcd.io/v2/helmreleases",
    "/apis/source.toolkit.fluxcd.io/v1/ocirepositories",
    "/apis/source.toolkit.fluxcd.io/v1/helmcharts",
    "/apis/source.toolkit.fluxcd.io/v1/helmrepositories",
];

/// A world with the operator's command at work in it.
pub(super) struct Site<'a> {
    world: &'a dyn World,
    pub(super) api: Api,
    home: PathBuf,
}

impl<'a> Site<'a> {
    pub(super) async fn of(world: &'a dyn World) -> Self {
        let kubeconfig = &world.access().kubeconfig;
        let home = kubeconfig.parent().expect("a file is in a folder").to_owned();
        Self { world, api: Api::open(kubeconfig).await, home }
    }

    /// Installs afresh and waits until everything is well.
    pub(super) async fn install(&self) {
        let (ended, said) = self.bootstrap(LONGEST).await;
        assert_eq!(ended, OperatorEnd::Exited(0), "{said}");
        self.until("document that says fully_healthy", async || {
            let document = self.document().await?;
            (document["rollup"]["state"] == "fully_healthy").then_some(())
        })
        .await;
    }

    /// Installs what does not come, for some minutes.
    pub(super) async fn give_up_installing(&self) {
        let (ended, said) = self.bootstrap(SOME_MINUTES).await;
        assert_eq!(ended, OperatorEnd::TookTooLong, "{said}");
    }

    async fn bootstrap(&self, ceiling: Duration) -> (OperatorEnd, String) {
        let options = BootstrapOptions {
            release: RELEASE.to_owned(),
            profile: PROFILE.to_owned(),
            ceiling,
            ..BootstrapOptions::default()
        };
        let (lines, mut heard) = mpsc::unbounded_channel();
        let ended = self.world.run_bootstrap(&options, lines).await.expect("it runs");
        let mut said = String::new();
        while let Ok(line) = heard.try_recv() {
            said.push_str(&line.text);
            said.push('\n');
        }
        (ended, said)
    }

    async fn document(&self) -> Option<Value> {
        let token = self.world.status_token().await?;
        let client = Client::builder().no_proxy().build().expect("a client");
        let url = format!("{}/api/status", self.world.access().status_url);
        client.get(url).bearer_auth(token).send().await.ok()?.json().await.ok()
    }

    /// Looks every few seconds of field time until there is something to see.
    pub(super) async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let clock = self.world.clock();
        let seen = clock.timeout(LONGEST, async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                clock.sleep(BEAT).await;
            }
        });
        seen.await.unwrap_or_else(|_| panic!("no {what} within {LONGEST:?} of field time"))
    }

    /// Runs the operator's command to its end; field time waits for it.
    pub(super) async fn appliance(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_appliance"));
        command.args(arguments).arg("--kubeconfig").arg(&self.world.access().kubeconfig);
        command.arg("--config-dir").arg(OperatorCommand::configuration(&self.home));
        command.env("HOME", &self.home).env_remove("APPLIANCE_CLOCK");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let child = command.spawn().expect("appliance starts");
        let clock = self.world.clock();
        let _tracked = child.id().map(|pid| clock.track_process(pid));
        let ended = clock.timeout(LONGEST, child.wait_with_output()).await;
        Ran::of(ended.unwrap_or_else(|_| panic!("no end of {arguments:?}")).expect("it ended"))
    }

    /// Takes a deployment's pods away.
    pub(super) async fn stop(&self, namespace: &str, deployment: &str) {
        let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}");
        self.api.merge(&path, &json!({ "spec": { "replicas": 0 } })).await;
        self.until("end of the pods", async || {
            let pods = self.names(&format!("/api/v1/namespaces/{namespace}/pods")).await;
            (!pods.iter().any(|pod| pod.starts_with(deployment))).then_some(())
        })
        .await;
    }

    /// Names of the objects of a list, in order.
    pub(super) async fn names(&self, path: &str) -> Vec<String> {
        let list = self.api.get(path).await;
        let items = list["items"].as_array().expect("a list").iter();
        let mut names: Vec<String> =
            items.filter_map(|it| it["metadata"]["name"].as_str().map(str::to_owned)).collect();
        names.sort();
        names
    }

    /// Whatever a reset may change, as far as it is wished and not merely observed.
    pub(super) async fn everything(&self) -> Vec<String> {
        let mut found = Vec::new();
        for kind in KINDS {
            for object in self.api.get(kind).await["items"].as_array().expect("a list") {
                let metadata = &object["metadata"];
                let (name, uid, end) = (&metadata["name"], &metadata["uid"], &metadata["deletionTimestamp"]);
                found.push(format!("{kind} {name} {uid} {end} {}", object["spec"]));
            }
        }
        found.sort();
        found
    }

    /// Where the node keeps its volumes.
    pub(super) fn volumes(&self) -> PathBuf {
        self.home.join("disk/node/var/local-path-provisioner")
    }

    /// The directories of its volumes, in order; the storage test of an install leaves its own.
    pub(super) fn directories(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.volumes()).expect("a folder").flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| !name.ends_with("_local-path-storage_storage-smoke"));
        names.sort();
        names
    }
}
