//! Waiting by watching: for one object to be as wished, until the API's time is up.

use futures::{StreamExt, TryStreamExt};
use jiff::SignedDuration;
use kube::api::{ApiResource, DynamicObject, ListParams, WatchEvent, WatchParams};
use kube::{Api, ResourceExt};

use crate::cluster::Cluster;
use crate::failure::{Failure, Layer, api};
use crate::time::ApiTime;

/// What an object looks like from where somebody waits for it.
pub(crate) enum Look {
    /// As wished.
    Met,
    /// Not yet, and why.
    NotYet(String),
    /// Never, and why.
    Never(String),
    /// Whoever works on it has given up over something else, and what is said of that.
    GivenUp(String),
}

/// How a wait ended before its time was up.
enum End {
    Met,
    Never(String),
    GivenUp(String),
}

/// Something to wait for.
pub(crate) struct Wait<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) time: &'a ApiTime,
    pub(crate) resource: ApiResource,
    pub(crate) namespace: Option<&'a str>,
    pub(crate) name: &'a str,
    pub(crate) within: SignedDuration,
    pub(crate) layer: Layer,
    pub(crate) remedy: &'a str,
}

impl Wait<'_> {
    /// Waits until `look` says met.
    pub(crate) async fn until(self, look: impl Fn(Option<&DynamicObject>) -> Look) -> Result<(), Failure> {
        let title = format!("{}/{}", self.resource.kind.to_lowercase(), self.name);
        let mut last = "it was not looked at yet".to_owned();
        let outcome = tokio::select! {
            outcome = self.watch(&look, &mut last) => Some(outcome),
            () = self.time.pass(self.within) => None,
        };
        let failed =
            |why: String| Failure::new(self.layer, format!("waiting for {title}"), self.remedy).because(why);
        match outcome {
            Some(Ok(End::Met)) => Ok(()),
            Some(Ok(End::Never(why))) => Err(failed(why)),
            Some(Ok(End::GivenUp(why))) => Err(failed(why).open()),
            Some(Err(error)) => Err(api(format!("watch {title}"))(error)),
            None => {
                let after = self.within.as_secs();
                Err(failed(format!("timed out after {after} s: {last}")).open())
            }
        }
    }

    async fn watch(
        &self,
        look: &impl Fn(Option<&DynamicObject>) -> Look,
        last: &mut String,
    ) -> kube::Result<End> {
        let objects: Api<DynamicObject> = match self.namespace {
            Some(namespace) => Api::namespaced_with(self.cluster.client.clone(), namespace, &self.resource),
            None => Api::all_with(self.cluster.client.clone(), &self.resource),
        };
        let mut judge = |object: Option<&DynamicObject>| match look(object) {
            Look::Met => Some(End::Met),
            Look::Never(why) => Some(End::Never(why)),
            Look::GivenUp(why) => Some(End::GivenUp(why)),
            Look::NotYet(why) => {
                *last = why;
                None
            }
        };
        let mut failures = 0;
        loop {
            let list = match objects.list(&ListParams::default()).await {
                Ok(list) => list,
                // A kind whose definition was created a moment ago, or an API that restarts.
                Err(error) if failures < 10 && !is_refusal(&error) => {
                    failures += 1;
                    self.time.beat().await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            failures = 0;
            if let Some(end) = judge(list.items.iter().find(|it| it.name_any() == self.name)) {
                return Ok(end);
            }
            let version = list.metadata.resource_version.unwrap_or_default();
            let Ok(stream) = objects.watch(&WatchParams::default(), &version).await else {
                failures += 1;
                self.time.beat().await;
                continue;
            };
            let mut stream = stream.boxed();
            while let Ok(Some(event)) = stream.try_next().await {
                let end = match event {
                    WatchEvent::Added(it) | WatchEvent::Modified(it) if it.name_any() == self.name => {
                        judge(Some(&it))
                    }
                    WatchEvent::Deleted(it) if it.name_any() == self.name => judge(None),
                    WatchEvent::Error(_) => break,
                    _ => None,
                };
                if let Some(end) = end {
                    return Ok(end);
                }
            }
        }
    }
}

fn is_refusal(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 401)
}

/// Whether a deployment has rolled out.
pub(crate) fn rolled_out(object: Option<&DynamicObject>) -> Look {
    let Some(object) = object else { return Look::NotYet("it does not exist".into()) };
    let number = |value: &serde_json::Value| value.as_i64().unwrap_or(0);
    let status = &object.data["status"];
    let wanted = object.data["spec"]["replicas"].as_i64().unwrap_or(1);
    let (ready, updated) = (number(&status["readyReplicas"]), number(&status["updatedReplicas"]));
    let observed = number(&status["observedGeneration"]) >= object.metadata.generation.unwrap_or(0);
    if observed && ready >= wanted && updated >= wanted {
        Look::Met
    } else {
        Look::NotYet(format!("{ready}/{wanted} replicas are ready"))
    }
}
