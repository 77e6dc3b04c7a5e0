//! A server that goes away, comes back, or hangs.

use std::time::Duration;

use crate::client::{client, soon};
use crate::world::{World, pod};
use cluster_api::kinds;
use field_clock::Clock;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, WatchEvent, WatchParams};

async fn list(pods: &Api<Pod>) -> Result<String, kube::Error> {
    pods.list(&ListParams::default()).await.map(|list| list.metadata.resource_version.unwrap_or_default())
}

#[tokio::test]
async fn an_outage_cuts_connections_then_refuses_everybody_and_then_knows_no_old_version() {
    let world = World::start().await;
    let pods: Api<Pod> = Api::all(client(&world.server).await);
    let from = soon(list(&pods)).await.expect("a version");
    let mut open = pods.watch(&WatchParams::default(), &from).await.expect("a watch").boxed();
    let outage = world.server.control().outage();
    assert!(matches!(soon(open.next()).await, None | Some(Err(_))), "the open watch ends");
    assert!(!world.server.control().answers());
    let cut = soon(list(&pods)).await.expect_err("cut");
    assert!(!matches!(cut, kube::Error::Api(_)), "nobody answers: {cut}");
    world.store.create(&kinds::PODS, pod("meanwhile")).expect("created");
    drop(outage);
    let clock = Clock::wall();
    let mut refusals = 0;
    let begun = clock.now();
    loop {
        match soon(list(&pods)).await {
            Ok(_) => break,
            Err(kube::Error::Api(status)) => {
                assert_eq!((status.code, status.reason.as_str()), (403, "Forbidden"));
                assert_eq!(
                    status.message,
                    "pods is forbidden: User \"kubernetes-admin\" cannot list resource \"pods\" in API group \"\" at the \
                     cluster scope"
                );
                refusals += 1;
            }
            Err(_) => assert_eq!(refusals, 0, "once it answers it goes on"),
        }
        clock.sleep(Duration::from_millis(100)).await;
    }
    let took = clock.now().duration_since(begun).as_secs_f64();
    assert!(refusals > 3 && (2.5..6.0).contains(&took), "{refusals} refusals in {took} s");
    let mut late = pods.watch(&WatchParams::default(), &from).await.expect("a watch").boxed();
    match soon(late.try_next()).await {
        Ok(Some(WatchEvent::Error(status))) => {
            assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
            assert!(status.message.starts_with("too old resource version: "), "{}", status.message);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_hanging_server_says_nothing_and_goes_on_where_it_was() {
    let world = World::start().await;
    let pods: Api<Pod> = Api::all(client(&world.server).await);
    let from = soon(list(&pods)).await.expect("a version");
    let mut open = pods.watch(&WatchParams::default(), &from).await.expect("a watch").boxed();
    let hang = world.server.control().hang();
    world.store.create(&kinds::PODS, pod("quiet")).expect("created");
    let clock = Clock::wall();
    let silence = clock.timeout(Duration::from_millis(300), open.next()).await;
    assert!(silence.is_err(), "the watch is silent");
    let fresh: Api<Pod> = Api::all(client(&world.server).await);
    let asked = tokio::spawn(async move { list(&fresh).await });
    clock.sleep(Duration::from_millis(200)).await;
    assert!(!asked.is_finished(), "a request is not answered");
    drop(hang);
    assert!(matches!(soon(open.try_next()).await, Ok(Some(WatchEvent::Added(_)))));
    soon(asked).await.expect("a task").expect("an answer");
}
