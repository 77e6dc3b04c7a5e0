//! The status service as a process of its own, alone on a core.

use std::error::Error;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use field_clock::Clock;
use jiff::SignedDuration;
use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::crowd::Crowd;

/// Where it listens.
pub(crate) const LISTEN: &str = "127.0.0.1:18080";
/// What it asks its readers for.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";
/// Between two looks of a reader.
const LOOK: Duration = Duration::from_millis(2);
/// It has looked by then, or never will; this is no budget.
const LIMIT: Duration = Duration::from_secs(60);

/// A status service that runs.
pub(crate) struct Service {
    child: Child,
    client: Client,
    _account: TempDir,
    /// From its start to its first document that rests on everything it reads.
    pub(crate) first: SignedDuration,
}

impl Service {
    /// Starts it and waits for its first document.
    pub(crate) async fn start(program: &Path, crowd: &Crowd) -> Result<Self, Box<dyn Error>> {
        let account = tempfile::tempdir()?;
        std::fs::write(account.path().join("token"), &crowd.token)?;
        std::fs::write(account.path().join("ca.crt"), &crowd.authority)?;
        std::fs::write(account.path().join("namespace"), "appliance-system")?;
        let clock = Clock::wall();
        let began = clock.now();
        let child = Command::new("taskset")
            .args(["-c", "0"])
            .arg(program)
            .env("STATUS_TOKEN", TOKEN)
            .env("STATUS_LISTEN", LISTEN)
            .env("HOST_IP", "127.0.0.1")
            .env("KUBERNETES_SERVICE_HOST", &crowd.api.0)
            .env("KUBERNETES_SERVICE_PORT", &crowd.api.1)
            .env("SERVICE_ACCOUNT_DIR", account.path())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let client = Client::builder().no_proxy().build()?;
        let mut service = Self { child, client, _account: account, first: SignedDuration::ZERO };
        let looked = clock.timeout(LIMIT, async {
            loop {
                // Before its first look a document has no time.
                if service.document().await.is_ok_and(|document| document["timestamp"].is_string()) {
                    return;
                }
                clock.sleep(LOOK).await;
            }
        });
        looked.await.map_err(|_| format!("no document within {LIMIT:?}"))?;
        service.first = clock.now().duration_since(began);
        Ok(service)
    }

    /// What it says now.
    async fn document(&self) -> Result<Value, reqwest::Error> {
        let request = self.client.get(format!("http://{LISTEN}/api/status")).bearer_auth(TOKEN);
        request.send().await?.error_for_status()?.json().await
    }

    /// Looks until its release's channel is this one.
    pub(crate) async fn until_it_says(&self, channel: &str) -> Result<(), reqwest::Error> {
        loop {
            if self.document().await?["release"]["selectedChannel"] == channel {
                return Ok(());
            }
            Clock::wall().sleep(LOOK).await;
        }
    }

    /// Its memory: now, and the most that it ever was.
    pub(crate) fn resident(&self) -> Result<String, Box<dyn Error>> {
        // taskset becomes the program that it starts.
        let pid = self.child.id().ok_or("it has ended")?;
        let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let kilobytes = |name: &str| -> Option<f64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().split(' ').next()?.parse().ok()
        };
        let mebibytes = |name: &str| kilobytes(name).map_or(f64::NAN, |it| it / 1024.0);
        Ok(format!("{:.1} MiB, at most {:.1} MiB", mebibytes("VmRSS:"), mebibytes("VmHWM:")))
    }
}
