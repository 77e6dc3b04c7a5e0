//! Commands that need more than the tour's image: inside containers, through the API.

use std::process::Stdio;
use std::time::Duration;

use crate::program::{Desk, find, free_port};
use fake_cluster::{Clock, kinds};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

#[tokio::test]
async fn commands_run_in_containers_with_their_streams_and_their_exit_code() {
    if find().is_none() {
        return;
    }
    let desk = Desk::start().await;
    desk.pod("one").await;
    assert_eq!(desk.ok(&["exec", "one", "--", "sh", "-c", "echo out; echo err >&2"]).await, "out\n");
    let failed = desk.run(&["exec", "one", "--", "sh", "-c", "echo no >&2; exit 3"]).await;
    assert_eq!(failed.status.code(), Some(3));
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(said.contains("no\n") && said.contains("command terminated with exit code 3"), "{said}");
    let mut command = desk.command("kubectl");
    let mut child = command
        .args(["exec", "-i", "one", "--", "sh", "-c", "cat; echo end"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("kubectl runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(b"hello\n").await.expect("written");
    drop(stdin);
    let output = child.wait_with_output().await.expect("an end");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "hello\nend\n");
    let refused = desk.refused(&["exec", "one", "--", "nosuchprogram"]).await;
    assert!(
        refused.contains(
            "unable to start container process: exec: \"nosuchprogram\": executable file not found in $PATH: unknown"
        ),
        "{refused}"
    );
    assert!(desk.refused(&["exec", "two", "--", "true"]).await.contains("pods \"two\" not found"));
}

#[tokio::test]
async fn files_are_copied_into_containers_and_out_of_them() {
    if find().is_none() {
        return;
    }
    let desk = Desk::start().await;
    desk.pod("one").await;
    let (from, inside, back) = (desk.at("from"), desk.at("inside"), desk.at("back"));
    std::fs::create_dir(&inside).expect("a directory");
    let content = "0123456789abcdef".repeat(20_000);
    std::fs::write(&from, &content).expect("written");
    let target = format!("{}/file", inside.display());
    desk.ok(&["cp", &from.display().to_string(), &format!("one:{target}")]).await;
    assert_eq!(std::fs::read_to_string(&target).expect("copied"), content);
    desk.ok(&["cp", &format!("one:{target}"), &back.display().to_string()]).await;
    assert_eq!(std::fs::read_to_string(&back).expect("copied back"), content);
}

#[tokio::test]
async fn ports_are_forwarded_to_what_listens_in_a_pod() {
    if find().is_none() {
        return;
    }
    let desk = Desk::start().await;
    desk.pod("one").await;
    let pod = desk.cluster.store().get(&kinds::PODS, "default", "one").expect("a pod");
    let ip = pod["status"]["podIP"].as_str().expect("an address").to_owned();
    let listener = tokio::net::TcpListener::bind((ip.as_str(), 0)).await.expect("a port of the pod");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut said = [0; 5];
            let _ = stream.read_exact(&mut said).await;
            let _ = stream.write_all(&said).await;
        }
    });
    let local = free_port();
    let mut command = desk.command("kubectl");
    let mut forward =
        command.args(["port-forward", "pod/one", &format!("{local}:{port}")]).spawn().expect("kubectl runs");
    let mut lines = BufReader::new(forward.stdout.take().expect("a pipe")).lines();
    let first = Clock::wall().timeout(Duration::from_secs(20), lines.next_line()).await;
    assert!(first.expect("soon").expect("a line").is_some_and(|line| line.contains("Forwarding from")));
    for _ in 0..3 {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", local)).await.expect("connected");
        stream.write_all(b"hello").await.expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert_eq!(answer, "hello");
    }
    forward.kill().await.expect("killed");
}

#[tokio::test]
async fn a_taint_by_hand_evicts_who_does_not_tolerate_it() {
    if find().is_none() {
        return;
    }
    let desk = Desk::start().await;
    desk.pod("plain").await;
    let tolerant =
        json!({"spec": {"tolerations": [{"key": "dedicated", "operator": "Exists", "effect": "NoExecute"}]}});
    desk.ok(&["run", "tolerant", "--image=web:1", "--restart=Never", &format!("--overrides={tolerant}")])
        .await;
    desk.ok(&["wait", "--for=condition=Ready", "pod/tolerant", "--timeout=30s"]).await;
    desk.ok(&["taint", "nodes", "node", "dedicated=x:NoExecute"]).await;
    desk.ok(&["wait", "--for=delete", "pod/plain", "--timeout=60s"]).await;
    let left = desk.ok(&["get", "pods", "-o", "name"]).await;
    assert_eq!(left, "pod/tolerant\n");
}

#[tokio::test]
async fn an_outage_of_the_api_is_an_end_of_file_or_a_reset_to_kubectl() {
    if find().is_none() {
        return;
    }
    let desk = Desk::start().await;
    desk.ok(&["get", "nodes"]).await;
    let outage = desk.cluster.api().outage();
    let said = desk.refused(&["get", "nodes"]).await;
    assert!(said.contains("EOF") || said.contains("connection reset by peer"), "{said}");
    drop(outage);
    let mut refusals = 0;
    let clock = Clock::wall();
    for _ in 0..100 {
        let output = desk.run(&["get", "nodes"]).await;
        if output.status.success() {
            break;
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        refusals += usize::from(said.contains("User \"kubernetes-admin\" cannot list resource \"nodes\""));
        clock.sleep(Duration::from_millis(50)).await;
    }
    assert!(refusals > 0, "about a second of refusals");
    assert!(desk.ok(&["get", "nodes"]).await.contains("Ready"));
}
