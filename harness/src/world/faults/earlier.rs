//! What an earlier install has left: the volume of its database, with the data, and the Secret that belongs to it.
//!
//! The data is made by the very programs that an install runs, at an address of their own.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cluster_api::{kinds, object};
use cluster_node::host_path;
use fake_workloads::{Context, Direct, LogLine, Memory, Mounts, program};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Ground, Objects, failed, impossible, no_target, workload};
use crate::world::{InjectError, WorldError};

const CLAIM: &str = "alga-core-sebastian-postgres-data";
const SECRET: &str = "db-credentials";
const KEYS: [&str; 4] =
    ["DB_PASSWORD_SUPERUSER", "DB_PASSWORD_SERVER", "DB_PASSWORD_HOCUSPOCUS", "DB_PASSWORD_PGBOUNCER"];
/// Where the provisioner makes volumes on the node.
const VOLUMES: &str = "/var/local-path-provisioner";
/// Where the database's container has its volume.
const DATA: &str = "/var/lib/postgresql/data";
const PORT: u16 = 5432;
/// Longer than this no database takes to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Leaves it in the world, where nothing of an install is yet.
pub(super) async fn install(ground: &Ground<'_>, fault: &str) -> Result<(), InjectError> {
    let objects = ground.objects;
    if objects.get(&kinds::NAMESPACES, "", workload::NAMESPACE).is_some() {
        // Another cause has left the same.
        let left = ground.archive.has("PersistentVolumeClaim", workload::NAMESPACE, CLAIM);
        let late = || no_target(fault, "place for an earlier install: one has begun".to_owned(), Vec::new());
        return left.then_some(()).ok_or_else(late);
    }
    let Some(address) = ground.former else {
        return Err(impossible(fault, "no database can run in it before its cluster has one"));
    };
    let passwords: BTreeMap<&str, String> = KEYS.iter().map(|key| (*key, objects.chance())).collect();
    let directory = leave(ground, &passwords).await.map_err(|source| failed(fault, source))?;
    fill(ground, address, directory, &passwords).await.map_err(|source| failed(fault, source))
}

/// The objects, as Helm and the provisioner leave them; says where the volume is on the machine.
async fn leave(ground: &Ground<'_>, passwords: &BTreeMap<&str, String>) -> Result<PathBuf, WorldError> {
    let objects = ground.objects;
    let namespace =
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": workload::NAMESPACE } });
    objects.create(&kinds::NAMESPACES, namespace).await?;
    let data: serde_json::Map<String, Value> = passwords
        .iter()
        .map(|(key, password)| ((*key).to_owned(), json!(STANDARD.encode(password))))
        .collect();
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": kept(SECRET), "data": data });
    objects.create(&kinds::SECRETS, secret).await?;
    let claim = objects.create(&kinds::PERSISTENT_VOLUME_CLAIMS, claim()).await?;
    ground.archive.keep("PersistentVolumeClaim", &claim);
    let uid = object::uid(&claim).to_owned();
    let volume = format!("pvc-{uid}");
    let path = format!("{VOLUMES}/{volume}_{}_{CLAIM}", workload::NAMESPACE);
    objects.create(&kinds::PERSISTENT_VOLUMES, self::volume(&volume, &uid, &path)).await?;
    bind(objects, &volume).await?;
    Ok(host_path(ground.disk, &path))
}

async fn bind(objects: &Objects, volume: &str) -> Result<(), WorldError> {
    let claims = &kinds::PERSISTENT_VOLUME_CLAIMS;
    let name = |claim: &mut Value| {
        claim["spec"]["volumeName"] = json!(volume);
        object::set_annotation(claim, "pv.kubernetes.io/bind-completed", "yes");
    };
    objects.modify(claims, workload::NAMESPACE, CLAIM, name).await?;
    let bound = |claim: &mut Value| {
        claim["status"] = json!({
            "phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": { "storage": "50Gi" },
        });
    };
    objects.modify_status(claims, workload::NAMESPACE, CLAIM, bound).await?;
    let bound = |volume: &mut Value| volume["status"] = json!({ "phase": "Bound" });
    objects.modify_status(&kinds::PERSISTENT_VOLUMES, "", volume, bound).await.map(drop)
}

