//! Services, host ports and links.

use cluster_api::Propagation;
use cluster_api::kinds::{ENDPOINT_SLICES, PODS};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{World, in_world};

fn service(w: &World, name: &str, port: u16) -> std::net::IpAddr {
    let made = w.create(
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"},
        "spec": {"ports": [{"name": "http", "port": port}]}}),
    );
    made["spec"]["clusterIP"].as_str().unwrap().parse().unwrap()
}

fn endpoints(w: &World, service: &str, pod: &str, port: u16) {
    let ip = w.get(pod)["status"]["podIP"].clone();
    w.create(json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": format!("{service}-1"), "namespace": "default", "labels": {"kubernetes.io/service-name": service}},
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
        "endpoints": [{"addresses": [ip], "conditions": {"ready": true}}]}));
}

async fn asks(mut stream: TcpStream) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.lines().next().unwrap_or("").to_owned()
}

#[test]
fn a_service_leads_to_its_ready_endpoint_and_refuses_without() {
    in_world(|w| async move {
        w.pod("web", "test/serve:1", json!({"ports": [{"containerPort": 8080, "hostPort": 3000}]}));
        let ip = service(&w, "web", 9000);
        w.until_phase(4, "web", "Running").await;
        let refused = TcpStream::connect((ip, 9000)).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        endpoints(&w, "web", "web", 8080);
        w.seconds(1).await;
        assert_eq!(asks(TcpStream::connect((ip, 9000)).await.unwrap()).await, "HTTP/1.1 200 Whatever");
        assert_eq!(asks(TcpStream::connect(w.address(3000)).await.unwrap()).await, "HTTP/1.1 200 Whatever");
        w.store.delete(&ENDPOINT_SLICES, "default", "web-1", Propagation::Background).unwrap();
        w.seconds(1).await;
        assert!(TcpStream::connect((ip, 9000)).await.is_err());
    });
}

#[test]
fn links_name_the_services_that_exist_at_the_start() {
    in_world(|w| async move {
        let ip = service(&w, "temporal-ui", 8080);
        w.pod("with", "test/sleep:1", json!({}));
        w.create(crate::world::pod(
            "without",
            "test/sleep:1",
            json!({}),
            json!({"enableServiceLinks": false}),
        ));
        w.until_phase(4, "with", "Running").await;
        w.until_phase(4, "without", "Running").await;
        let started = w.stub.started.lock().unwrap();
        let of = |pod: &str| started.iter().find(|spec| spec.pod == pod).unwrap().env.clone();
        assert!(of("with").contains(&("TEMPORAL_UI_PORT".into(), format!("tcp://{ip}:8080"))));
        assert!(!of("without").iter().any(|(name, _)| name.starts_with("TEMPORAL_UI")));
        assert!(of("without").iter().any(|(name, _)| name == "KUBERNETES_PORT"));
    });
}

#[test]
fn the_clusters_dns_answers_and_passes_on() {
    in_world(|w| async move {
        let dns = w.create(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kube-dns", "namespace": "kube-system"},
            "spec": {"ports": [{"name": "dns", "port": 53, "protocol": "UDP"}]}}));
        let mut pod =
            crate::world::pod("coredns", "test/coredns:1", json!({}), json!({"dnsPolicy": "Default"}));
        pod["metadata"]["namespace"] = json!("kube-system");
        w.create(pod);
        let web = service(&w, "web", 9000);
        w.pod("client", "test/sleep:1", json!({}));
        w.until_phase(4, "client", "Running").await;
        let coredns = |w: &World| w.store.get(&PODS, "kube-system", "coredns").unwrap()["status"].clone();
        w.until(4, "the name server runs", |w| coredns(w)["phase"] == "Running").await;
        let network =
            w.stub.started.lock().unwrap().iter().find(|spec| spec.pod == "client").unwrap().network.clone();
        let server = dns["spec"]["clusterIP"].as_str().unwrap();
        let refused = network.resolve("web").await.unwrap_err().to_string();
        assert!(refused.contains(&format!("lookup web on {server}:53: read udp ")), "{refused}");
        let ip = coredns(&w)["podIP"].clone();
        w.create(json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": "kube-dns-1", "namespace": "kube-system", "labels": {"kubernetes.io/service-name": "kube-dns"}},
            "ports": [{"name": "dns", "port": 53, "protocol": "UDP"}],
            "endpoints": [{"addresses": [ip], "conditions": {"ready": true}}]}));
        w.seconds(1).await;
        for name in ["web", "web.default", "web.default.svc.cluster.local"] {
            assert_eq!(network.resolve(name).await.unwrap(), [web], "{name}");
        }
        assert_eq!(network.resolve("ghcr.io").await.unwrap().len(), 1);
        let unknown = network.resolve("nobody").await.unwrap_err().to_string();
        assert_eq!(unknown, format!("lookup nobody on {server}:53: no such host"));
        w.dns.control().stop().await;
        let broken = network.resolve("ghcr.io").await.unwrap_err().to_string();
        assert_eq!(broken, format!("lookup ghcr.io on {server}:53: server misbehaving"));
    });
}
