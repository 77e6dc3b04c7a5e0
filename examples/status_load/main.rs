//! The status service under load: a standing appliance with 1,000 pods and 10,000 events, of which some change all the time,
//! while a load tool of other people reads `/api/status` as fast as it can.
//!
//! ```text
//! status_load KUBECONFIG PROGRAM [PODS EVENTS SECONDS]     PROGRAM: the status service; wrk and taskset are on the path
//!
//!   wrk ───────── GET /api/status, Bearer ──┐
//!   a reader ──── is the change there? ─────┼─▶ PROGRAM, alone on core 0 ──▶ the cluster of KUBECONFIG
//!   this ──────── changes pods, writes events ─────────────────────────────────┘
//! ```
//! It ends with an error when a change does not reach the reader.

mod crowd;
mod service;

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use field_clock::Clock;
use jiff::SignedDuration;
use tokio::process::Command;

use crowd::Crowd;
use service::{LISTEN, Service, TOKEN};

/// Between two rounds of changes.
const ROUND: Duration = Duration::from_millis(250);
/// No change takes longer to reach a reader, however busy the service is; this is no budget.
const LIMIT: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kubeconfig, program, numbers @ ..] = arguments.as_slice() else {
        return Err("usage: status_load KUBECONFIG PROGRAM [PODS EVENTS SECONDS]".into());
    };
    let numbers: Vec<usize> = numbers.iter().map(|it| it.parse()).collect::<Result<_, _>>()?;
    let number = |index: usize, otherwise| numbers.get(index).copied().unwrap_or(otherwise);
    let (pods, events, seconds) = (number(0, 1_000), number(1, 10_000), number(2, 10));
    let crowd = Crowd::gather(&PathBuf::from(kubeconfig), pods, events).await?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{} pods and {} events in the cluster",
        crowd.count("pods").await?,
        crowd.count("events").await?
    )?;
    let service = Service::start(&PathBuf::from(program), &crowd).await?;
    writeln!(out, "first document {:.0} ms after the start", service.first.as_secs_f64() * 1e3)?;
    writeln!(out, "resident before the load: {}", service.resident()?)?;
    let mut wrk = wrk(seconds)?;
    let reached = reached(&crowd, &service, &mut wrk).await?;
    let load = wrk.wait_with_output().await?;
    out.write_all(&load.stdout)?;
    if !load.status.success() {
        return Err(String::from_utf8_lossy(&load.stderr).into());
    }
    writeln!(out, "resident after the load: {}", service.resident()?)?;
    let most = reached.iter().max().copied().unwrap_or_default();
    let median = reached.get(reached.len() / 2).copied().unwrap_or_default();
    writeln!(
        out,
        "{} changes under load, each reached a reader: median {:.0} ms, most {:.0} ms",
        reached.len(),
        median.as_secs_f64() * 1e3,
        most.as_secs_f64() * 1e3,
    )?;
    Ok(())
}

/// One thread that keeps 32 connections busy, on the core that the service does not have.
fn wrk(seconds: usize) -> std::io::Result<tokio::process::Child> {
    let arguments = ["-c", "1", "wrk", "-t", "1", "-c", "32", "--latency", "-d"];
    Command::new("taskset")
        .args(arguments)
        .arg(format!("{seconds}s"))
        .args(["-H", &format!("Authorization: Bearer {TOKEN}")])
        .arg(format!("http://{LISTEN}/api/status"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// Changes things until the load ends; how long each change took to reach a reader, sorted.
async fn reached(
    crowd: &Crowd,
    service: &Service,
    wrk: &mut tokio::process::Child,
) -> Result<Vec<SignedDuration>, Box<dyn Error>> {
    let clock = Clock::wall();
    let mut took = Vec::new();
    let mut round = 0;
    while wrk.try_wait()?.is_none() {
        round += 1;
        let said = crowd.change(round).await?;
        let began = clock.now();
        let seen = clock.timeout(LIMIT, service.until_it_says(&said)).await;
        seen.map_err(|_| format!("change {round} did not reach a reader within {LIMIT:?}"))??;
        took.push(clock.now().duration_since(began));
        clock.sleep(ROUND).await;
    }
    took.sort();
    Ok(took)
}
