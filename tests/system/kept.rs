//! A world that is kept: kubectl works on it, and its secrets stay in it.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::process::Command;

use crate::api::Api;
use crate::lanes;
use crate::program::{find, finish};
use crate::smoke::{Desk, Keeper, files_below};

/// Fails as soon as the world is as it should be, so that there is evidence, and a world in which everything has happened.
const TOO_STRICT: &str = "faults:
  - registry.missing-tag: { image: email-service }
expect:
  eventually:
    rollup: ready_with_background_issues
    blockers: [ { code: image-not-found, component: email-service } ]
  never: [ { blocker: image-not-found } ]
";
const CONFIG_MAP: &str = "apiVersion: v1
kind: ConfigMap
metadata: { name: from-kubectl, namespace: msp }
data: { colour: emerald }
";

#[tokio::test]
async fn a_kept_world_is_there_for_kubectl_and_its_report_holds_no_secret() {
    let desk = Desk::new();
    desk.scenario("scenarios", "too-strict", TOO_STRICT);
    let folder = desk.at("scenarios").display().to_string();
    let keeper = Keeper::start(&desk, &["run", "--scenarios", &folder]).await;
    let kubeconfig = keeper.kubeconfig.clone();
    assert!(kubeconfig.starts_with(desk.worlds()) && kubeconfig.is_file(), "{}", kubeconfig.display());
    match find("kubectl") {
        Some(program) => kubectl(&desk, program, &kubeconfig).await,
        None => lanes::did_not_run("kubectl", "there is no kubectl on the path"),
    }
    let secrets = secrets(&kubeconfig, &keeper.status.1).await;
    let ran = keeper.let_go().await;
    ran.ended(1).said("1 failed");
    let files = files_below(&desk.report());
    assert!(files.iter().any(|file| file.ends_with("evidence/secrets.json")), "there is evidence: {files:?}");
    hidden(&desk.report(), &secrets);
    assert_eq!(desk.worlds_left(), Vec::<PathBuf>::new(), "{ran}");
}

/// What people do first.
async fn kubectl(desk: &Desk, program: PathBuf, kubeconfig: &Path) {
    let mut kubectl = Kubectl { program, kubeconfig: kubeconfig.to_owned(), home: desk.at("home"), times: 0 };
    let pods = kubectl.ok(&["get", "pods", "-A"]).await;
    assert!(pods.lines().next().is_some_and(|head| head.starts_with("NAMESPACE")), "a table: {pods}");
    let row = |name: &str| {
        pods.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("no {name}: {pods}"))
    };
    assert!(row(" db-0 ").contains("1/1") && row(" db-0 ").contains("Running"), "{pods}");
    let worker = row(" email-service-");
    assert!(worker.contains("ImagePull"), "the reason is in the table: {worker}");
    let worker = worker.split_whitespace().nth(1).expect("a name").to_owned();
    let described = kubectl.ok(&["describe", "pod", "-n", "msp", &worker]).await;
    assert!(described.contains("not found") && described.contains("Failed to pull image"), "{described}");
    let described = kubectl.ok(&["describe", "deployment", "-n", "msp", "alga-core-sebastian"]).await;
    assert!(described.contains("1 available"), "{described}");
    kubectl.ok(&["describe", "node"]).await;
    let log = kubectl.ok(&["logs", "-n", "msp", "deployment/alga-core-sebastian", "--tail", "20"]).await;
    assert!(!log.trim().is_empty(), "the application says something");
    let log = kubectl.ok(&["logs", "-n", "appliance-system", "deployment/appliance-status"]).await;
    assert!(!log.contains("panicked"), "{log}");
    kubectl.fails(&["logs", "-n", "msp", &worker], "waiting to start").await;
    let file = desk.write("config-map.yaml", CONFIG_MAP).display().to_string();
    let said = kubectl.ok(&["apply", "-f", &file]).await;
    assert_eq!(said.trim(), "configmap/from-kubectl created");
    assert_eq!(kubectl.ok(&["apply", "-f", &file]).await.trim(), "configmap/from-kubectl unchanged");
    desk.write("config-map.yaml", &CONFIG_MAP.replace("emerald", "ruby"));
    assert_eq!(kubectl.ok(&["apply", "-f", &file]).await.trim(), "configmap/from-kubectl configured");
    let colour =
        kubectl.ok(&["get", "configmap", "from-kubectl", "-n", "msp", "-o", "jsonpath={.data.colour}"]).await;
    assert_eq!(colour, "ruby");
    assert!(kubectl.ok(&["delete", "-f", &file]).await.contains("deleted"));
    let releases = kubectl.ok(&["get", "helmreleases", "-A"]).await;
    assert!(releases.contains("alga-core"), "{releases}");
    kubectl.ok(&["get", "events", "-n", "msp"]).await;
    kubectl.ok(&["wait", "--for=condition=Ready", "pod/db-0", "-n", "msp", "--timeout=30s"]).await;
    kubectl.fails(&["get", "pod", "nobody", "-n", "msp"], "NotFound").await;
    lanes::ran("kubectl", kubectl.times + kubectl.tour().await);
}

struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    home: PathBuf,
    times: usize,
}

impl Kubectl {
    async fn run(&mut self, arguments: &[&str]) -> std::process::Output {
        let mut command = Command::new(&self.program);
        command.args(arguments).env("KUBECONFIG", &self.kubeconfig).env("HOME", &self.home);
        self.times += 1;
        finish(command).await
    }

    /// The walk through everything that kubectl can do; how many commands it had.
    async fn tour(&self) -> usize {
        let mut command = Command::new("bash");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/kubectl-tour.sh");
        command.arg(script).env("KUBECONFIG", &self.kubeconfig).env("HOME", &self.home);
        let output = finish(command).await;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        let last = said.lines().last().unwrap_or_default();
        let count = last.strip_suffix(" commands").and_then(|count| count.parse().ok());
        count.unwrap_or_else(|| panic!("the tour tells how many commands it had: {last}"))
    }

    async fn ok(&mut self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "kubectl {arguments:?}: {said}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    async fn fails(&mut self, arguments: &[&str], with: &str) {
        let output = self.run(arguments).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(with), "kubectl {arguments:?}: {said}");
    }
}

/// Everything that must stay in the world: name and value.
pub(crate) async fn secrets(kubeconfig: &Path, token: &str) -> Vec<(String, String)> {
    let api = Api::open(kubeconfig).await;
    let mut found: Vec<(String, String)> =
        api.credentials().into_iter().map(|value| ("the kubeconfig".to_owned(), value)).collect();
    let list = api.get("/api/v1/secrets").await;
    for secret in list["items"].as_array().expect("a list").iter().filter(|secret| secret["type"] == "Opaque")
    {
        let name = secret["metadata"]["name"].as_str().unwrap_or_default();
        for (key, value) in secret["data"].as_object().into_iter().flatten() {
            let bytes = STANDARD.decode(value.as_str().expect("a text")).expect("base64");
            found.extend(String::from_utf8(bytes).ok().map(|value| (format!("{name} {key}"), value)));
        }
    }
    let has = |name: &str| found.iter().any(|(known, value)| known == name && value.len() >= 8);
    for name in ["db-credentials DB_PASSWORD_SUPERUSER", "db-credentials DB_PASSWORD_SERVER"] {
        assert!(has(name), "no {name} in the cluster");
    }
    assert!(has("redis-credentials REDIS_PASSWORD"), "no redis password in the cluster");
    assert!(found.iter().any(|(_, value)| value == token), "the printed token is the cluster's");
    found.retain(|(_, value)| value.len() >= 8);
    found
}

/// No file of a folder has any of these, plain or in base64.
pub(crate) fn hidden(folder: &Path, secrets: &[(String, String)]) {
    for file in files_below(folder) {
        let bytes = std::fs::read(&file).expect("a file");
        for (name, value) in secrets {
            for form in [value.clone(), STANDARD.encode(value)] {
                let there = bytes.windows(form.len()).any(|window| window == form.as_bytes());
                assert!(!there, "{name} is in {}", file.display());
            }
        }
    }
}
