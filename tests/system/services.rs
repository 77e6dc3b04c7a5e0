//! The nine services are real to those who use them: stock clients, wrong passwords, deleted pods.

use std::net::SocketAddr;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, StatusCode, header, redirect};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio_postgres::error::SqlState;

use crate::api::Api;
use crate::lanes;
use crate::program::{find, finish, until};
use crate::smoke::{Desk, Keeper};

const ADMIN: (&str, &str) = ("glinda@emeraldcity.oz", "ThereIsNoPlaceLikeHome");

#[tokio::test]
async fn a_kept_appliance_signs_in_who_has_the_password_and_keeps_its_data() {
    let desk = Desk::new();
    desk.scenario("scenarios", "up", "expect:\n  eventually: { rollup: fully_healthy, blockers: [] }\n");
    let folder = desk.at("scenarios").display().to_string();
    let keeper = Keeper::start(&desk, &["run", "--scenarios", &folder]).await;
    let api = Api::open(&keeper.kubeconfig).await;
    application(&keeper.app).await;
    status(&keeper.status).await;
    let db = Db::of(&api).await;
    db.refuses_a_wrong_password().await;
    match find("psql") {
        Some(program) => survives(&db, &api, program, &desk).await,
        None => lanes::did_not_run("psql", "there is no psql on the path"),
    }
    keeper.let_go().await.ended(0);
}

async fn application(app: &str) {
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().expect("a client");
    let front = client.get(format!("{app}/")).send().await.expect("an answer");
    assert_eq!(front.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(front.headers()[header::LOCATION], "/msp/dashboard");
    let sign_in = async |email: &str, password: &str| {
        let body = json!({"email": email, "password": password});
        client.post(format!("{app}/api/auth/login")).json(&body).send().await.expect("an answer")
    };
    assert_eq!(sign_in(ADMIN.0, "wrong").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in("nobody@emeraldcity.oz", ADMIN.1).await.status(), StatusCode::UNAUTHORIZED);
    let welcome = sign_in(ADMIN.0, ADMIN.1).await;
    assert_eq!(welcome.status(), StatusCode::OK);
    let cookie = welcome.headers()[header::SET_COOKIE].to_str().expect("ASCII");
    let cookie = cookie.split(';').next().expect("name and value").to_owned();
    let dashboard = async |cookie: &str| {
        let request = client.get(format!("{app}/msp/dashboard")).header(header::COOKIE, cookie);
        request.send().await.expect("an answer").status()
    };
    assert_eq!(dashboard(&cookie).await, StatusCode::OK);
    assert_eq!(dashboard(&format!("{cookie}x")).await, StatusCode::TEMPORARY_REDIRECT);
}

async fn status((url, token): &(String, String)) {
    let client = Client::builder().no_proxy().build().expect("a client");
    let ask = async |token: &str| {
        client.get(format!("{url}/api/status")).bearer_auth(token).send().await.expect("an answer")
    };
    let refused = ask("wrong").await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(refused.headers()[header::WWW_AUTHENTICATE], "Bearer realm=\"appliance-status\"");
    assert_eq!(refused.json::<Value>().await.expect("JSON"), json!({"error": "unauthorized"}));
    let document: Value = ask(token).await.json().await.expect("JSON");
    assert_eq!(document["rollup"]["state"], "fully_healthy");
}

/// The database as a client in the cluster sees it.
struct Db {
    address: SocketAddr,
    password: String,
}

impl Db {
    async fn of(api: &Api) -> Self {
        let service = api.get("/api/v1/namespaces/msp/services/db").await;
        let address = format!("{}:5432", service["spec"]["clusterIP"].as_str().expect("an address"));
        let secret = api.get("/api/v1/namespaces/msp/secrets/db-credentials").await;
        let password = secret["data"]["DB_PASSWORD_SUPERUSER"].as_str().expect("a password");
        let password = String::from_utf8(STANDARD.decode(password).expect("base64")).expect("UTF-8");
        Self { address: address.parse().expect("an address"), password }
    }

    async fn refuses_a_wrong_password(&self) {
        let mut config = tokio_postgres::Config::new();
        config.host(self.address.ip().to_string()).port(self.address.port());
        config.user("postgres").dbname("postgres").password("wrong");
        let error = config.connect(tokio_postgres::NoTls).await.err().expect("it is wrong");
        assert_eq!(error.code(), Some(&SqlState::INVALID_PASSWORD), "{error}");
        assert_eq!(SqlState::INVALID_PASSWORD.code(), "28P01");
        config.password(&self.password);
        drop(config.connect(tokio_postgres::NoTls).await.expect("it is right"));
    }
}

struct Psql<'d> {
    program: PathBuf,
    db: &'d Db,
    home: PathBuf,
    times: usize,
}

impl Psql<'_> {
    async fn run(&mut self, password: &str, sql: &str) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        let (host, port) = (self.db.address.ip().to_string(), self.db.address.port().to_string());
        command.args([
            "--no-psqlrc",
            "--no-password",
            "--tuples-only",
            "--no-align",
            "-v",
            "ON_ERROR_STOP=1",
        ]);
        command.args(["-h", &host, "-p", &port, "-U", "postgres", "-d", "postgres", "-c", sql]);
        command.env("PGPASSWORD", password).env("PGCONNECT_TIMEOUT", "5").env("HOME", &self.home);
        self.times += 1;
        let output = finish(command).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }
}

/// A table that psql creates is there after the pod was deleted.
async fn survives(db: &Db, api: &Api, program: PathBuf, desk: &Desk) {
    let mut psql = Psql { program, db, home: desk.at("home"), times: 0 };
    let refused = psql.run("wrong", "SELECT 1").await.expect_err("it is wrong");
    assert!(refused.contains("password authentication failed for user \"postgres\""), "{refused}");
    let password = db.password.clone();
    let create = "CREATE TABLE slippers (colour text NOT NULL)";
    psql.run(&password, create).await.expect("a table");
    psql.run(&password, "INSERT INTO slippers VALUES ('ruby')").await.expect("a row");
    let pod = "/api/v1/namespaces/msp/pods/db-0";
    let before = api.get(pod).await["metadata"]["uid"].clone();
    api.delete(pod).await;
    until("new db pod that is ready", async || {
        let pods = api.get("/api/v1/namespaces/msp/pods").await;
        let pods = pods["items"].as_array().cloned().unwrap_or_default();
        let new =
            pods.iter().find(|pod| pod["metadata"]["name"] == "db-0" && pod["metadata"]["uid"] != before)?;
        let ready = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
        new["status"]["conditions"].as_array()?.iter().any(ready).then_some(())
    })
    .await;
    let kept = until("answer of the new pod", async || {
        psql.run(&password, "SELECT colour FROM slippers").await.ok()
    })
    .await;
    assert_eq!(kept, "ruby");
    lanes::ran("psql", psql.times);
}
