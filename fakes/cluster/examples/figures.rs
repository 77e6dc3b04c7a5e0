//! Figures for docs/benchmarks.md: boot, a thousand pods, an idle world. `figures [pods] [idle seconds]`

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use fake_cluster::{
    Clock, Cluster, ClusterConfig, FieldRuntime, Options, Programs, Res, Store, kinds, object,
};
use serde_json::{Value, json};

const BOOTS: usize = 5;
const SPEED: f64 = 600.0;

/// Prints three figures.
fn main() -> Result<(), Box<dyn Error>> {
    let asked: Vec<u64> = std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let pods = asked.first().copied().unwrap_or(1000);
    let idle = asked.get(1).copied().unwrap_or(20);
    let mut out = std::io::stdout();
    for _ in 0..BOOTS {
        writeln!(out, "boot, until the API answers: {:.1} ms", boot()?.as_secs_f64() * 1e3)?;
    }
    for (name, with_service) in [("a Deployment", false), ("a Deployment behind a Service", true)] {
        if pods == 0 {
            break;
        }
        let objects = [
            Some((kinds::DEPLOYMENTS, deployment(pods))),
            with_service.then(|| (kinds::SERVICES, service())),
        ];
        let (took, processor) = crowd(pods, objects.into_iter().flatten().collect())?;
        let took = took.as_secs_f64();
        writeln!(
            out,
            "{name}, {pods} pods at speed {SPEED}: Ready after {took:.2} s, {processor:.2} s of processor"
        )?;
    }
    if idle > 0 {
        writeln!(
            out,
            "idle at speed 1 for {idle} s: {:.2} % of a processor",
            rest(Duration::from_secs(idle))? * 1e2
        )?;
    }
    Ok(())
}

/// From nothing to an API that takes connections.
fn boot() -> Result<Duration, Box<dyn Error>> {
    let machine = Clock::wall();
    let before = machine.now();
    let world = FieldRuntime::start(Options::default())?;
    let took = world.block_on(async {
        let cluster = Cluster::start_with(ClusterConfig::new(world.clock())?, Programs::new()).await?;
        let _connection = tokio::net::TcpStream::connect(cluster.address()).await?;
        let took = machine.now().duration_since(before);
        cluster.stop().await;
        Ok::<_, Box<dyn Error>>(took)
    })?;
    Ok(Duration::try_from(took)?)
}

fn deployment(replicas: u64) -> Value {
    json!({"metadata": {"name": "crowd", "namespace": "default"}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": {"app": "crowd"}},
        "template": {"metadata": {"labels": {"app": "crowd"}}, "spec": {"containers": [{"name": "main", "image": "pause:1"}]}}}})
}

fn service() -> Value {
    json!({"metadata": {"name": "crowd", "namespace": "default"}, "spec": {"selector": {"app": "crowd"},
        "ports": [{"port": 80, "targetPort": 8080}]}})
}

/// Some objects until all of their pods are Ready: the machine's time, and the processor's.
fn crowd(pods: u64, objects: Vec<(Res, Value)>) -> Result<(Duration, f64), Box<dyn Error>> {
    let machine = Clock::wall();
    let world = FieldRuntime::start(Options { speed: SPEED })?;
    world.block_on(async {
        let config = ClusterConfig::new(world.clock())?.max_pods(u32::try_from(pods)? + 10);
        let cluster = Cluster::start_with(config, Programs::new().pause("pause:1")).await?;
        let (before, spent) = (machine.now(), processor_time()?);
        for (kind, object) in objects {
            cluster.store().create(&kind, object)?;
        }
        until_ready(cluster.store(), pods).await?;
        let took = Duration::try_from(machine.now().duration_since(before))?;
        let spent = processor_time()? - spent;
        cluster.stop().await;
        Ok((took, spent))
    })
}

async fn until_ready(store: &Store, pods: u64) -> Result<(), Box<dyn Error>> {
    let mut watch = store.watch(&kinds::PODS, Some("default"));
    let mut ready = std::collections::HashSet::new();
    while (ready.len() as u64) < pods {
        let event = watch.next().await.ok_or("the store is gone")?;
        if object::condition(&event.object, "Ready").is_some_and(|condition| condition["status"] == "True") {
            ready.insert(object::name(&event.object).to_owned());
        }
    }
    Ok(())
}

/// The share of a processor that a cluster takes in which nothing happens.
fn rest(time: Duration) -> Result<f64, Box<dyn Error>> {
    let world = FieldRuntime::start(Options { speed: 1.0 })?;
    world.block_on(async {
        let cluster = Cluster::start_with(ClusterConfig::new(world.clock())?, Programs::new()).await?;
        let dns_is_up = until_dns(cluster.store()).await;
        let spent = processor_time()?;
        Clock::wall().sleep(time).await;
        let spent = processor_time()? - spent;
        cluster.stop().await;
        dns_is_up.map(|()| spent / time.as_secs_f64())
    })
}

async fn until_dns(store: &Store) -> Result<(), Box<dyn Error>> {
    let mut watch = store.watch(&kinds::PODS, Some("kube-system"));
    loop {
        let event = watch.next().await.ok_or("the store is gone")?;
        if object::condition(&event.object, "Ready").is_some_and(|condition| condition["status"] == "True") {
            return Ok(());
        }
    }
}

/// Seconds of processor time of this process so far: user and system.
fn processor_time() -> Result<f64, Box<dyn Error>> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks: Vec<f64> =
        fields.split_ascii_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
}
