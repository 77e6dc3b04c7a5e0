//! Addresses of the web.

use super::Param::{Map as Dict, Str};
use super::{Function, Outcome, text};
use crate::template::failure::Failure;
use crate::value::{Map, Value, display, text as bytes};

pub(super) const FUNCTIONS: &[Function] =
    &[Function::new("urlParse", &[Str], parse), Function::new("urlJoin", &[Dict], join)];

fn parse(values: &[Value]) -> Outcome {
    let url = text(&values[0]);
    let fail = |reason: &str| -> Failure {
        format!("unable to parse url: parse {}: {reason}", display::quote(url)).into()
    };
    if url.chars().any(|character| character.is_ascii_control()) {
        return Err(fail("net/url: invalid control character in URL"));
    }
    let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
    let scheme_end = rest.find(':').filter(|end| {
        let scheme = &rest[..*end];
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    });
    if let Some(escape) = bad_escape(url) {
        return Err(fail(&format!("invalid URL escape {}", display::quote(escape))));
    }
    if rest.starts_with(':') {
        return Err(fail("missing protocol scheme"));
    }
    let (scheme, rest) = scheme_end.map_or(("", rest), |end| (&rest[..end], &rest[end + 1..]));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_opaque = !scheme.is_empty() && !rest.starts_with('/');
    let (authority, path) = match rest.strip_prefix("//") {
        Some(after) => after.find('/').map_or((after, ""), |slash| after.split_at(slash)),
        None => ("", if is_opaque { "" } else { rest }),
    };
    if let Some(bad) = authority.chars().find(|letter| " \"<>\\^`{|}".contains(*letter)) {
        let shown = display::quote(&bad.to_string());
        return Err(fail(&format!("invalid character {shown} in host name")));
    }
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let parts = Map::empty();
    parts.insert("scheme", scheme.to_lowercase().into());
    parts.insert("host", host.into());
    parts.insert("hostname", hostname(host).into());
    parts.insert("path", unescape(path).into());
    parts.insert("query", query.into());
    parts.insert("opaque", if is_opaque { rest } else { "" }.into());
    parts.insert("fragment", unescape(fragment).into());
    parts.insert("userinfo", user.into());
    Ok(parts.into())
}

/// The first percent sign before the query that no code follows, with the two characters after it.
fn bad_escape(url: &str) -> Option<&str> {
    let path = url.split('?').next().unwrap_or(url);
    path.match_indices('%').find_map(|(at, _)| {
        let code: String = path[at + 1..].chars().take(2).collect();
        let is_code = code.len() == 2 && code.chars().all(|digit| digit.is_ascii_hexdigit());
        (!is_code).then(|| &path[at..at + 1 + code.len()])
    })
}

fn hostname(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once(']').map_or(rest, |(inside, _)| inside);
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

fn unescape(value: &str) -> String {
    let input = value.as_bytes();
    let mut out = Vec::with_capacity(input.len());
    let mut at = 0;
    while at < input.len() {
        let code = value.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (input[at], code) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    bytes::from_bytes(&out)
}

/// Escapes what may not stand in a path.
fn escape_path(path: &str) -> String {
    let mut out = String::new();
    for byte in bytes::to_bytes(path).iter() {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@!'()*".contains(byte) {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn join(values: &[Value]) -> Outcome {
    let part = |key: &str| -> Result<String, Failure> {
        match &values[0] {
            Value::Map(map) => match map.get(key) {
                None => Ok(String::new()),
                Some(Value::Str(text)) => Ok(text.as_ref().into()),
                Some(other) => Err(format!(
                    "unable to parse {key} key, must be of type string, but {} found",
                    other.kind_name()
                )
                .into()),
            },
            _ => Ok(String::new()),
        }
    };
    let (scheme, host, path) = (part("scheme")?, part("host")?, part("path")?);
    let (query, opaque, fragment, user) =
        (part("query")?, part("opaque")?, part("fragment")?, part("userinfo")?);
    let mut out = String::new();
    if !scheme.is_empty() {
        out.push_str(&format!("{scheme}:"));
    }
    if opaque.is_empty() {
        if !scheme.is_empty() || !host.is_empty() || !user.is_empty() {
            if !host.is_empty() || !path.is_empty() || !user.is_empty() {
                out.push_str("//");
            }
            if !user.is_empty() {
                out.push_str(&format!("{user}@"));
            }
            out.push_str(&host);
        }
        if !path.is_empty() && !path.starts_with('/') && !host.is_empty() {
            out.push('/');
        }
        out.push_str(&escape_path(&path));
    } else {
        out.push_str(&opaque);
    }
    if !query.is_empty() {
        out.push_str(&format!("?{query}"));
    }
    if !fragment.is_empty() {
        out.push_str(&format!("#{}", escape_path(&fragment)));
    }
    Ok(out.into())
}
