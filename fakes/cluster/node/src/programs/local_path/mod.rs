//! The local-path provisioner: directories of the node's disk as volumes.

mod claim;
mod release;
mod settings;

use std::collections::HashSet;
use std::sync::Arc;

use cluster_api::events::Recorder;
use cluster_api::kinds::{PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES};
use cluster_api::{Store, Verb, object};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::SystemPrograms;
use crate::logs::LogSink;
use crate::runtime::ContainerSpec;

/// The name by which storage classes ask for it.
const PROVISIONER: &str = "rancher.io/local-path";

/// What every claim and volume is treated with.
struct Provisioner {
    store: Store,
    recorder: Recorder,
    log: LogSink,
    volumes: std::path::PathBuf,
    namespace: String,
}

/// Provisions until it is stopped.
pub(super) async fn run(programs: &SystemPrograms, spec: &ContainerSpec, stop: CancellationToken) -> i32 {
    // As the library of provisioners names itself: by its pod and an id of this run.
    let component = format!("{PROVISIONER}_{}_{}", spec.pod, programs.store.chance().uuid());
    let provisioner = Arc::new(Provisioner {
        store: programs.store.clone(),
        recorder: Recorder::new(&programs.store, &component),
        log: spec.log.clone(),
        volumes: programs.volumes.clone(),
        namespace: spec.namespace.clone(),
    });
    spec.log.line("time=\"start\" level=info msg=\"Provisioner started\"");
    let mut claims = programs.store.watch(&PERSISTENT_VOLUME_CLAIMS, None);
    let mut volumes = programs.store.watch(&PERSISTENT_VOLUMES, None);
    let mut busy = HashSet::new();
    let (done, mut finished) = mpsc::unbounded_channel::<String>();
    let tasks = TaskTracker::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(event) = claims.next() => {
                let uid = object::uid(&event.object).to_owned();
                if event.verb != Verb::Deleted && provisioner.is_wanted(&event.object) && busy.insert(uid.clone()) {
                    let (provisioner, done, stop) = (Arc::clone(&provisioner), done.clone(), stop.clone());
                    tasks.spawn(async move {
                        tokio::select! {
                            () = stop.cancelled() => {}
                            () = provisioner.provision(&event.object) => {}
                        }
                        // Nobody listens when the program has ended.
                        let _ = done.send(uid);
                    });
                }
            }
            Some(event) = volumes.next() => if event.verb != Verb::Deleted {
                provisioner.release(&event.object);
            },
            Some(uid) = finished.recv() => {
                busy.remove(&uid);
            }
        }
    }
    tasks.close();
    tasks.wait().await;
    0
}
