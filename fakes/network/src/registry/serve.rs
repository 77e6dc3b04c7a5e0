//! One request: faults that refuse, then the content, then faults of the transfer, then the answer.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::answer::{Answer, ErrorCode};
use super::fault::Effect;
use super::judge::{refuse, spoil};
use super::name::{Repository, canonical_host};
use super::payload::{Payload, Switch};
use super::receipt::{OpenReceipt, Progress, RegistryReceipt};
use super::route::{Query, Route};
use super::{Shared, pull, push};

/// A client's connection.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Where the client is.
    pub(crate) client: IpAddr,
    /// The name that the client asked for in its TLS greeting.
    pub(crate) server_name: Option<String>,
    pub(crate) switch: Arc<Switch>,
}

/// What is asked.
pub(crate) struct Ask {
    method: Method,
    /// As the client wrote it, with the port.
    pub(crate) authority: String,
    /// As repositories are kept under.
    pub(crate) host: String,
    pub(crate) route: Route,
    query: Query,
    headers: HeaderMap,
}

pub(crate) async fn serve(
    shared: Arc<Shared>,
    line: Line,
    request: Request<Incoming>,
) -> Result<Response<Payload>, Infallible> {
    let (ask, receipt) = ask(&shared, &line, &request);
    let refused = refuse(&mut shared.said(), &ask, &receipt);
    let answer = match refused {
        Some(answer) => answer,
        None => match body(&ask, request).await {
            Ok(body) => respond(&shared, &ask, body, &receipt),
            // The client went away in the middle of its request; nobody reads this.
            Err(_) => Answer::error(ErrorCode::BlobUploadInvalid, Value::Null),
        },
    };
    let answer = answer.worded(shared.said().wording);
    Ok(deliver(&shared, &line, &ask, answer, receipt))
}

/// Reads the head of a request, and leaves its receipt.
fn ask(shared: &Shared, line: &Line, request: &Request<Incoming>) -> (Ask, OpenReceipt) {
    let uri = request.uri();
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let authority =
        uri.authority().map(|authority| authority.as_str()).or(named).or(line.server_name.as_deref());
    let authority = authority.unwrap_or_default().to_owned();
    let query = Query::read(uri.query().unwrap_or_default());
    let ask = Ask {
        method: request.method().clone(),
        host: canonical_host(query.get("ns").unwrap_or(&authority)),
        authority,
        route: Route::read(uri.path(), &query),
        query,
        headers: request.headers().clone(),
    };
    let receipt = OpenReceipt::new(RegistryReceipt {
        at: shared.clock.now(),
        client: line.client,
        host: ask.host.clone(),
        method: ask.method.to_string(),
        path: uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string),
        repository: ask.route.repository().map(str::to_owned),
        reference: ask.route.reference().map(str::to_owned),
        status: None,
        bytes: 0,
        progress: Progress::Asked,
        faults: Vec::new(),
    });
    shared.receipts.append(receipt.live());
    (ask, receipt)
}

/// The request's body, where one is looked at.
async fn body(ask: &Ask, request: Request<Incoming>) -> Result<Bytes, hyper::Error> {
    if matches!(ask.method, Method::POST | Method::PUT | Method::PATCH) {
        return Ok(request.into_body().collect().await?.to_bytes());
    }
    Ok(Bytes::new())
}

/// The answer that the content gives.
fn respond(shared: &Shared, ask: &Ask, body: Bytes, receipt: &OpenReceipt) -> Answer {
    let mut said = shared.said();
    let path = match &ask.route {
        Route::Ping => return pull::ping(),
        Route::Token { .. } => return pull::token(shared.clock.now()),
        Route::Unknown => return Answer::empty(StatusCode::NOT_FOUND),
        route => route.repository().unwrap_or_default(),
    };
    let Ok(repository) = Repository::at(&ask.host, path) else {
        return Answer::error(ErrorCode::NameInvalid, json!({ "name": path }));
    };
    let (query, headers, reads) =
        (&ask.query, &ask.headers, matches!(ask.method, Method::GET | Method::HEAD));
    let store = &mut said.store;
    match (&ask.route, &ask.method) {
        (Route::Manifest { reference, .. }, _) if reads => {
            let answer = pull::manifest(store, &repository, reference);
            if answer.status == StatusCode::NOT_FOUND
                && let Some(id) = said.taken_by(&repository, reference)
            {
                receipt.struck(id, Effect::MissingTag.name());
            }
            answer
        }
        (Route::Manifest { reference, .. }, &Method::PUT) => {
            push::manifest(store, &repository, reference, headers, body)
        }
        (Route::Manifest { reference, .. }, &Method::DELETE) => {
            push::delete_manifest(store, &repository, reference)
        }
        (Route::Blob { digest, .. }, _) if reads => {
            let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
            pull::blob(store, &repository, digest, range)
        }
        (Route::Blob { digest, .. }, &Method::DELETE) => push::delete_blob(store, &repository, digest),
        (Route::Tags { .. }, _) if reads => pull::tags(store, &repository, query),
        (Route::Referrers { digest, .. }, _) if reads => pull::referrers(store, &repository, digest, query),
        (Route::Uploads { .. }, &Method::POST) => push::begin(store, repository, query, body),
        (Route::Upload { id, .. }, &Method::PATCH) => push::append(store, &repository, id, headers, &body),
        (Route::Upload { id, .. }, &Method::PUT) => push::finish(store, &repository, id, query, &body),
        (Route::Upload { id, .. }, &Method::DELETE) => push::abort(store, &repository, id),
        (Route::Upload { id, .. }, _) if reads => push::progress(store, &repository, id),
        _ => Answer::error(ErrorCode::Unsupported, Value::Null),
    }
}

/// Sends an answer, spoiled by the faults of the transfer.
fn deliver(
    shared: &Shared,
    line: &Line,
    ask: &Ask,
    answer: Answer,
    receipt: OpenReceipt,
) -> Response<Payload> {
    let Answer { status, mut headers, mut content, .. } = answer;
    receipt.answered(status.as_u16());
    if status != StatusCode::NO_CONTENT {
        headers.insert(header::CONTENT_LENGTH, content.bytes().len().into());
    }
    let date = shared.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = date.parse() {
        headers.insert(header::DATE, date);
    }
    headers.insert("docker-distribution-api-version", http::HeaderValue::from_static("registry/2.0"));
    let payload = if ask.method == Method::HEAD {
        Payload::new(Bytes::new(), receipt)
    } else {
        let spoiled = spoil(&mut shared.said(), ask, &mut content, &receipt);
        let mut payload = Payload::new(content.bytes().clone(), receipt);
        if let Some(bytes_per_second) = spoiled.slow {
            payload = payload.slowed(&shared.clock, bytes_per_second);
        }
        if let Some(after) = spoiled.cut {
            payload = payload.cut(after, Arc::clone(&line.switch));
        }
        payload
    };
    let mut response = Response::new(payload);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
