//! What every machine of this world is configured with besides: whom it trusts, and what its image needs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::outside::Servers;
use crate::world::WorldError;

/// One patch of both. Talos takes several documents, but only one that has no kind.
pub(super) fn patch(authority: &str, image: Option<&str>) -> Result<String, WorldError> {
    let mut patch = trusting(authority);
    let mut others = String::new();
    for document in image.unwrap_or_default().split("\n---") {
        let read: Value = serde_saphyr::from_str(document).map_err(|error| format!("patch.yaml: {error}"))?;
        match read {
            Value::Null => {}
            read if read.get("kind").is_some() => others.push_str(&format!("\n---\n{read}")),
            read => json_patch::merge(&mut patch, &read),
        }
    }
    // JSON is YAML.
    Ok(format!("{patch}{others}\n"))
}

fn trusting(authority: &str) -> Value {
    let authority = STANDARD.encode(authority);
    let of = |host: &str| (host.to_owned(), json!({ "tls": { "ca": authority } }));
    let registries: Map<String, Value> = Servers::hosts().into_iter().map(of).collect();
    json!({ "machine": { "registries": { "config": registries } } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_configured_with_whom_it_trusts_and_with_what_its_image_needs() {
        let image = "machine:\n  sysctls: { a: b }\ncluster: {}\n---\nkind: TrustedRootsConfig\nname: x\n";
        let text = patch("PEM", Some(image)).unwrap();
        let (first, second) = text.split_once("\n---\n").unwrap();
        let first: Value = serde_json::from_str(first).unwrap();
        let machine = &first["machine"];
        assert_eq!(machine["registries"]["config"]["ghcr.io"]["tls"]["ca"], STANDARD.encode("PEM"));
        assert_eq!((&machine["sysctls"]["a"], &first["cluster"]), (&json!("b"), &json!({})));
        assert_eq!(second.trim(), r#"{"kind":"TrustedRootsConfig","name":"x"}"#);
    }

    #[test]
    fn a_patch_that_is_no_yaml_is_refused_by_its_name() {
        assert!(patch("PEM", Some("a: [")).unwrap_err().to_string().starts_with("patch.yaml: "));
    }
}
