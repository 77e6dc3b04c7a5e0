//! A reflector of kube-rs that survives an expired version: the API forgets its history, the watch ends with 410, and the
//! reflector lists anew.

use std::error::Error;

use fake_cluster::{Clock, Cluster, ClusterConfig, FieldRuntime, Options, Programs};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::{WatchStreamExt, reflector, watcher};
use kube::{Client, Config, ResourceExt};

/// Follows until the mirror shows just these objects.
async fn until<S>(
    events: &mut S,
    mirror: &reflector::Store<ConfigMap>,
    wanted: &[&str],
) -> Result<(), Box<dyn Error>>
where
    S: futures::Stream<Item = watcher::Result<watcher::Event<ConfigMap>>> + Unpin,
{
    loop {
        let mut shown: Vec<String> = mirror.state().iter().map(|map| map.name_any()).collect();
        shown.retain(|name| name != "kube-root-ca.crt");
        shown.sort();
        if shown == wanted {
            return Ok(());
        }
        // An error is what a watcher reports before it tries again.
        if let Ok(None) = events.try_next().await {
            return Err("the watch ended for good".into());
        }
    }
}

async fn example(clock: &Clock) -> Result<(), Box<dyn Error>> {
    let cluster = Cluster::start_with(ClusterConfig::new(clock)?, Programs::new()).await?;
    let kubeconfig = Kubeconfig::from_yaml(&cluster.kubeconfig())?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let maps: Api<ConfigMap> = Api::default_namespaced(Client::try_from(config)?);
    let named = |name: &str| {
        let mut map = ConfigMap::default();
        map.metadata.name = Some(name.to_owned());
        map
    };

    let (mirror, writer) = reflector::store();
    let events = watcher(maps.clone(), watcher::Config::default()).default_backoff();
    let mut events = reflector::reflector(writer, events).boxed();
    maps.create(&PostParams::default(), &named("one")).await?;
    until(&mut events, &mirror, &["one"]).await?;

    // Meanwhile: the API restarts, and what the watch would resume from is gone.
    maps.delete("one", &DeleteParams::default()).await?;
    cluster.store().forget_history();
    maps.create(&PostParams::default(), &named("two")).await?;
    until(&mut events, &mirror, &["two"]).await?;

    drop(events);
    cluster.stop().await;
    Ok(())
}

/// Ends when all of it has happened.
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let world = FieldRuntime::start(Options { speed: 60.0 })?;
    world.block_on(example(world.clock()))
}
