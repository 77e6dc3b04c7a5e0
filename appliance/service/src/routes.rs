//! Routes, and who may use them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use appliance_collect::Clock;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response, Sse, sse::Event};
use axum::routing::{get, post};
use futures::{Stream, StreamExt};
use serde_json::json;
use tokio_stream::wrappers::WatchStream;

use crate::attempts::Attempts;
use crate::pages;
use crate::publish::{Edition, Readers};
use crate::sign_in::{Proof, SignIn};

#[derive(Clone)]
struct App {
    readers: Readers,
    sign_in: SignIn,
    attempts: Arc<Attempts>,
    clock: Clock,
}

/// Whoever asks a service that has just started waits this long for its first look: "installing" would be a guess.
const FIRST_LOOK: Duration = Duration::from_secs(3);

impl App {
    async fn newest(&self) -> Arc<Edition> {
        self.readers.newest(self.clock.sleep(FIRST_LOOK)).await
    }
}

/// All routes.
pub(crate) fn router(readers: Readers, sign_in: SignIn, clock: Clock) -> Router {
    let app = App { readers, sign_in, attempts: Arc::default(), clock };
    let guarded = Router::new()
        .route("/", get(page))
        .route("/diagnostics", get(diagnostics_page))
        .route("/api/status", get(status))
        .route("/api/overview", get(overview))
        .route("/api/diagnostics", get(diagnostics))
        .route("/api/events", get(events))
        .route_layer(from_fn_with_state(app.clone(), admit));
    Router::new()
        .merge(guarded)
        .route("/healthz", get(async || "ok"))
        .route("/api/auth/state", get(auth_state))
        .route("/api/auth/redeem-token", post(redeem))
        .route("/api/auth/logout", post(logout))
        .fallback(async || failure(StatusCode::NOT_FOUND, "not found"))
        .method_not_allowed_fallback(async || failure(StatusCode::METHOD_NOT_ALLOWED, "method not allowed"))
        .with_state(app)
}

fn failure(status: StatusCode, error: &str) -> Response {
    let body = json!({ "error": error }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn document(body: Bytes) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, body).into_response()
}

/// Lets those in who show the token.
async fn admit(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let is_page = !request.uri().path().starts_with("/api/");
    match app.sign_in.check(request.uri(), request.headers()) {
        Proof::Header => next.run(request).await,
        Proof::Address if is_page && request.method() == Method::GET => {
            // The token leaves the address bar.
            let headers = [
                (header::SET_COOKIE, app.sign_in.set_cookie()),
                (header::LOCATION, request.uri().path().to_owned()),
                (header::REFERRER_POLICY, "no-referrer".to_owned()),
            ];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        Proof::Address => next.run(request).await,
        Proof::Wrong => match app.attempts.fail(peer.ip()) {
            Some(pause) => {
                let mut response = failure(StatusCode::TOO_MANY_REQUESTS, "too many failed attempts");
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(pause.as_secs().max(1)));
                response
            }
            None => unauthorized(is_page),
        },
        Proof::None => unauthorized(is_page),
    }
}

fn unauthorized(is_page: bool) -> Response {
    let mut response = if is_page {
        (StatusCode::UNAUTHORIZED, pages::html(pages::sign_in())).into_response()
    } else {
        failure(StatusCode::UNAUTHORIZED, "unauthorized")
    };
    let realm = HeaderValue::from_static("Bearer realm=\"appliance-status\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
    response
}

async fn status(State(app): State<App>) -> Response {
    document(app.newest().await.status())
}

async fn overview(State(app): State<App>) -> Response {
    document(app.newest().await.overview())
}

async fn diagnostics(State(app): State<App>) -> Response {
    document(app.newest().await.diagnostics())
}

async fn page(State(app): State<App>) -> Response {
    pages::html(pages::overview(&app.newest().await.document)).into_response()
}

async fn diagnostics_page(State(app): State<App>) -> Response {
    pages::html(pages::diagnostics(&app.newest().await.diagnostics())).into_response()
}

async fn events(State(app): State<App>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    app.newest().await;
    let editions = WatchStream::new(app.readers.news());
    Sse::new(editions.map(|edition| {
        let text = String::from_utf8_lossy(&edition.status()).into_owned();
        Ok(Event::default().event("status").data(text))
    }))
}

async fn auth_state(State(app): State<App>, request: Request) -> Response {
    let known = matches!(app.sign_in.check(request.uri(), request.headers()), Proof::Header | Proof::Address);
    let phase = if known { "authenticated" } else { "needs-token" };
    document(json!({ "phase": phase, "mode": "token" }).to_string().into())
}

async fn redeem(State(app): State<App>, ConnectInfo(peer): ConnectInfo<SocketAddr>, body: Body) -> Response {
    const LIMIT: usize = 4096;
    let Ok(bytes) = axum::body::to_bytes(body, LIMIT).await else {
        return failure(StatusCode::PAYLOAD_TOO_LARGE, "body too large");
    };
    let shown: Option<String> = serde_json::from_slice::<serde_json::Value>(&bytes)
        .ok()
        .and_then(|it| it.get("token")?.as_str().map(str::to_owned));
    let Some(shown) = shown else { return failure(StatusCode::BAD_REQUEST, "token expected") };
    if app.sign_in.is_token(shown.trim()) {
        app.attempts.succeed(peer.ip());
        let mut response = document(json!({ "phase": "authenticated", "mode": "token" }).to_string().into());
        if let Ok(cookie) = HeaderValue::try_from(app.sign_in.set_cookie()) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        return response;
    }
    match app.attempts.fail(peer.ip()) {
        Some(_) => failure(StatusCode::TOO_MANY_REQUESTS, "too many failed attempts"),
        None => unauthorized(false),
    }
}

async fn logout() -> Response {
    ([(header::SET_COOKIE, SignIn::clear_cookie())], StatusCode::NO_CONTENT).into_response()
}
