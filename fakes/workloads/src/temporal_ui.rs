//! `temporal-ui`: the web interface of Temporal.
//!
//! Its port is `TEMPORAL_UI_PORT`, 8080. Kubernetes sets the same name to `tcp://…` for a Service called `temporal-ui` where
//! service links are on; the program reads what it is given.

use http::StatusCode;

use crate::context::Context;
use crate::http_server::{html, serve, text};

/// Runs the web interface.
pub async fn run(context: Context) -> i32 {
    let port = match context.var("TEMPORAL_UI_PORT") {
        None => 8080,
        Some(value) => match value.parse::<u16>() {
            Ok(port) => port,
            Err(_) => return context.fail(unreadable(value)),
        },
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

/// What a YAML reader says of a text where a number should be; long texts are cut after seven letters.
fn unreadable(value: &str) -> String {
    let shown = if value.chars().count() > 10 {
        format!("{}...", value.chars().take(7).collect::<String>())
    } else {
        value.to_owned()
    };
    format!("error parsing config: yaml: unmarshal errors: cannot unmarshal !!str `{shown}` into int")
}

#[cfg(test)]
mod tests {
    use super::unreadable;

    #[test]
    fn a_service_link_is_quoted_as_a_yaml_reader_quotes_it() {
        assert_eq!(
            unreadable("tcp://10.96.14.3:8080"),
            "error parsing config: yaml: unmarshal errors: cannot unmarshal !!str `tcp://1...` into int"
        );
    }
}
