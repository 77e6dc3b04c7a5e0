//! Server-side apply is idempotent: what is applied a second time changes nothing, whoever applied what in between was undone.

use std::collections::BTreeMap;

use crate::world::World;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, Patch, PatchParams};
use proptest::prelude::{ProptestConfig, Strategy, any, prop};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// What a manager wants of a Deployment.
#[derive(Clone, Debug)]
struct Wish {
    manager: u8,
    replicas: Option<i64>,
    labels: BTreeMap<String, String>,
    /// Container name, image, variables.
    containers: BTreeMap<String, (String, BTreeMap<String, String>)>,
}

fn few(prefix: &'static str, most: usize) -> impl Strategy<Value = BTreeMap<String, String>> {
    let name = (0..4_u8).prop_map(move |n| format!("{prefix}{n}"));
    let value = (0..3_u8).prop_map(|n| n.to_string());
    prop::collection::btree_map(name, value, 0..=most)
}

fn wish() -> impl Strategy<Value = Wish> {
    let container = ((0..2_u8).prop_map(|n| format!("web:{n}")), few("VAR", 3));
    let containers = prop::collection::btree_map((0..3_u8).prop_map(|n| format!("c{n}")), container, 1..3);
    (0..3_u8, prop::option::of(0..4_i64), few("label", 3), containers)
        .prop_map(|(manager, replicas, labels, containers)| Wish { manager, replicas, labels, containers })
}

fn wanted(wish: &Wish) -> Value {
    let containers: Vec<Value> = wish
        .containers
        .iter()
        .map(|(name, (image, variables))| {
            let env: Vec<Value> =
                variables.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
            json!({"name": name, "image": image, "env": env})
        })
        .collect();
    let mut object = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "labels": wish.labels},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}},
            "spec": {"containers": containers}}}});
    if let Some(replicas) = wish.replicas {
        object["spec"]["replicas"] = json!(replicas);
    }
    object
}

/// What comes of it; nothing when it is refused, as a container is that somebody else keeps and that has lost its image.
async fn apply(api: &Api<Deployment>, wish: &Wish) -> Option<Value> {
    let params = PatchParams::apply(&format!("manager-{}", wish.manager)).force();
    match api.patch("web", &params, &Patch::Apply(wanted(wish))).await {
        Ok(applied) => Some(serde_json::to_value(applied).expect("JSON")),
        Err(kube::Error::Api(status)) if status.code == 422 => None,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn what_is_applied_twice_is_as_if_applied_once() {
    let world = World::start();
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() });
    let outcome = runner.run(&prop::collection::vec(wish(), 1..6), |wishes| {
        let api: Api<Deployment> = Api::namespaced(world.client.clone(), &world.namespace());
        world.runtime.block_on(async {
            for wish in &wishes {
                let once = apply(&api, wish).await;
                let twice = apply(&api, wish).await;
                assert!(once == twice, "the second time changed something\n{once:?}\n{twice:?}");
            }
        });
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn what_a_manager_no_longer_wants_goes_as_if_it_had_never_been_applied() {
    let world = World::start();
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() });
    let outcome = runner.run(&(wish(), wish(), any::<bool>()), |(first, mut second, others)| {
        second.manager = first.manager;
        let [straight, detour] = [world.namespace(), world.namespace()]
            .map(|namespace| Api::<Deployment>::namespaced(world.client.clone(), &namespace));
        world.runtime.block_on(async {
            if others {
                let stranger = Wish { manager: 9, ..first.clone() };
                apply(&straight, &stranger).await;
                apply(&detour, &stranger).await;
            }
            let direct = apply(&straight, &first).await.expect("the first is whole");
            apply(&detour, &first).await;
            apply(&detour, &second).await;
            let back = apply(&detour, &first).await.expect("the first is whole");
            assert_eq!(back["metadata"]["labels"], direct["metadata"]["labels"]);
            if first.replicas.is_some() || second.replicas.is_none() {
                assert_eq!(back["spec"]["replicas"], direct["spec"]["replicas"]);
            }
            assert_eq!(names(&back), names(&direct));
        });
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// Names of containers and of their variables, whatever their order.
fn names(deployment: &Value) -> BTreeMap<String, Vec<String>> {
    let text = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let containers = deployment["spec"]["template"]["spec"]["containers"].as_array().into_iter().flatten();
    containers
        .map(|container| {
            let mut variables: Vec<String> =
                container["env"].as_array().into_iter().flatten().map(text).collect();
            variables.sort();
            (text(container), variables)
        })
        .collect()
}
