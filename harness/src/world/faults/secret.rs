//! Causes in the application's Secrets.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cluster_api::{kinds, object};
use serde_json::{Value, json};

use super::{
    Cause, Ground, Noticed, Objects, Set, Sighting, Start, WorldError, earlier, failed, no_target,
    unsupported, volumes, workload,
};
use crate::fault::{FaultUse, HealStep};
use crate::world::InjectError;

const DATABASE: &str = "db-credentials";
/// What the status service may ask for by name.
const CREDENTIALS: [&str; 2] = [DATABASE, "redis-credentials"];

/// Who signs in to the database, by which key, told by which variables of which containers.
const USERS: [User; 3] = [
    ("postgres", "DB_PASSWORD_SUPERUSER", &["DB_PASSWORD_SUPERUSER", "POSTGRES_PWD"], &["temporal"]),
    ("app_user", "DB_PASSWORD_SERVER", &["DB_PASSWORD_SERVER"], &["alga-core"]),
    (
        "app_user_pgbouncer",
        "DB_PASSWORD_PGBOUNCER",
        &["DB_PASSWORD_PGBOUNCER", "DB_PASSWORD", "DB_PASSWORD_SERVER"],
        &["pgbouncer", "workflow-worker", "email-service", "temporal-worker"],
    ),
];

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    match fault.name() {
        "secret.missing" => missing(ground, fault).await,
        "secret.wrong-password" => wrong_password(ground, fault).await,
        other => Err(unsupported(other)),
    }
}

pub(super) async fn heal(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    let name = step.params.text("name").unwrap_or_default();
    match step.name() {
        "secret.restore" => {
            let Some(kept) = ground.archive.kept("Secret", workload::NAMESPACE, name) else {
                return Err(no_target(step.name(), format!("Secret {name} that was broken"), Vec::new()));
            };
            let restored = ground.archive.put_back(ground.objects, &kinds::SECRETS, kept).await;
            restored.map_err(|source| failed(step.name(), source))
        }
        other => Err(unsupported(other)),
    }
}

/// Takes a Secret or a key away, as soon as it is there.
async fn missing(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let name = fault.params.text("name").unwrap_or_default().to_owned();
    let key = fault.params.text("key").map(str::to_owned);
    let begun = ground.objects.get(&kinds::NAMESPACES, "", workload::NAMESPACE).is_some();
    if name == DATABASE && key.is_none() && !begun {
        earlier::install(ground, fault.name()).await?;
    }
    // The status service may ask whether the credentials are there; of all else only a container can tell.
    let is_seen = key.is_none() && CREDENTIALS.contains(&name.as_str());
    let taken = Arc::new(Taken::default());
    let (objects, archive, note) = (ground.objects.clone(), ground.archive.clone(), Arc::clone(&taken));
    let message = key.as_ref().map_or_else(
        || format!("secret \"{name}\" not found"),
        |key| format!("couldn't find key {key} in Secret {}/{name}", workload::NAMESPACE),
    );
    tokio::spawn(async move {
        let there = || {
            let secret = objects.get(&kinds::SECRETS, workload::NAMESPACE, &name)?;
            key.as_ref().is_none_or(|key| secret["data"][key].is_string()).then_some(secret)
        };
        let Some(secret) = objects.until(there).await else { return };
        archive.keep("Secret", &secret);
        match take(&objects, &name, key.as_deref()).await {
            Ok(()) if !is_seen => start_anew(&objects, &name).await,
            Ok(()) => note.0.store(true, Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, name, "cannot take a Secret away"),
        }
    });
    Ok(Rc::new(Missing { message, taken, noticed: Noticed::default() }))
}

