//! Every write of an object, for whoever measures how long it takes to be noticed.

use cluster_api::{Res, Store, Verb, kinds};
use futures::StreamExt as _;
use futures::future::ready;
use futures::stream::{LocalBoxStream, select_all, unfold};

use crate::diagnosis::Kind;
use crate::world::ObjectWrite;

pub(in crate::world) fn writes(store: &Store, wanted: &[Kind]) -> LocalBoxStream<'static, ObjectWrite> {
    let streams = wanted.iter().map(|kind| of_kind(store, *kind));
    select_all(streams).boxed_local()
}

fn of_kind(store: &Store, kind: Kind) -> LocalBoxStream<'static, ObjectWrite> {
    let watch = store.watch(&resource(kind), None);
    let events = unfold(watch, async |mut watch| Some((watch.next().await?, watch)));
    let written = events.filter_map(move |event| {
        let deleted = event.verb == Verb::Deleted;
        // What was there before was not written now.
        ready(event.written.map(|written| ObjectWrite { kind, object: event.object, deleted, written }))
    });
    written.boxed_local()
}

fn resource(kind: Kind) -> Res {
    match kind {
        Kind::Pod => kinds::PODS,
        Kind::Job => kinds::JOBS,
        Kind::Event => kinds::EVENTS,
        Kind::Node => kinds::NODES,
        Kind::PersistentVolumeClaim => kinds::PERSISTENT_VOLUME_CLAIMS,
        Kind::Secret => kinds::SECRETS,
        Kind::ConfigMap => kinds::CONFIG_MAPS,
        Kind::Service => kinds::SERVICES,
        Kind::Deployment => kinds::DEPLOYMENTS,
        Kind::StatefulSet => kinds::STATEFUL_SETS,
        Kind::StorageClass => kinds::STORAGE_CLASSES,
        Kind::HelmRelease => kinds::HELM_RELEASES,
        Kind::Kustomization => kinds::KUSTOMIZATIONS,
        Kind::OciRepository => kinds::OCI_REPOSITORIES,
    }
}
