//! The server as kube-rs sees it.

use std::time::Duration;

use crate::world::{World, pod};
use cluster_api::{ApiServer, kinds, object};
use field_clock::Clock;
use futures::{AsyncBufReadExt, StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{
    Api, DeleteParams, ListParams, LogParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, Config, ResourceExt};
use serde_json::{Value, json};

async fn client_of(kubeconfig: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).expect("a kubeconfig");
    let config =
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("a config");
    Client::try_from(config).expect("a client")
}

pub(crate) async fn client(server: &ApiServer) -> Client {
    client_of(&server.kubeconfig()).await
}

fn typed<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a typed object")
}

pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    Clock::wall().timeout(Duration::from_secs(20), future).await.expect("it does not take so long")
}

#[tokio::test]
async fn objects_are_created_listed_changed_and_deleted() {
    let world = World::start().await;
    let client = client(&world.server).await;
    assert_eq!(client.apiserver_version().await.expect("a version").git_version, "v1.34.4");
    let pods: Api<Pod> = Api::namespaced(client, "default");
    let created = pods.create(&PostParams::default(), &typed(pod("a"))).await.expect("created");
    assert_eq!(created.status.and_then(|status| status.phase).as_deref(), Some("Pending"));
    pods.create(&PostParams::default(), &typed(pod("b"))).await.expect("created");
    let chosen = pods.list(&ListParams::default().labels("app in (b)")).await.expect("a list");
    assert_eq!(chosen.items.iter().map(ResourceExt::name_any).collect::<Vec<_>>(), ["b"]);
    let named = pods
        .list(&ListParams::default().fields("metadata.name=a,status.phase=Pending"))
        .await
        .expect("a list");
    assert_eq!(named.items.len(), 1);
    let page = pods.list(&ListParams::default().limit(1)).await.expect("a page");
    let next = ListParams::default().limit(1).continue_token(&page.metadata.continue_.expect("more"));
    assert_eq!(pods.list(&next).await.expect("a page").items[0].name_any(), "b");
    let patch = Patch::Merge(json!({"status": {"phase": "Running"}}));
    pods.patch_status("a", &PatchParams::default(), &patch).await.expect("patched");
    assert_eq!(world.store.get(&kinds::PODS, "default", "a").expect("there")["status"]["phase"], "Running");
    pods.delete("a", &DeleteParams::default()).await.expect("deleted");
    let gone = pods.get("a").await.expect_err("gone");
    assert!(gone.to_string().contains("pods \"a\" not found"), "{gone}");
}

