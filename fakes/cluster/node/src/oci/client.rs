//! Questions to a registry.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use rustls::ClientConfig;
use serde::Deserialize;

use super::connection::{Connection, broken, connect};
use super::endpoint::{Endpoint, Mirrors};
use super::error::{BodyError, Error, RegistryError, RequestError, Route, io_kind};
use super::manifest::{ACCEPTED, Descriptor};
use super::tls::{TrustError, client_config};
use crate::dns::{PodNetwork, errno_text};

/// A client: a network to go through and authorities to trust. Clones are cheap.
#[derive(Clone, Debug)]
pub struct Client {
    network: PodNetwork,
    tls: Arc<ClientConfig>,
    mirrors: Mirrors,
}

impl Client {
    /// A client that goes through `network` and trusts these PEM certificates.
    ///
    /// # Errors
    /// [`TrustError`] for certificates that cannot be used.
    pub fn new(network: PodNetwork, trust: &[String]) -> Result<Self, TrustError> {
        let tls = Arc::new(client_config(trust, network.clock())?);
        Ok(Self { network, tls, mirrors: Mirrors::default() })
    }

    /// The same client, which asks these mirrors in place of the hosts that they stand for.
    #[must_use]
    pub fn with_mirrors(self, mirrors: Mirrors) -> Self {
        Self { mirrors, ..self }
    }

    /// A conversation with one host, e.g. `ghcr.io`; its connection is used again while it lasts.
    pub fn session(&self, host: &str) -> Session {
        self.session_at(self.mirrors.endpoint(host))
    }

    /// A conversation with an endpoint.
    pub fn session_at(&self, endpoint: Endpoint) -> Session {
        Session { client: self.clone(), endpoint, connection: None, token: None }
    }
}

/// A conversation with one registry.
pub struct Session {
    client: Client,
    endpoint: Endpoint,
    connection: Option<Connection>,
    token: Option<String>,
}

/// An answer whose body is still to come.
pub struct Response {
    /// The URL that was asked for.
    pub url: String,
    /// HTTP status.
    pub status: http::StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    body: Incoming,
    route: Route,
}

impl Response {
    /// The whole body.
    ///
    /// # Errors
    /// [`Error::ShortRead`] when it ends too early.
    pub async fn bytes(self) -> Result<Bytes, Error> {
        let mut blob = Blob::new(self);
        let mut whole = Vec::new();
        while let Some(part) = blob.next().await {
            match part {
                Ok(part) => whole.extend_from_slice(&part),
                Err(cause) => return Err(Error::ShortRead { expected: blob.expected, got: blob.got, cause }),
            }
        }
        Ok(whole.into())
    }
}

/// A body that arrives in parts.
pub struct Blob {
    body: Incoming,
    route: Route,
    /// Bytes announced.
    pub expected: u64,
    /// Bytes that came.
    pub got: u64,
}

impl Blob {
    fn new(response: Response) -> Self {
        let expected = response.headers.get(header::CONTENT_LENGTH);
        let expected = expected.and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok()).unwrap_or(0);
        Self { body: response.body, route: response.route, expected, got: 0 }
    }

    /// The next part; nothing at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        loop {
            let frame = match self.body.frame().await? {
                Ok(frame) => frame,
                Err(error) => return Some(Err(body_error(&error, &self.route))),
            };
            if let Ok(part) = frame.into_data() {
                self.got += part.len() as u64;
                return Some(Ok(part));
            }
        }
    }
}

fn body_error(error: &hyper::Error, route: &Route) -> BodyError {
    match io_kind(error) {
        None | Some(std::io::ErrorKind::UnexpectedEof) => BodyError::UnexpectedEof,
        Some(kind) => BodyError::Broken { route: route.to_string(), word: errno_text(kind) },
    }
}

impl Session {
    /// The URL of a path on this host.
    pub fn url(&self, path: &str) -> String {
        self.endpoint.url(path)
    }

    /// The connection of the last request, when it can take another.
    async fn kept(&mut self) -> Option<Connection> {
        let mut kept = self.connection.take()?;
        kept.sender.ready().await.ok()?;
        Some(kept)
    }

