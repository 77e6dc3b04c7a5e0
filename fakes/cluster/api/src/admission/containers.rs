//! What people get wrong in containers, beyond what is missing.

use serde_json::{Value, json};

use super::names;
use crate::error::Cause;

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Adds what is wrong with a container.
pub(super) fn check(container: &Value, path: &str, causes: &mut Vec<Cause>) {
    let name = container["name"].as_str().unwrap_or("");
    if !name.is_empty() && !names::is_label(name) {
        causes.push(Cause::invalid(format!("{path}.name"), &json!(name), names::LABEL));
    }
    let image = container["image"].as_str().unwrap_or("");
    if image != image.trim() {
        let message = "must not have leading or trailing whitespace";
        causes.push(Cause::invalid(format!("{path}.image"), &json!(image), message));
    }
    let policy = &container["imagePullPolicy"];
    if policy.as_str().is_some_and(|policy| !matches!(policy, "Always" | "IfNotPresent" | "Never")) {
        let known = ["Always", "IfNotPresent", "Never"];
        causes.push(Cause::unsupported(format!("{path}.imagePullPolicy"), policy, &known));
    }
    mounts(container, path, causes);
    ports(container, path, causes);
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        self::probe(&container[probe], &format!("{path}.{probe}"), causes);
    }
    resources(&container["resources"], &format!("{path}.resources"), causes);
}

fn mounts(container: &Value, path: &str, causes: &mut Vec<Cause>) {
    let mounts = list(&container["volumeMounts"]);
    for (at, mount) in mounts.iter().enumerate() {
        let taken = mounts[..at].iter().any(|other| other["mountPath"] == mount["mountPath"]);
        if taken {
            let field = format!("{path}.volumeMounts[{at}].mountPath");
            causes.push(Cause::invalid(field, &mount["mountPath"], "must be unique"));
        }
    }
}

fn ports(container: &Value, path: &str, causes: &mut Vec<Cause>) {
    let ports = list(&container["ports"]);
    for (at, port) in ports.iter().enumerate() {
        let field = |name: &str| format!("{path}.ports[{at}].{name}");
        let named = port["name"].as_str().is_some_and(|name| !name.is_empty());
        if named && ports[..at].iter().any(|other| other["name"] == port["name"]) {
            causes.push(Cause::duplicate(field("name"), &port["name"]));
        }
        let host = port["hostPort"].as_i64().unwrap_or(0);
        if !(0..=65_535).contains(&host) {
            let message = "must be between 1 and 65535, inclusive";
            causes.push(Cause::invalid(field("hostPort"), &json!(host), message));
        }
        if !matches!(port["protocol"].as_str(), None | Some("TCP" | "UDP" | "SCTP")) {
            causes.push(Cause::unsupported(field("protocol"), &port["protocol"], &["SCTP", "TCP", "UDP"]));
        }
    }
}

fn probe(probe: &Value, path: &str, causes: &mut Vec<Cause>) {
    if !probe.is_object() {
        return;
    }
    let handlers = ["exec", "httpGet", "tcpSocket", "grpc"];
    let given: Vec<&str> = handlers.into_iter().filter(|handler| probe[*handler].is_object()).collect();
    match given.as_slice() {
        [] => causes.push(Cause::required(path, "must specify a handler type")),
        [_] => {}
        [_, second, ..] => {
            causes.push(Cause::forbidden(
                format!("{path}.{second}"),
                "may not specify more than 1 handler type",
            ));
        }
    }
    let numbers =
        ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"];
    for field in numbers {
        if let Some(number) = probe[field].as_i64().filter(|number| *number < 0) {
            let message = "must be greater than or equal to 0";
            causes.push(Cause::invalid(format!("{path}.{field}"), &json!(number), message));
        }
    }
}

fn resources(resources: &Value, path: &str, causes: &mut Vec<Cause>) {
    for (name, request) in resources["requests"].as_object().into_iter().flatten() {
        let Some(limit) = resources["limits"].get(name) else { continue };
        if quantity(request) > quantity(limit) {
            let message = format!("must be less than or equal to {name} limit of {}", shown(limit));
            causes.push(Cause::invalid(format!("{path}.requests"), &json!(shown(request)), &message));
        }
    }
}

fn shown(quantity: &Value) -> String {
    quantity.as_str().map_or_else(|| quantity.to_string(), str::to_owned)
}

/// A quantity as a number; what cannot be read is nothing.
pub(super) fn quantity(value: &Value) -> f64 {
    let text = shown(value);
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let factor = match suffix {
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024.0_f64.powi(2),
        "Gi" => 1024.0_f64.powi(3),
        "Ti" => 1024.0_f64.powi(4),
        "Pi" => 1024.0_f64.powi(5),
        "Ei" => 1024.0_f64.powi(6),
        _ => 1.0,
    };
    number.parse::<f64>().unwrap_or(0.0) * factor
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ApiError;

    #[test]
    fn mistakes_in_containers_are_told_in_the_servers_words() {
        let told = |container: Value| {
            let mut causes = Vec::new();
            check(&container, "spec.containers[0]", &mut causes);
            ApiError::invalid("Pod", "p", &causes).message
        };
        assert_eq!(
            told(json!({"name": "a", "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "500m"}}})),
            "Pod \"p\" is invalid: spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to \
             cpu limit of 500m"
        );
        assert_eq!(
            told(json!({"name": "a", "livenessProbe": {"periodSeconds": 5}})),
            "Pod \"p\" is invalid: spec.containers[0].livenessProbe: Required value: must specify a handler type"
        );
        assert_eq!(
            told(json!({"name": "a", "imagePullPolicy": "Sometimes"})),
            "Pod \"p\" is invalid: spec.containers[0].imagePullPolicy: Unsupported value: \"Sometimes\": supported values: \
             \"Always\", \"IfNotPresent\", \"Never\""
        );
        assert!(told(json!({"name": "A b"})).contains("a lowercase RFC 1123 label must consist of"));
    }
}
