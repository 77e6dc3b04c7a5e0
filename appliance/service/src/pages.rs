//! Pages for people; plain, readable without scripts.

use std::fmt::Write;

use appliance_status_model::{StatusDocument, TierState};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}\
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}\
.state{padding:.8rem 1rem;border-left:.4rem solid #888;background:#f6f6f6}.failed_action_required{border-color:#c00}\
.ready_with_background_issues{border-color:#d80}.ready_to_log_in,.fully_healthy{border-color:#080}pre{overflow:auto;background:#f6f6f6;padding:1rem}";

/// A page with the headers that every page has.
pub(crate) fn html(body: String) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, Html(body)).into_response()
}

fn frame(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><style>{STYLE}</style></head>\
         <body>{body}</body></html>"
    )
}

/// Asks for the token.
pub(crate) fn sign_in() -> String {
    frame(
        "Appliance status",
        "<h1>Appliance status</h1><form method=\"get\" action=\"/\"><p><label>Token \
         <input name=\"token\" type=\"password\" autocomplete=\"off\" size=\"52\"></label> \
         <button>Show status</button></p></form><p>The token was printed by <code>appliance bootstrap</code>.</p>",
    )
}

/// State, what to do, and how far everything is.
pub(crate) fn overview(document: &StatusDocument) -> String {
    let mut body = String::from("<h1>Appliance status</h1>");
    let rollup = &document.rollup;
    put(
        &mut body,
        format_args!(
            "<section class=\"state {}\"><strong>{}</strong><br>{}<br>Next: {}</section>",
            rollup.state,
            escape(&rollup.state.as_str().replace('_', " ")),
            escape(&rollup.message),
            escape(&rollup.next_action)
        ),
    );
    if let Some(url) = document.login_url.as_deref().filter(|it| it.starts_with("http")) {
        let url = escape(url);
        put(&mut body, format_args!("<p>Log in: <a href=\"{url}\">{url}</a></p>"));
    }
    blockers(&mut body, document);
    tiers(&mut body, document);
    operations(&mut body, document);
    components(&mut body, document);
    collector(&mut body, document);
    let at = document.timestamp.map_or_else(|| "before the first look".to_owned(), |it| it.to_string());
    put(
        &mut body,
        format_args!("<p><small>As of {at}. <a href=\"/diagnostics\">Diagnostics</a></small></p>"),
    );
    frame("Appliance status", &body)
}

/// Everything, as it is served to programs.
pub(crate) fn diagnostics(json: &[u8]) -> String {
    let text = serde_json::from_slice::<serde_json::Value>(json)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_default();
    frame("Appliance diagnostics", &format!("<h1>Diagnostics</h1><pre>{}</pre>", escape(&text)))
}

fn blockers(body: &mut String, document: &StatusDocument) {
    if document.top_blockers.is_empty() {
        return;
    }
    body.push_str(
        "<h2>What stands in the way</h2><table><tr><th>Where</th><th>Cause</th><th>Next action</th></tr>",
    );
    for blocker in &document.top_blockers {
        put(
            body,
            format_args!(
                "<tr><td>{}<br><small>{}</small></td><td><strong>{}</strong><br>{}</td><td>{}</td></tr>",
                escape(&blocker.component),
                if blocker.login_blocking { "blocks login" } else { "background" },
                escape(&blocker.layer),
                escape(&blocker.reason),
                escape(&blocker.next_action)
            ),
        );
    }
    body.push_str("</table>");
}

fn tiers(body: &mut String, document: &StatusDocument) {
    let tiers = &document.tiers;
    let rows: [(&str, TierState); 6] = [
        ("Platform", tiers.platform),
        ("Core", tiers.core),
        ("Bootstrap", tiers.bootstrap),
        ("Login", tiers.login),
        ("Background", tiers.background),
        ("Full health", tiers.full_health),
    ];
    body.push_str("<h2>Tiers</h2><table>");
    for (name, tier) in rows {
        let status = format!("{:?}", tier.status).to_lowercase();
        put(body, format_args!("<tr><td>{name}</td><td>{}</td><td>{status}</td></tr>", yes(tier.ready)));
    }
    body.push_str("</table>");
}

fn operations(body: &mut String, document: &StatusDocument) {
    if document.active_operations.is_empty() {
        return;
    }
    body.push_str("<h2>Under way</h2><ul>");
    for operation in &document.active_operations {
        put(body, format_args!("<li>{}</li>", escape(&operation.message)));
    }
    body.push_str("</ul>");
}

fn components(body: &mut String, document: &StatusDocument) {
    body.push_str("<h2>Components</h2><table>");
    for component in &document.components {
        put(
            body,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&component.name),
                yes(component.ready),
                escape(&component.status),
                escape(&component.message)
            ),
        );
    }
    body.push_str("</table>");
}

fn collector(body: &mut String, document: &StatusDocument) {
    let collector = &document.collector;
    if collector.complete {
        return;
    }
    body.push_str("<h2>What cannot be read</h2><ul>");
    for kind in &collector.pending {
        put(body, format_args!("<li>{}: not answered yet</li>", escape(kind)));
    }
    for failure in &collector.failures {
        put(body, format_args!("<li>{}: {}</li>", escape(&failure.kind), escape(&failure.error)));
    }
    body.push_str("</ul>");
}

fn yes(ready: bool) -> &'static str {
    if ready { "ready" } else { "not ready" }
}

fn put(body: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = body.write_fmt(text);
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn what_the_cluster_says_cannot_become_markup() {
        assert_eq!(escape("<script>\"&'"), "&lt;script&gt;&quot;&amp;&#39;");
    }
}
