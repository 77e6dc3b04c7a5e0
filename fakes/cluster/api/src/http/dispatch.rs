//! From a request to its answer.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::json;

use super::access::{Action, authorize, refusal};
use super::answer::{self, Answer, Body};
use super::call::{Call, Warnings};
use super::condition::Phase;
use super::streaming::Upgrade;
use super::target::{Address, Query, Target};
use super::view::{Include, View};
use super::{Shared, change, discovery, health, read, review, subresource, watching};
use crate::ApiError;
use crate::tokens::Identity;

/// The largest body that is accepted, as the real one's.
const LARGEST: usize = 3 * 1024 * 1024;

/// Answers one request.
pub(super) async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> Response<Body> {
    let mut response = match route(&shared, request).await {
        Ok(response) => response,
        Err(problem) => answer::error(&problem),
    };
    let date = shared.store.clock().now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

async fn route(shared: &Shared, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let phase = shared.control.phase();
    if phase == Phase::Loading {
        return Err(nobody_may(shared, &parts)?);
    }
    let health = health::serve(parts.uri.path(), parts.uri.query().unwrap_or(""), phase);
    if let Some(open) = health.or_else(|| version(parts.uri.path())) {
        return Ok(open);
    }
    let identity = impersonate(shared, identify(shared, &parts.headers)?, &parts.headers)?;
    shared.control.dawdle(&identity.user).await;
    match Target::parse(parts.uri.path()) {
        Target::Resource(address) => about_resource(shared, identity, &parts, address, body).await,
        target => {
            let action = Action::Path { verb: "get", path: parts.uri.path() };
            authorize(&shared.store, &identity, &action)?;
            match target {
                Target::GroupVersion { group, version } => {
                    discovery::resources(&shared.store, &group, &version)
                }
                _ => {
                    let accept = header_text(&parts.headers, &header::ACCEPT);
                    discovery::serve(&shared.store, parts.uri.path(), accept)
                        .unwrap_or_else(|| Err(ApiError::no_such_path()))
                }
            }
        }
    }
}

/// `/version`, which everybody may see.
fn version(path: &str) -> Option<Response<Body>> {
    if path.trim_end_matches('/') != "/version" {
        return None;
    }
    let minor = super::VERSION.split('.').nth(1).unwrap_or("");
    let version = json!({
        "major": "1", "minor": minor, "gitVersion": super::VERSION, "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "", "goVersion": "", "compiler": "", "platform": "linux/amd64",
    });
    Some(answer::json(StatusCode::OK, &version))
}

/// The refusal of a server that has not loaded its roles: it knows who asks, and nothing that anybody may.
fn nobody_may(shared: &Shared, parts: &Parts) -> Result<ApiError, ApiError> {
    let anonymous = || Identity { user: "system:anonymous".to_owned(), groups: Vec::new() };
    let identity = identify(shared, &parts.headers).unwrap_or_else(|_| anonymous());
    let Target::Resource(address) = Target::parse(parts.uri.path()) else {
        return Ok(refusal(&identity, &Action::Path { verb: "get", path: parts.uri.path() }));
    };
    let query = Query::parse(parts.uri.query().unwrap_or(""));
    let watches = if query.says("watch") { Watches::Yes } else { Watches::No };
    let verb = verb(&parts.method, &address, watches)?;
    Ok(refusal(&identity, &Action::Resource { verb, address: &address }))
}

fn header_text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}

fn identify(shared: &Shared, headers: &HeaderMap) -> Result<Identity, ApiError> {
    header_text(headers, &header::AUTHORIZATION)
        .strip_prefix("Bearer ")
        .and_then(|token| shared.tokens.identify(token.trim()))
        .ok_or_else(ApiError::unauthorized)
}

/// Whom a request acts as: `Impersonate-User` and `Impersonate-Group`, for those who may.
fn impersonate(shared: &Shared, identity: Identity, headers: &HeaderMap) -> Result<Identity, ApiError> {
    let text = |name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let Some(user) = text("impersonate-user").next() else { return Ok(identity) };
    let asked: Vec<&str> = text("impersonate-group").collect();
    let (kind, name) = match user.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'))
    {
        Some((_, name)) => ("serviceaccounts", name),
        None => ("users", user),
    };
    for (kind, name) in [(kind, name)].into_iter().chain(asked.iter().map(|group| ("groups", *group))) {
        let address = Address {
            res: crate::Res::named("", kind),
            version: "v1".to_owned(),
            namespace: String::new(),
            name: name.to_owned(),
            sub: String::new(),
        };
        authorize(&shared.store, &identity, &Action::Resource { verb: "impersonate", address: &address })?;
    }
    let mut groups: Vec<String> = asked.into_iter().map(str::to_owned).collect();
    if let Some((namespace, _)) =
        user.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'))
        && groups.is_empty()
    {
        groups = vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")];
    }
    groups.push("system:authenticated".to_owned());
    Ok(Identity { user: user.to_owned(), groups })
}

