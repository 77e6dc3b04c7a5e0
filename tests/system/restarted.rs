//! What a second run of the operator's command leaves as it was.

use serde_json::Value;

use crate::api::Api;
use crate::smoke::{Desk, Keeper};

#[tokio::test]
async fn a_second_install_over_the_first_seeds_nothing_and_keeps_credentials_and_data() {
    let desk = Desk::new();
    let keeper = Keeper::start(&desk, &["run", "restart-keeps-data"]).await;
    let api = Api::open(&keeper.kubeconfig).await;
    let jobs = api.get("/apis/batch/v1/namespaces/msp/jobs").await;
    let [job] = jobs["items"].as_array().expect("a list").as_slice() else {
        panic!("the first job is gone by its time to live, and there is one more: {jobs:#}")
    };
    assert_eq!(job["metadata"]["name"], "alga-core-sebastian-bootstrap-r2");
    let log = log_of(&api, job).await;
    assert!(log.contains("seeds already present, skipping"), "{log}");
    assert!(log.contains("bootstrap_mode=recover") && !log.contains("running seeds"), "{log}");
    let secret = api.get("/api/v1/namespaces/msp/secrets/db-credentials").await;
    assert!(created(&secret) < created(job), "the first install's: {secret:#}");
    let result = api.get("/api/v1/namespaces/msp/configmaps/appliance-bootstrap-result").await;
    let claims = "/api/v1/namespaces/msp/persistentvolumeclaims/alga-core-sebastian-postgres-data";
    let claim = api.get(claims).await;
    assert_eq!(result["data"]["usersCount"], "1", "{result:#}");
    assert_eq!(result["data"]["pvcUid"], claim["metadata"]["uid"], "{result:#}");
    let db = api.get("/api/v1/namespaces/msp/pods/db-0").await;
    assert!(created(&db) > created(&secret), "the database's pod was another one: {db:#}");
    keeper.let_go().await.ended(0);
}

async fn log_of(api: &Api, job: &Value) -> String {
    let name = job["metadata"]["name"].as_str().expect("a name");
    let pods = api.get(&format!("/api/v1/namespaces/msp/pods?labelSelector=job-name%3D{name}")).await;
    let pod = pods["items"][0]["metadata"]["name"].as_str().expect("a pod of the job").to_owned();
    api.text(&format!("/api/v1/namespaces/msp/pods/{pod}/log")).await
}

/// Times as Kubernetes writes them are in order as texts.
fn created(object: &Value) -> &str {
    object["metadata"]["creationTimestamp"].as_str().expect("a time")
}