#[tokio::test]
async fn a_watch_resumes_from_a_version_and_says_gone_when_it_is_too_old() {
    let world = World::start().await;
    let maps: Api<ConfigMap> = Api::namespaced(client(&world.server).await, "default");
    let from = maps
        .list(&ListParams::default())
        .await
        .expect("a list")
        .metadata
        .resource_version
        .expect("a version");
    let map = |value: &str| json!({"metadata": {"name": "m", "namespace": "default"}, "data": {"x": value}});
    world.store.create(&kinds::CONFIG_MAPS, map("1")).expect("created");
    world
        .store
        .modify(&kinds::CONFIG_MAPS, "default", "m", |m| m["data"]["x"] = json!("2"))
        .expect("changed");
    let mut events = maps.watch(&WatchParams::default(), &from).await.expect("a watch").boxed();
    assert!(matches!(soon(events.try_next()).await, Ok(Some(WatchEvent::Added(_)))));
    assert!(matches!(soon(events.try_next()).await, Ok(Some(WatchEvent::Modified(_)))));
    world
        .store
        .modify(&kinds::CONFIG_MAPS, "default", "m", |m| m["data"]["x"] = json!("3"))
        .expect("changed");
    assert!(matches!(soon(events.try_next()).await, Ok(Some(WatchEvent::Modified(_)))));
    world.store.forget_history();
    assert!(matches!(soon(events.try_next()).await, Ok(None)));
    let mut late = maps.watch(&WatchParams::default(), &from).await.expect("a watch").boxed();
    match soon(late.try_next()).await {
        Ok(Some(WatchEvent::Error(status))) => {
            assert_eq!((status.code, status.reason.as_str()), (410, "Expired"))
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_streaming_list_ends_with_its_bookmark_and_selectors_turn_changes_into_deletions() {
    let world = World::start().await;
    world.store.create(&kinds::PODS, pod("a")).expect("created");
    let pods: Api<Pod> = Api::all(client(&world.server).await);
    let config = watcher::Config::default().streaming_lists().labels("app=a");
    let mut events = watcher(pods, config).boxed();
    assert!(matches!(soon(events.try_next()).await, Ok(Some(watcher::Event::Init))));
    assert!(matches!(soon(events.try_next()).await, Ok(Some(watcher::Event::InitApply(_)))));
    assert!(matches!(soon(events.try_next()).await, Ok(Some(watcher::Event::InitDone))));
    let relabel = |value: &'static str| {
        world
            .store
            .modify(&kinds::PODS, "default", "a", |pod| object::set_label(pod, "app", value))
            .expect("changed");
    };
    relabel("b");
    assert!(matches!(soon(events.try_next()).await, Ok(Some(watcher::Event::Delete(_)))));
    relabel("a");
    assert!(matches!(soon(events.try_next()).await, Ok(Some(watcher::Event::Apply(_)))));
}

#[tokio::test]
async fn a_watcher_survives_a_restart_of_the_server() {
    let world = World::start().await;
    let pods: Api<Pod> = Api::all(client(&world.server).await);
    let mut events = watcher(pods, watcher::Config::default()).default_backoff().applied_objects().boxed();
    world.store.create(&kinds::PODS, pod("a")).expect("created");
    assert_eq!(soon(events.try_next()).await.expect("no error").expect("an event").name_any(), "a");
    world.server.stop().await;
    assert!(soon(events.next()).await.expect("an event").is_err());
}

#[tokio::test]
async fn server_side_apply_owns_fields_and_conflicts() {
    let world = World::start().await;
    let deployments: Api<Deployment> = Api::namespaced(client(&world.server).await, "default");
    let wanted = |replicas: i64| {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:1"}]}}}})
    };
    let one = PatchParams::apply("one");
    deployments.patch("web", &one, &Patch::Apply(wanted(2))).await.expect("applied");
    let scaled = Patch::Merge(json!({"spec": {"replicas": 3}}));
    let by_hand = PatchParams { field_manager: Some("hand".to_owned()), ..PatchParams::default() };
    deployments.patch("web", &by_hand, &scaled).await.expect("patched");
    let refused = deployments.patch("web", &one, &Patch::Apply(wanted(2))).await.expect_err("a conflict");
    assert!(
        refused.to_string().contains("conflict with \"hand\" using apps/v1: .spec.replicas"),
        "{refused}"
    );
    let forced = deployments.patch("web", &one.force(), &Patch::Apply(wanted(2))).await.expect("forced");
    assert_eq!(forced.spec.and_then(|spec| spec.replicas), Some(2));
    let scale = deployments.get_scale("web").await.expect("a scale");
    assert_eq!(scale.spec.and_then(|spec| spec.replicas), Some(2));
}

#[tokio::test]
async fn a_stranger_is_unauthorized_and_a_service_account_may_only_what_its_role_says() {
    let world = World::start().await;
    let admin = world.server.kubeconfig();
    let line = admin.lines().find(|line| line.contains("token:")).expect("a token").to_owned();
    let with = |token: &str| admin.replace(&line, &format!("    token: {token}"));
    let pods: Api<Pod> = Api::all(client_of(&with("nobody")).await);
    let stranger = pods.list(&ListParams::default()).await.expect_err("unauthorized");
    assert!(matches!(stranger, kube::Error::Api(status) if status.code == 401));
    let token = world.tokens.service_account("default", "watcher", "");
    let watcher = client_of(&with(&token)).await;
    let pods: Api<Pod> = Api::all(watcher);
    match pods.list(&ListParams::default()).await.expect_err("forbidden") {
        kube::Error::Api(status) => assert_eq!(
            status.message,
            "pods is forbidden: User \"system:serviceaccount:default:watcher\" cannot list resource \"pods\" in API group \
             \"\" at the cluster scope"
        ),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn metadata_alone_and_logs_are_served() {
    let world = World::start().await;
    world.store.create(&kinds::PODS, pod("a")).expect("created");
    let pods: Api<Pod> = Api::namespaced(client(&world.server).await, "default");
    let list = pods.list_metadata(&ListParams::default()).await.expect("metadata");
    assert_eq!(list.items[0].name_any(), "a");
    assert_eq!(pods.logs("a", &LogParams::default()).await.expect("a log"), "one\ntwo\n");
    let follow = LogParams { follow: true, ..LogParams::default() };
    let lines = pods.log_stream("a", &follow).await.expect("a log").lines();
    assert_eq!(lines.try_collect::<Vec<_>>().await.expect("lines"), ["one", "two"]);
    let before = LogParams { previous: true, ..LogParams::default() };
    assert!(pods.logs("a", &before).await.is_err());
}

#[tokio::test]
async fn a_server_is_there_at_once() {
    let clock = Clock::wall();
    let world = World::start().await;
    world.server.stop().await;
    let begun = clock.now();
    let world = World::start().await;
    let took = clock.now().duration_since(begun);
    world.server.stop().await;
    assert!(took.as_millis() < 500, "{took:?}");
}

#[tokio::test]
async fn a_paged_list_shows_one_moment_until_that_is_forgotten() {
    let world = World::start().await;
    let pods: Api<Pod> = Api::namespaced(client(&world.server).await, "default");
    for name in ["a", "b", "c"] {
        world.store.create(&kinds::PODS, pod(name)).expect("created");
    }
    let first = pods.list(&ListParams::default().limit(1)).await.expect("a page");
    let token = first.metadata.continue_.clone().expect("more");
    assert_eq!(first.metadata.remaining_item_count, Some(2));
    world.store.remove(&kinds::PODS, "default", "b");
    world.store.create(&kinds::PODS, pod("ba")).expect("created");
    let names =
        |list: kube::core::ObjectList<Pod>| list.items.iter().map(ResourceExt::name_any).collect::<Vec<_>>();
    let rest = ListParams::default().continue_token(&token);
    assert_eq!(names(pods.list(&rest).await.expect("the rest")), ["b", "c"], "as it was");
    world.store.forget_history();
    let url = format!("/api/v1/namespaces/default/pods?limit=1&continue={token}");
    let ask = |url: String| http::Request::get(url).body(Vec::new()).expect("a request");
    let plain = client(&world.server).await;
    match plain.request::<Value>(ask(url)).await.expect_err("expired") {
        kube::Error::Api(status) => {
            assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
            assert!(status.message.starts_with("The provided continue parameter is too old"), "{status:?}");
            let inconsistent = status.metadata.and_then(|meta| meta.continue_).expect("a token for the rest");
            let rest = ListParams::default().continue_token(&inconsistent);
            assert_eq!(names(pods.list(&rest).await.expect("the rest")), ["ba", "c"], "as it is");
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_list_may_ask_for_an_exact_version_and_not_for_contradictions() {
    let world = World::start().await;
    let before = world.store.create(&kinds::PODS, pod("a")).expect("created");
    world.store.create(&kinds::PODS, pod("b")).expect("created");
    let client = client(&world.server).await;
    let ask = async |query: String| {
        let request =
            http::Request::get(format!("/api/v1/pods?{query}")).body(Vec::new()).expect("a request");
        client.request::<Value>(request).await
    };
    let version = object::resource_version(&before);
    let exact = ask(format!("resourceVersion={version}&resourceVersionMatch=Exact")).await.expect("a list");
    assert_eq!(exact["items"].as_array().map(Vec::len), Some(1));
    for (query, told) in [
        (
            "resourceVersionMatch=Exact",
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            "resourceVersion=0&resourceVersionMatch=Exact",
            "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
        ),
        (
            "resourceVersion=1&resourceVersionMatch=Some",
            "Unsupported value: \"Some\": supported values: \"Exact\", \"NotOlderThan\", \"\"",
        ),
        ("sendInitialEvents=true", "sendInitialEvents is forbidden for list"),
    ] {
        let refused = ask(query.to_owned()).await.expect_err(query).to_string();
        assert!(refused.contains(told), "{query}: {refused}");
    }
}
