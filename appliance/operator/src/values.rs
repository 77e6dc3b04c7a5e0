//! Values of the releases: the profile's text with what belongs to the site filled in.

use serde_json::{Value, json};

use crate::cli::Mode;
use crate::failure::{Failure, Layer};
use crate::settings::Settings;

/// ConfigMaps with the values of every release.
pub(crate) fn config_maps(settings: &Settings, mode: Mode, app_url: &str) -> Result<Vec<Value>, Failure> {
    let folder = format!("profiles/{}/values/", settings.profile);
    let ending = format!(".{}.yaml", settings.profile);
    let mut maps = Vec::new();
    for (path, bytes) in fixtures::files(&folder) {
        let Some(name) = path.strip_prefix(&folder).and_then(|it| it.strip_suffix(&ending)) else { continue };
        let text = String::from_utf8_lossy(bytes).into_owned();
        let text = fill(settings, mode, app_url, name, text)?;
        maps.push(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": format!("appliance-values-{name}"), "namespace": "alga-system" },
            "data": { format!("{name}{ending}"): text },
        }));
    }
    Ok(maps)
}

/// What was selected, for the status service.
pub(crate) fn selection(settings: &Settings) -> Value {
    let release = &settings.release;
    let address = settings.source_url.trim_start_matches("oci://");
    let (host, repository) = address.split_once('/').unwrap_or((address, ""));
    let mut data = json!({
        "siteId": settings.site_id,
        "releaseVersion": release.release_version,
        "selectedChannel": release.channel,
        "appVersion": release.app.version,
        "releaseBranch": release.app.release_branch,
        "registryHost": host,
        "repository": repository,
        "algaCoreTag": settings.tags.alga_core,
        "workflowWorkerTag": settings.tags.workflow_worker,
        "emailServiceTag": settings.tags.email_service,
        "temporalWorkerTag": settings.tags.temporal_worker,
    });
    if let Some(digest) = &release.manifest_digest {
        data["manifestDigest"] = json!(digest);
    }
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "appliance-release-selection", "namespace": "alga-system" },
        "data": data,
    })
}

fn fill(settings: &Settings, mode: Mode, app_url: &str, name: &str, text: String) -> Result<String, Failure> {
    let tags = &settings.tags;
    let wishes: Vec<(&[&str], &str)> = match name {
        "alga-core" => vec![
            (&["appUrl"], app_url),
            (&["bootstrap", "mode"], mode.as_str()),
            (&["setup", "image", "tag"], &tags.alga_core),
            (&["server", "image", "tag"], &tags.alga_core),
        ],
        "workflow-worker" => vec![(&["image", "tag"], &tags.workflow_worker)],
        "email-service" => vec![(&["image", "tag"], &tags.email_service)],
        "temporal-worker" => vec![(&["image", "tag"], &tags.temporal_worker)],
        _ => Vec::new(),
    };
    wishes.into_iter().try_fold(text, |text, (path, value)| {
        set(&text, path, value).ok_or_else(|| {
            let operation = format!("fill in {} in the values of {name}", path.join("."));
            Failure::new(Layer::Usage, operation, "Choose a profile that has this value.")
        })
    })
}

/// Replaces one scalar of a YAML text by a quoted string; everything else stays as it is.
fn set(text: &str, path: &[&str], value: &str) -> Option<String> {
    let mut stack: Vec<(usize, &str)> = Vec::new();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let found = text.lines().position(|line| {
        let content = line.trim_start();
        let Some((key, _)) = content.split_once(':') else { return false };
        if content.starts_with(['#', '-']) {
            return false;
        }
        let indent = line.len() - content.len();
        stack.retain(|(outer, _)| *outer < indent);
        stack.push((indent, key.trim()));
        stack.iter().map(|(_, key)| *key).eq(path.iter().copied())
    })?;
    let line = &lines[found];
    let indent = line.len() - line.trim_start().len();
    let quoted = Value::from(value).to_string();
    lines[found] = format!("{}{}: {quoted}", " ".repeat(indent), path.last()?);
    Some(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::set;

    const TEXT: &str = "appUrl: \"\"\nsetup:\n  image:\n    tag: \"a\"\nserver:\n  image:\n    repository: x\n    tag: \"latest\"\n";

    #[test]
    fn only_the_value_at_that_path_changes() {
        let text = set(TEXT, &["server", "image", "tag"], "12345678").unwrap();
        assert_eq!(text, TEXT.replace("latest", "12345678"));
    }

    #[test]
    fn a_path_that_is_not_there_is_told() {
        assert_eq!(set(TEXT, &["server", "tag"], "x"), None);
    }
}
