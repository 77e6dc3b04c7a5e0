//! `temporal-ui`: the web interface of Temporal.
//!
//! Its port is `TEMPORAL_UI_PORT`, 8080. Kubernetes sets the same name to `tcp://…` for a Service called `temporal-ui` where
//! service links are on; the program reads what it is given.

use http::StatusCode;

use crate::context::Context;
use crate::http_server::{html, serve, text};

/// Runs the web interface.
pub async fn run(context: Context) -> i32 {
    let port = match context.yaml_number("TEMPORAL_UI_PORT", 8080_u16) {
        Ok(port) => port,
        Err(error) => return context.fail(format!("error parsing config: {error}")),
    };
    let listener = match context.listen(port).await {
        Ok(listener) => listener,
        Err(error) => return context.fail(format!("listen tcp :{port}: bind: {error}")),
    };
    context.say(format!("⇨ http server started on [::]:{port}"));
    serve(listener, |request| {
        let answer = match request.uri().path() {
            "/" | "/healthz" => html("<!doctype html><title>Temporal</title>"),
            _ => text(StatusCode::NOT_FOUND, "not found"),
        };
        async move { answer }
    })
    .await;
    0
}