    /// Sends one request; any status is an answer.
    ///
    /// # Errors
    /// [`RequestError`] when there is no answer.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(header::HeaderName, &str)],
    ) -> Result<Response, RequestError> {
        let url = self.url(path);
        let fail = |failure| RequestError { method: go_method(&method), url: url.clone(), failure };
        let mut connection = match self.kept().await {
            Some(kept) => kept,
            None => connect(&self.client.network, &self.client.tls, &self.endpoint).await.map_err(fail)?,
        };
        let mut request = Request::builder()
            .method(method.clone())
            .uri(self.endpoint.target(path))
            .header(header::HOST, self.endpoint.authority());
        request = request.header(header::USER_AGENT, "containerd/v2.1.5");
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Empty::new()).expect("method, path and headers are well formed");
        let answer = connection
            .sender
            .send_request(request)
            .await
            .map_err(|error| fail(broken(&error, &connection.route)))?;
        let route = connection.route.clone();
        self.connection = Some(connection);
        let (parts, body) = answer.into_parts();
        Ok(Response { url, status: parts.status, headers: parts.headers, body, route })
    }

    /// As [`Session::send`]; an anonymous token is fetched where the registry wants one, and a bad status is an error.
    ///
    /// # Errors
    /// [`Error`], with the registry's own words where its body has some.
    pub async fn ask(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(header::HeaderName, &str)],
    ) -> Result<Response, Error> {
        let mut response = self.send(method.clone(), path, headers).await?;
        if response.status == http::StatusCode::UNAUTHORIZED
            && self.token.is_none()
            && let Some(challenge) = Challenge::of(&response.headers)
        {
            let token = Box::pin(self.fetch_token(&challenge)).await;
            self.token = Some(token.map_err(|error| Error::Authorize(Box::new(error)))?);
            response = self.send(method.clone(), path, headers).await?;
        }
        if response.status.is_success() {
            return Ok(response);
        }
        let status = response.status;
        let url = response.url.clone();
        let errors = response.bytes().await.map(|body| registry_errors(&body)).unwrap_or_default();
        Err(Error::Status {
            method: method.to_string(),
            url,
            status: status.to_string(),
            code: status.as_u16(),
            errors,
        })
    }

    async fn fetch_token(&self, challenge: &Challenge) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Token {
            #[serde(alias = "access_token")]
            token: String,
        }
        let (host, path) = challenge.place();
        let mut session = self.client.session(&host);
        let response = session.ask(Method::GET, &path, &[]).await?;
        let url = response.url.clone();
        let body = response.bytes().await?;
        let token: Token = serde_json::from_slice(&body)
            .map_err(|error| Error::Document { url, source: Arc::new(error) })?;
        Ok(token.token)
    }

    /// What a tag or digest is (HEAD).
    ///
    /// # Errors
    /// [`Error`] when there is no good answer.
    pub async fn head_manifest(&mut self, repository: &str, target: &str) -> Result<Descriptor, Error> {
        let path = format!("/v2/{repository}/manifests/{target}");
        let response = self.ask(Method::HEAD, &path, &[(header::ACCEPT, ACCEPTED)]).await?;
        Ok(described(&response.headers, target))
    }

    /// A manifest or index with its bytes (GET).
    ///
    /// # Errors
    /// [`Error`] when there is no good answer or it breaks off.
    pub async fn manifest(&mut self, repository: &str, target: &str) -> Result<(Descriptor, Bytes), Error> {
        let path = format!("/v2/{repository}/manifests/{target}");
        let response = self.ask(Method::GET, &path, &[(header::ACCEPT, ACCEPTED)]).await?;
        let descriptor = described(&response.headers, target);
        Ok((descriptor, response.bytes().await?))
    }

    /// A blob from a byte on (GET).
    ///
    /// # Errors
    /// [`Error`] when there is no good answer.
    pub async fn blob(&mut self, repository: &str, digest: &str, from: u64) -> Result<Blob, Error> {
        let path = format!("/v2/{repository}/blobs/{digest}");
        let range = format!("bytes={from}-");
        let headers: &[(header::HeaderName, &str)] = if from > 0 { &[(header::RANGE, &range)] } else { &[] };
        Ok(Blob::new(self.ask(Method::GET, &path, headers).await?))
    }
}

fn described(headers: &HeaderMap, target: &str) -> Descriptor {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
    let digest = text("docker-content-digest");
    let digest = if digest.is_empty() && target.contains(':') { target.to_owned() } else { digest };
    let size = text("content-length").parse().unwrap_or(0);
    Descriptor { media_type: text("content-type"), digest, size, ..Descriptor::default() }
}

fn registry_errors(body: &[u8]) -> Vec<RegistryError> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Body {
        errors: Vec<RegistryError>,
    }
    serde_json::from_slice::<Body>(body).unwrap_or_default().errors
}

/// `Head`, `Get`: Go writes methods so in errors.
fn go_method(method: &Method) -> String {
    let name = method.as_str();
    format!("{}{}", &name[..1], name[1..].to_lowercase())
}

/// Where a registry sends clients for a token.
struct Challenge {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

impl Challenge {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(header::WWW_AUTHENTICATE)?.to_str().ok()?.strip_prefix("Bearer ")?;
        let field = |name: &str| {
            let rest = &text[text.find(&format!("{name}=\""))? + name.len() + 2..];
            Some(rest[..rest.find('"')?].to_owned())
        };
        Some(Self { realm: field("realm")?, service: field("service"), scope: field("scope") })
    }

    /// Host and path with query.
    fn place(&self) -> (String, String) {
        let rest = self.realm.split_once("://").map_or(self.realm.as_str(), |(_, rest)| rest);
        let (host, path) = rest.split_once('/').unwrap_or((rest, "token"));
        let escape = |text: &str| text.replace('/', "%2F").replace(':', "%3A");
        let mut query = Vec::new();
        query.extend(self.scope.as_deref().map(|scope| format!("scope={}", escape(scope))));
        query.extend(self.service.as_deref().map(|service| format!("service={}", escape(service))));
        (host.to_owned(), format!("/{path}?{}", query.join("&")))
    }
}
