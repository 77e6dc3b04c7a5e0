//! A cluster for kubectl: `cargo run -p fake-cluster --example serve -- FILE` writes a kubeconfig and serves until its
//! standard input ends.

use fake_cluster::{Clock, Cluster, ClusterConfig, Programs};
use tokio::io::AsyncReadExt as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("name the file for the kubeconfig")?;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let programs = Programs::new().pause("web:1").pause("web:2").image("job:1", |process| async move {
        process.log.line("done");
        0
    });
    let cluster = Cluster::start_with(ClusterConfig::new(&Clock::wall())?, programs).await?;
    std::fs::write(&file, cluster.kubeconfig())?;
    let mut rest = Vec::new();
    tokio::io::stdin().read_to_end(&mut rest).await?;
    cluster.stop().await;
    Ok(())
}