/// What Helm has written on what it keeps.
fn kept(name: &str) -> Value {
    json!({
        "name": name, "namespace": workload::NAMESPACE,
        "labels": { "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "alga-core" },
        "annotations": {
            "helm.sh/resource-policy": "keep",
            "meta.helm.sh/release-name": "alga-core", "meta.helm.sh/release-namespace": workload::NAMESPACE,
        },
    })
}

fn claim() -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": kept(CLAIM),
        "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "local-path", "volumeMode": "Filesystem",
            "resources": { "requests": { "storage": "50Gi" } },
        },
    })
}

fn volume(name: &str, claim: &str, path: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": { "name": name, "annotations": { "pv.kubernetes.io/provisioned-by": "rancher.io/local-path" } },
        "spec": {
            "accessModes": ["ReadWriteOnce"], "capacity": { "storage": "50Gi" }, "volumeMode": "Filesystem",
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": CLAIM,
                "namespace": workload::NAMESPACE, "uid": claim,
            },
            "hostPath": { "path": path, "type": "DirectoryOrCreate" },
            "persistentVolumeReclaimPolicy": "Retain", "storageClassName": "local-path",
        },
    })
}

/// Runs a database in the volume, and a bootstrap job against it.
async fn fill(
    ground: &Ground<'_>,
    address: IpAddr,
    volume: PathBuf,
    passwords: &BTreeMap<&str, String>,
) -> Result<(), WorldError> {
    let data = volume.join("data");
    std::fs::create_dir_all(&data)?;
    let stop = CancellationToken::new();
    let settings = |more: &[(&str, &str)]| {
        let own = passwords.iter().map(|(key, password)| ((*key).to_owned(), password.clone()));
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        own.chain(more).collect::<BTreeMap<String, String>>()
    };
    let context = |env: BTreeMap<String, String>| Context {
        env,
        args: Vec::new(),
        ip: address,
        mounts: Mounts::new(vec![(PathBuf::from(DATA), data.clone())]),
        network: Arc::new(Direct),
        log: Arc::new(Silent),
        clock: ground.objects.clock().clone(),
        memory: Memory::default(),
        stop: stop.clone(),
    };
    let superuser = passwords.get("DB_PASSWORD_SUPERUSER").map_or("", String::as_str);
    let server = settings(&[("PGDATA", &format!("{DATA}/pgdata")), ("POSTGRES_PASSWORD", superuser)]);
    let (ip, port) = (address.to_string(), PORT.to_string());
    let job = settings(&[
        ("BOOTSTRAP_MODE", "fresh"),
        ("DB_HOST", &ip),
        ("DB_PORT", &port),
        ("DB_USER_PGBOUNCER", "app_user_pgbouncer"),
        ("DB_USER_HOCUSPOCUS", "hocuspocus_user"),
        ("DB_NAME_HOCUSPOCUS", "hocuspocus"),
        ("RUN_MIGRATIONS", "true"),
        ("RUN_SEEDS", "true"),
    ]);
    let (Some(db), Some(bootstrap)) = (program("db"), program("bootstrap")) else {
        return Err("the programs of an install are not there".into());
    };
    let server = tokio::spawn(db.run(context(server)));
    let clock = ground.objects.clock();
    let ended = clock.timeout(PATIENCE, bootstrap.run(context(job))).await;
    stop.cancel();
    server.await?;
    match ended {
        Ok(0) => Ok(()),
        Ok(code) => Err(format!("the bootstrap of an earlier install ended with {code}").into()),
        Err(_) => Err("the bootstrap of an earlier install did not end".into()),
    }
}

/// Nobody reads what it said.
struct Silent;

impl LogLine for Silent {
    fn line(&self, _text: &str) {}
}
