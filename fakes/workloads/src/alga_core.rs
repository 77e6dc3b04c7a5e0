//! `alga-core`: the application.
//!
//! | path | answer |
//! |---|---|
//! | `GET /` | 307 to `/msp/dashboard` |
//! | `GET /msp/dashboard` | the dashboard for a signed-in browser, else 307 to `/auth/signin` |
//! | `GET /auth/signin` | a form |
//! | `POST /api/auth/login` `{email, password}` | 200 and a session cookie, or 401 |
//! | `GET /api/health` | 200 while the database and Redis are connected, else 503 |
//! | `GET /api/healthz` | 200 |
//!
//! Environment: `PORT` (3000), the database as for workers, `REDIS_*`, `NEXTAUTH_SECRET`; `NEXTAUTH_URL`, where people reach it:
//! it leads who comes by another host there; `MAINTENANCE_STATUS`, with which every page answers for as long as it is set.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::context::Context;
use crate::http_server::{Answer, html, json as json_answer, redirect, serve, text};
use crate::link::{Peer, chain, keep};
use crate::password;
use crate::postgres::{Login, Session};
use crate::settings::SettingError;
use crate::worker::redis;

const COOKIE: &str = "authjs.session-token";
const LARGEST_BODY: usize = 64 * 1024;

struct Application {
    context: Context,
    login: Login,
    secret: String,
    /// What every page answers during maintenance.
    maintenance: Option<StatusCode>,
    links: Vec<watch::Receiver<bool>>,
}

/// Runs the application.
pub async fn run(context: Context) -> i32 {
    match start(&context).await {
        Ok(code) => code,
        Err(error) => context.fail(format!("FATAL: {error}")),
    }
}

async fn start(context: &Context) -> Result<i32, SettingError> {
    let port: u16 = context.number("PORT", 3000)?;
    let retry = context.retry_interval()?;
    let login = Login::of_server(context)?;
    let secret = context.required("NEXTAUTH_SECRET")?;
    let maintenance: Option<u16> =
        context.var("MAINTENANCE_STATUS").map(|_| context.number("MAINTENANCE_STATUS", 503)).transpose()?;
    let maintenance = maintenance.and_then(|status| StatusCode::from_u16(status).ok());
    let mut tasks = JoinSet::new();
    let mut links = Vec::new();
    // Health that never comes is a connection that never stands.
    let (_unwell, never) = watch::channel(false);
    if let Some(reason) = context.var("BUILD_UNREADY") {
        context.say(format!("ERROR: {reason}"));
        links.push(never);
    }
    for peer in std::iter::once(Peer::Postgres(login.clone())).chain(redis(context)?) {
        let (up, state) = watch::channel(false);
        tasks.spawn(keep(context.clone(), peer, retry, up));
        links.push(state);
    }
    let listener = match context.listen(port).await {
        Ok(listener) => listener,
        Err(error) => {
            return Ok(context.fail(format!("Failed to start server: listen on port {port}: {error}")));
        }
    };
    context.say(format!("▲ ready - started server on 0.0.0.0:{port}"));
    let application = Arc::new(Application { context: context.clone(), login, secret, maintenance, links });
    serve(listener, move |request| {
        let application = Arc::clone(&application);
        async move { application.answer(request).await }
    })
    .await;
    Ok(0)
}

#[derive(Deserialize)]
struct Credentials {
    email: String,
    password: String,
}

