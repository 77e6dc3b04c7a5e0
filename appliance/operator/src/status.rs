//! The status service, asked over HTTP.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use appliance_assess::Site;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::cli::Status;
use crate::cluster::Cluster;
use crate::failure::{Failure, Layer};
use crate::lookout::assessed;
use crate::report::{line, warning};
use crate::time::ApiTime;
use crate::token;

const WITHIN: SignedDuration = SignedDuration::from_secs(120);

/// The status service of one appliance.
#[derive(Clone, Debug)]
pub(crate) struct StatusPage {
    url: String,
    token: String,
    http: reqwest::Client,
}

impl StatusPage {
    pub(crate) fn new(ip: IpAddr, token: &str) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .no_proxy()
            // The page is plain HTTP: whom the machine trusts does not matter.
            .tls_certs_only([])
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(5))
            .build()
            .map_err(|error| Failure::new(Layer::Host, "prepare an HTTP client", "").because(error))?;
        Ok(Self { url: format!("http://{}", SocketAddr::new(ip, 8080)), token: token.to_owned(), http })
    }

    /// Tells where the page is, before there is one.
    pub(crate) fn announce(&self, title: &str) {
        line(title);
        line(&format!("  URL:   {}", self.url));
        line(&format!("  Token: {}", self.token));
    }

    /// Waits for the page, but not for ever: the install goes on without it.
    pub(crate) async fn wait(&self, time: &ApiTime) -> Result<(), Failure> {
        let up = async {
            while !self.is_up().await {
                time.beat().await;
            }
        };
        tokio::select! {
            () = up => {}
            () = time.pass(WITHIN) => warning(&format!(
                "appliance-status did not become reachable on {} within 120s; continuing core bootstrap.",
                self.url
            )),
        }
        Ok(())
    }

    async fn is_up(&self) -> bool {
        let answer = self.http.get(format!("{}/healthz", self.url)).send().await;
        answer.is_ok_and(|it| it.status().is_success())
    }

    pub(crate) async fn document(&self) -> Result<Value, reqwest::Error> {
        let request = self.http.get(format!("{}/api/status", self.url)).bearer_auth(&self.token);
        request.send().await?.error_for_status()?.json().await
    }
}

/// `appliance status`. Where the page does not answer, the command says what it sees itself, and fails all the same.
pub(crate) async fn run(arguments: &Status) -> Result<(), Failure> {
    let cluster = Cluster::connect(&arguments.kubeconfig).await?;
    let remedy = "Run appliance bootstrap first.";
    let token = token::of_cluster(&cluster)
        .await?
        .ok_or_else(|| Failure::new(Layer::Kubernetes, "find the status token in the cluster", remedy))?;
    let ip = match arguments.node_ip {
        Some(ip) => ip,
        None => cluster.node_ip().await?,
    };
    let page = StatusPage::new(ip, &token)?;
    let silent = match page.document().await {
        Ok(document) => {
            tell(&document, arguments.json);
            return Ok(());
        }
        Err(error) => {
            let remedy = "Check deployment appliance-system/appliance-status.";
            Failure::new(Layer::Kubernetes, format!("ask {}/api/status", page.url), remedy).because(error)
        }
    };
    let time = ApiTime::start(cluster.client.clone(), arguments.clock);
    let site = Site { host_ip: Some(ip.to_string()), ..Site::default() };
    if let Some(document) = assessed(cluster.client, &time, site).await {
        tell(&json!(document), arguments.json);
    }
    Err(silent)
}

fn tell(document: &Value, as_json: bool) {
    if as_json {
        return line(&serde_json::to_string_pretty(document).unwrap_or_default());
    }
    let text = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
    line(&format!("{}: {}", text(&document["status"]), text(&document["rollup"]["message"])));
    for blocker in document["topBlockers"].as_array().into_iter().flatten() {
        line(&format!(
            "  {} ({}): {}",
            text(&blocker["layer"]),
            text(&blocker["component"]),
            text(&blocker["reason"])
        ));
        line(&format!("    Next: {}", text(&blocker["nextAction"])));
    }
    line(&format!("Next: {}", text(&document["nextAction"])));
}