/// Deletes the pods that read a Secret into their environment.
async fn start_anew(objects: &Objects, secret: &str) {
    for pod in objects.list(&kinds::PODS, Some(workload::NAMESPACE)) {
        let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
        let mut variables = containers.flat_map(|it| it["env"].as_array().into_iter().flatten());
        if variables.any(|it| it["valueFrom"]["secretKeyRef"]["name"] == secret) {
            // One that went by itself needs no second word.
            let _ = objects.delete(&kinds::PODS, workload::NAMESPACE, object::name(&pod)).await;
        }
    }
}

/// Whether it has happened.
#[derive(Default)]
struct Taken(AtomicBool);

async fn take(objects: &Objects, name: &str, key: Option<&str>) -> Result<(), WorldError> {
    let Some(key) = key else {
        return objects.delete(&kinds::SECRETS, workload::NAMESPACE, name).await;
    };
    let take = |secret: &mut Value| {
        if let Some(data) = secret["data"].as_object_mut() {
            data.remove(key);
        }
    };
    objects.modify(&kinds::SECRETS, workload::NAMESPACE, name, take).await.map(drop)
}

/// A Secret that is gone, or a key.
struct Missing {
    /// What a container says that is not created for want of it.
    message: String,
    taken: Arc<Taken>,
    noticed: Noticed,
}

#[async_trait(?Send)]
impl Cause for Missing {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let so = self.taken.0.load(Ordering::Relaxed) || workload::waits(ground.objects, &self.message);
        self.noticed.if_so(so, ground, &format!("taken away: {}", self.message))
    }
}

/// Puts other passwords into the Secret than the volume knows.
async fn wrong_password(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let only = fault.params.text("user");
    let meant: Vec<_> = USERS.iter().filter(|(user, ..)| only.is_none_or(|only| only == *user)).collect();
    let objects = ground.objects;
    let mut there = objects.get(&kinds::SECRETS, workload::NAMESPACE, DATABASE);
    let installed = there.is_some();
    // What the job sets itself it sets anew.
    let of_admin = only.is_none_or(|only| only == "postgres");
    if of_admin && objects.get(&kinds::NAMESPACES, "", workload::NAMESPACE).is_none() {
        earlier::install(ground, fault.name()).await?;
        there = objects.get(&kinds::SECRETS, workload::NAMESPACE, DATABASE);
    }
    let Some(secret) = there else {
        return Err(no_target(fault.name(), format!("Secret {DATABASE} that is in use"), Vec::new()));
    };
    ground.archive.keep("Secret", &secret);
    let wrong = json!(STANDARD.encode(format!("{}OfAnotherInstall", objects.chance())));
    let written = write(objects, &meant, &wrong).await;
    written.map_err(|source| failed(fault.name(), source))?;
    if installed {
        for component in meant.iter().flat_map(|(.., components)| components.iter()) {
            let restarted = volumes::restart(objects, component).await;
            restarted.map_err(|source| failed(fault.name(), source))?;
        }
    }
    let variables = meant.iter().flat_map(|(_, _, variables, _)| variables.iter().copied()).collect();
    let wrong = STANDARD.decode(wrong.as_str().unwrap_or_default()).unwrap_or_default();
    Ok(Rc::new(Wrong { variables, password: String::from_utf8_lossy(&wrong).into_owned() }))
}

/// A user of the database, as [`USERS`] has them.
type User = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

async fn write(objects: &Objects, meant: &[&User], password: &Value) -> Result<(), WorldError> {
    let write = |secret: &mut Value| {
        for (_, key, ..) in meant {
            secret["data"][*key] = password.clone();
        }
    };
    objects.modify(&kinds::SECRETS, workload::NAMESPACE, DATABASE, write).await.map(drop)
}

/// A password that the database does not know.
struct Wrong {
    variables: Vec<&'static str>,
    password: String,
}

#[async_trait(?Send)]
impl Cause for Wrong {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let told = |start: &&Start| {
            self.variables.iter().any(|variable| start.variable(variable) == Some(self.password.as_str()))
        };
        let starts = ground.starts.all();
        starts.iter().filter(told).map(|start| Sighting::of(start, "with a wrong password")).collect()
    }
}