impl Application {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path().trim_end_matches('/').to_owned();
        if let Some(status) = self.maintenance.filter(|_| !path.starts_with("/api/health")) {
            return text(status, "");
        }
        match (request.method(), path.as_str()) {
            (&Method::GET | &Method::HEAD, "") => self.lead(&request, "/msp/dashboard"),
            (&Method::GET | &Method::HEAD, "/msp/dashboard") if self.session_holds(&request) => {
                html("<!doctype html><title>Dashboard</title><h1>Dashboard</h1>")
            }
            (&Method::GET | &Method::HEAD, "/msp/dashboard") => self.lead(&request, "/auth/signin"),
            (&Method::GET | &Method::HEAD, "/auth/signin") => html(SIGN_IN),
            (&Method::GET | &Method::HEAD, "/api/healthz") => text(StatusCode::OK, "ok"),
            (&Method::GET | &Method::HEAD, "/api/health") => self.health(),
            (&Method::POST, "/api/auth/login") => self.sign_in(request).await,
            (
                _,
                "" | "/msp/dashboard" | "/auth/signin" | "/api/health" | "/api/healthz" | "/api/auth/login",
            ) => text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed"),
            _ => text(StatusCode::NOT_FOUND, "not found"),
        }
    }

    /// Leads on: to another page, and to the application's own address who has come by another host.
    fn lead(&self, request: &Request<Incoming>, page: &str) -> Answer {
        let own = self.context.var("NEXTAUTH_URL").unwrap_or_default().trim_end_matches('/');
        let asked =
            request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let host = own.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
        let base = if host.is_empty() || asked.is_empty() || host == asked { "" } else { own };
        redirect(&format!("{base}{page}"))
    }

    fn health(&self) -> Answer {
        if self.links.iter().all(|up| *up.borrow()) {
            json_answer(StatusCode::OK, &json!({"status": "ok"}))
        } else {
            json_answer(StatusCode::SERVICE_UNAVAILABLE, &json!({"status": "unavailable"}))
        }
    }

    async fn sign_in(&self, request: Request<Incoming>) -> Answer {
        let body =
            Limited::new(request.into_body(), LARGEST_BODY).collect().await.map(|body| body.to_bytes());
        let credentials = body.ok().and_then(|body| serde_json::from_slice::<Credentials>(&body).ok());
        let Some(credentials) = credentials else {
            return json_answer(StatusCode::BAD_REQUEST, &json!({"error": "email and password expected"}));
        };
        match self.kept_password(&credentials.email).await {
            Ok(Some(kept)) if password::verify(&credentials.password, &kept) => {
                self.welcome(&credentials.email)
            }
            Ok(_) => json_answer(StatusCode::UNAUTHORIZED, &json!({"error": "invalid credentials"})),
            Err(reason) => {
                self.context.say(format!("ERROR: sign-in: {reason}"));
                json_answer(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    &json!({"error": "the database cannot be asked"}),
                )
            }
        }
    }

    /// What the database keeps for this person.
    async fn kept_password(&self, email: &str) -> Result<Option<String>, String> {
        let session = Session::open(&self.context, &self.login).await.map_err(|error| chain(&error))?;
        let query = "SELECT hashed_password FROM users WHERE email = $1 AND NOT is_inactive";
        let row = session
            .client
            .query_opt(query, &[&email.to_lowercase()])
            .await
            .map_err(|error| error.to_string())?;
        row.map(|row| row.try_get(0).map_err(|error| error.to_string())).transpose()
    }

    fn welcome(&self, email: &str) -> Answer {
        let session = format!("{}.{}", URL_SAFE_NO_PAD.encode(email), self.seal(email));
        let mut answer = json_answer(StatusCode::OK, &json!({"ok": true, "url": "/msp/dashboard"}));
        if let Ok(cookie) =
            HeaderValue::from_str(&format!("{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax"))
        {
            answer.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        answer
    }

    fn session_holds(&self, request: &Request<Incoming>) -> bool {
        let cookies =
            request.headers().get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut sessions = cookies
            .flat_map(|line| line.split("; "))
            .filter_map(|cookie| cookie.strip_prefix(COOKIE)?.strip_prefix('='));
        sessions.any(|session| {
            let Some((who, seal)) = session.split_once('.') else { return false };
            let email = URL_SAFE_NO_PAD.decode(who).ok().and_then(|email| String::from_utf8(email).ok());
            email.is_some_and(|email| self.seal(&email) == seal)
        })
    }

    /// Nobody without the secret can make this for an address.
    fn seal(&self, email: &str) -> String {
        let digest = Sha256::new()
            .chain_update(&self.secret)
            .chain_update([0])
            .chain_update(email)
            .chain_update(&self.secret)
            .finalize();
        URL_SAFE_NO_PAD.encode(digest)
    }
}

const SIGN_IN: &str = "<!doctype html><title>Sign in</title><h1>Sign in</h1><form method=post action=/api/auth/login>\
<input name=email type=email><input name=password type=password><button>Sign in</button></form>";