fn verb(method: &Method, address: &Address, watches: Watches) -> Result<&'static str, ApiError> {
    let named = !address.name.is_empty();
    Ok(match (method.as_str(), named, watches) {
        ("GET" | "HEAD", false, Watches::Yes) => "watch",
        ("GET" | "HEAD", true, _) => "get",
        ("GET" | "HEAD", false, Watches::No) => "list",
        ("POST", ..) => "create",
        ("PUT", true, _) => "update",
        ("PATCH", true, _) => "patch",
        ("DELETE", true, _) => "delete",
        ("DELETE", false, _) => "deletecollection",
        _ => return Err(ApiError::method_not_allowed()),
    })
}

#[derive(Clone, Copy)]
enum Watches {
    Yes,
    No,
}

async fn about_resource(
    shared: &Shared,
    identity: Identity,
    parts: &Parts,
    address: Address,
    body: Incoming,
) -> Answer {
    let query = Query::parse(parts.uri.query().unwrap_or(""));
    let watches = if query.says("watch") { Watches::Yes } else { Watches::No };
    let verb = verb(&parts.method, &address, watches)?;
    authorize(&shared.store, &identity, &Action::Resource { verb, address: &address })
        .inspect_err(|_| shared.control.refused(&identity.user))?;
    let content_type = header_text(&parts.headers, &header::CONTENT_TYPE).to_owned();
    let body = whole(body).await?;
    if parts.method == Method::POST
        && let Some(answer) = review::serve(shared, &identity, &address, &body, &content_type)
    {
        return answer;
    }
    let call = understand(shared, parts, address, query, content_type, body)?;
    let mut answer = perform(shared, &call, verb, &identity.user).await;
    if let Ok(answer) = &mut answer {
        for warning in call.warnings.take() {
            let text = warning.replace('\\', "\\\\").replace('"', "\\\"");
            if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{text}\"")) {
                answer.headers_mut().append(header::WARNING, value);
            }
        }
    }
    answer
}

async fn perform(shared: &Shared, call: &Call, verb: &str, user: &str) -> Answer {
    let store = &shared.store;
    match (call.address.sub.as_str(), verb) {
        ("" | "status", "get") => read::get(store, call),
        ("", "list") => read::list(store, call),
        ("", "watch") => watching::watch(shared, call, user),
        ("", "create") if call.address.name.is_empty() => change::create(store, call),
        ("status", _) if !call.info.status => Err(ApiError::no_such_path()),
        ("" | "status", "update") => change::update(store, call),
        ("" | "status", "patch") => change::patch(store, call),
        ("", "delete") => change::delete(store, call),
        ("", "deletecollection") => change::delete_collection(store, call),
        ("" | "status", _) => Err(ApiError::method_not_allowed()),
        _ => subresource::serve(shared, call).await,
    }
}

async fn whole(body: Incoming) -> Result<Bytes, ApiError> {
    let limited = Limited::new(body, LARGEST).collect().await;
    limited.map(http_body_util::Collected::to_bytes).map_err(|_| {
        ApiError::new(413, "RequestEntityTooLarge", format!("Request entity too large: limit is {LARGEST}"))
    })
}

fn understand(
    shared: &Shared,
    parts: &Parts,
    address: Address,
    query: Query,
    content_type: String,
    body: Bytes,
) -> Result<Call, ApiError> {
    let info = shared
        .store
        .kind_of(&address.res)
        .filter(|info| info.served(&address.version).is_some())
        .ok_or_else(ApiError::no_such_path)?;
    if !info.namespaced && !address.namespace.is_empty() {
        return Err(ApiError::no_such_path());
    }
    let include = Include::parse(query.get("includeObject"));
    // A log is text, whatever the client says it accepts.
    let view = if matches!(address.sub.as_str(), "log" | "exec" | "attach" | "portforward") {
        View::Object
    } else {
        View::parse(header_text(&parts.headers, &header::ACCEPT), include)?
    };
    let agent = header_text(&parts.headers, &header::USER_AGENT);
    let manager = query
        .get("fieldManager")
        .unwrap_or_else(|| agent.split('/').next().filter(|name| !name.is_empty()).unwrap_or("unknown"));
    let manager = manager.to_owned();
    let upgrade = Upgrade::of(parts);
    Ok(Call {
        method: parts.method.clone(),
        address,
        info,
        query,
        view,
        content_type,
        manager,
        body,
        warnings: Warnings::default(),
        upgrade,
    })
}
