//! Causes in what the bootstrap job is given, and in what it finds.

use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::{kinds, object};
use serde_json::{Value, json};

use super::builds::{self, Bad};
use super::{Cause, Ground, Noticed, Objects, Set, Sighting, Start, earlier, unsupported, values, workload};
use crate::fault::FaultUse;

/// A seed directory that no image has.
const NO_SEEDS: &str = "/app/server/seeds/retired";
/// A seed directory that every image has, without people in it.
const NO_PEOPLE: &str = "/app/server/seeds/reference";
/// A migration that nobody has tried on a database like this.
const MIGRATION: &str = "202512010930_add_service_levels.cjs";
/// What a bootstrap that succeeded leaves.
const RESULT: &str = "appliance-bootstrap-result";
/// A package that programs of the application need.
const PACKAGE: &str = "pino";

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let text = |name: &str, otherwise: &str| fault.params.text(name).unwrap_or(otherwise).to_owned();
    match fault.name() {
        "bootstrap.seed-missing" => seeds(ground, fault, NO_SEEDS).await,
        "bootstrap.no-users" => seeds(ground, fault, NO_PEOPLE).await,
        "bootstrap.never-created" => {
            values::choose(ground, fault.name(), "alga-core", |values| {
                values["setup"]["hook"] = json!(true);
            })
            .await?;
            Ok(Rc::new(NeverCreated(Noticed::default())))
        }
        "bootstrap.migration-fails" => {
            let table = "ALTER TABLE service_levels ADD COLUMN response_minutes INTEGER";
            let migration = text("migration", MIGRATION);
            build(ground, fault, "MIGRATION", format!("{migration} {table}")).await
        }
        "bootstrap.module-missing" => {
            let lines = module_missing(&text("package", PACKAGE), "/app/server/setup/bootstrap.mjs");
            build(ground, fault, "EXITS", format!("1 {lines}")).await
        }
        "bootstrap.hangs" => {
            let line = "Waiting for the licence server at licence.internal:7070";
            build(ground, fault, "WAITS", line.to_owned()).await
        }
        "bootstrap.existing-data" => {
            earlier::install(ground, fault.name()).await?;
            Ok(Rc::new(ExistingData(Noticed::default())))
        }
        other => Err(unsupported(other)),
    }
}

/// What Node.js says when a package is not there.
pub(super) fn module_missing(package: &str, program: &str) -> String {
    format!(
        "node:internal/modules/esm/resolve:873\nError [ERR_MODULE_NOT_FOUND]: Cannot find package '{package}' imported from {program}"
    )
}

async fn build(ground: &Ground<'_>, fault: &FaultUse, what: &str, details: String) -> Set {
    let bad = Bad { image: "alga-core", program: "bootstrap", what, details };
    builds::publish(ground, fault.name(), bad).await
}

async fn seeds(ground: &Ground<'_>, fault: &FaultUse, directory: &'static str) -> Set {
    values::choose(ground, fault.name(), "alga-core", |values| {
        values["setup"]["seedDirectory"] = json!(directory);
    })
    .await?;
    Ok(Rc::new(Seeds { directory, noticed: Noticed::default() }))
}

/// The seeds are not what they should be; who was seeded before needs none.
struct Seeds {
    directory: &'static str,
    noticed: Noticed,
}

#[async_trait(?Send)]
impl Cause for Seeds {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let told = |start: &Start| start.variable("SEED_DIRECTORY") == Some(self.directory);
        let needed = ground.objects.get(&kinds::CONFIG_MAPS, workload::NAMESPACE, RESULT).is_none();
        let so = needed && ground.starts.of("bootstrap").iter().any(told);
        self.noticed.if_so(so, ground, &format!("the job was started with SEED_DIRECTORY={}", self.directory))
    }
}

/// The application waits for a job that nobody makes.
struct NeverCreated(Noticed);

#[async_trait(?Send)]
impl Cause for NeverCreated {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let so = waits_for_bootstrap(ground.objects) && !has_job(ground.objects);
        self.0.if_so(so, ground, "the application waits for bootstrap, and there is no job")
    }
}

fn waits_for_bootstrap(objects: &Objects) -> bool {
    let waits =
        |status: &Value| status["name"] == "wait-for-bootstrap" && status["state"]["running"].is_object();
    let pods = objects.list(&kinds::PODS, Some(workload::NAMESPACE));
    let mut inits =
        pods.iter().flat_map(|pod| pod["status"]["initContainerStatuses"].as_array().into_iter().flatten());
    inits.any(waits)
}

fn has_job(objects: &Objects) -> bool {
    let jobs = objects.list(&kinds::JOBS, Some(workload::NAMESPACE));
    jobs.iter().any(|job| object::name(job).contains("-bootstrap"))
}

/// A database that was there before.
struct ExistingData(Noticed);

#[async_trait(?Send)]
impl Cause for ExistingData {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let started = !ground.starts.of("db").is_empty();
        self.0.if_so(started, ground, "the database was started on the data of an earlier install")
    }
}
