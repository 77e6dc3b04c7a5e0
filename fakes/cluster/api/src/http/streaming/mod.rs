//! Connections that become streams: exec, attach and port-forward over WebSockets.

mod channels;
mod forward;
mod spdy;
mod tunnel;

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::Shared;
use super::answer::{Answer, Body};
use super::call::Call;
use crate::ApiError;
use crate::node::ExecRequest;

/// A connection after it was upgraded.
type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";
const CHANNELS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

/// What a client asks its connection to become.
#[derive(Clone, Debug)]
pub(super) struct Upgrade {
    wanted: String,
    key: String,
    protocols: Vec<String>,
    on: Option<OnUpgrade>,
}

impl Upgrade {
    /// The wish of a request, if it has one.
    pub(super) fn of(parts: &Parts) -> Option<Self> {
        let wanted = text(&parts.headers, &header::UPGRADE).to_lowercase();
        if wanted.is_empty() {
            return None;
        }
        let protocols = parts.headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
        let protocols = protocols.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','));
        Some(Self {
            wanted,
            key: text(&parts.headers, &header::SEC_WEBSOCKET_KEY).to_owned(),
            protocols: protocols.map(|name| name.trim().to_owned()).collect(),
            on: parts.extensions.get().cloned(),
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// Answers with a switch of protocols; who is asked for is looked up before, so that refusals are plain answers.
pub(super) async fn serve(shared: &Shared, call: &Call) -> Answer {
    let (namespace, pod) = (call.address.namespace.clone(), call.address.name.clone());
    let container = call.query.get("container").map(str::to_owned);
    let stdin = call.query.says("stdin");
    match call.address.sub.as_str() {
        "exec" => {
            let command: Vec<String> = call.query.all("command").map(str::to_owned).collect();
            if command.is_empty() {
                return Err(ApiError::bad_request("you must specify at least 1 command for the container"));
            }
            let session = shared.node.exec(&namespace, &pod, ExecRequest { container, command }).await?;
            switch(shared, call, &CHANNELS, move |socket, protocol| {
                channels::run(socket, protocol, session, stdin)
            })
        }
        "attach" => {
            let session = shared.node.attach(&namespace, &pod, container).await?;
            switch(shared, call, &CHANNELS, move |socket, protocol| {
                channels::run(socket, protocol, session, stdin)
            })
        }
        _ => {
            let ports: Vec<u16> = call
                .query
                .all("ports")
                .flat_map(|list| list.split(','))
                .filter_map(|port| port.parse().ok())
                .collect();
            let target = forward::Target { node: shared.node.clone(), namespace, pod };
            let offered = [TUNNEL, "v4.channel.k8s.io", "portforward.k8s.io"];
            switch(shared, call, &offered, move |socket, protocol| async move {
                if protocol == TUNNEL {
                    tunnel::run(socket, target).await;
                } else {
                    forward::run(socket, target, ports).await;
                }
            })
        }
    }
}

/// The answer that switches, and the task that goes on with the connection.
fn switch<F>(
    shared: &Shared,
    call: &Call,
    offered: &[&'static str],
    go_on: impl FnOnce(Socket, &'static str) -> F + Send + 'static,
) -> Answer
where
    F: Future<Output = ()> + Send + 'static,
{
    let Some(upgrade) = &call.upgrade else {
        return Err(ApiError::bad_request("Upgrade request required"));
    };
    let Some(on) = upgrade.on.clone().filter(|_| upgrade.wanted == "websocket") else {
        let wanted = &upgrade.wanted;
        return Err(ApiError::bad_request(format!(
            "unable to upgrade connection: {wanted} is not supported, only websocket is"
        )));
    };
    let asked = |name: &&&'static str| upgrade.protocols.iter().any(|asked| asked == **name);
    let Some(protocol) = offered.iter().find(asked).copied() else {
        let why = format!(
            "unable to upgrade: unable to negotiate protocol: client supports {:?}",
            upgrade.protocols
        );
        return Err(ApiError::new(403, "Forbidden", why));
    };
    let (control, stop) = (shared.control.clone(), shared.stop.clone());
    tokio::spawn(async move {
        let session = async move {
            match on.await {
                Ok(connection) => {
                    let io = TokioIo::new(connection);
                    go_on(WebSocketStream::from_raw_socket(io, Role::Server, None).await, protocol).await;
                }
                Err(problem) => tracing::debug!(%problem, "upgrade a connection to the API"),
            }
        };
        control.attend(session, stop).await;
    });
    let mut response: Response<Body> = Response::new(http_body_util::Empty::new().boxed_unsync());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(upgrade.key.as_bytes())) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    Ok(response)
}
