//! Values of the releases: the profile's text with what belongs to the site filled in.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::cli::Mode;
use crate::cluster::Cluster;
use crate::failure::{Failure, Layer, api};
use crate::settings::Settings;
use crate::site_values;

const NAMESPACE: &str = "alga-system";
const PREFIX: &str = "appliance-values-";

/// Data of the ConfigMaps that are there, by name.
type Present = BTreeMap<String, Value>;

/// Writes the values of every release, the site's own among them; says of which releases they changed.
pub(crate) async fn write(
    cluster: &Cluster,
    settings: &Settings,
    app_url: &str,
) -> Result<BTreeSet<String>, Failure> {
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), NAMESPACE);
    let list = maps.list(&ListParams::default()).await.map_err(api("list the ConfigMaps of alga-system"))?;
    let present = list.items.into_iter().map(|it| (it.name_any(), json!(it.data))).collect();
    let mut wanted = config_maps(settings, settings.mode, app_url)?;
    wanted.extend(settings.site_values.iter().map(site_values::SiteValues::config_map));
    let stale = stale(&present, &wanted);
    let changed = changed(&present, &wanted, &stale);
    cluster.apply_all(wanted).await?;
    for name in stale {
        let metadata = json!({ "name": name, "namespace": NAMESPACE });
        cluster.delete(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata })).await?;
    }
    Ok(changed)
}

/// Values that the site kept once, and keeps no more.
fn stale(present: &Present, wanted: &[Value]) -> Vec<String> {
    let is_wanted = |name: &str| wanted.iter().any(|it| it["metadata"]["name"] == name);
    let own = present.keys().filter(|name| name.starts_with(site_values::PREFIX));
    own.filter(|name| !is_wanted(name)).cloned().collect()
}

/// Releases whose values are not what they were.
fn changed(present: &Present, wanted: &[Value], stale: &[String]) -> BTreeSet<String> {
    let written = wanted.iter().filter_map(|it| {
        let name = it["metadata"]["name"].as_str()?;
        (present.get(name) != Some(&it["data"])).then_some(name)
    });
    written.chain(stale.iter().map(String::as_str)).filter_map(release_of).map(str::to_owned).collect()
}

fn release_of(map: &str) -> Option<&str> {
    map.strip_prefix(site_values::PREFIX).or_else(|| map.strip_prefix(PREFIX))
}

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
            "metadata": { "name": format!("{PREFIX}{name}"), "namespace": NAMESPACE },
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
        "sourceTag": settings.source_tag,
        "algaCoreTag": settings.tags.alga_core,
        "workflowWorkerTag": settings.tags.workflow_worker,
        "emailServiceTag": settings.tags.email_service,
        "temporalWorkerTag": settings.tags.temporal_worker,
    });
    for (name, digest) in
        [("manifestDigest", &release.manifest_digest), ("sourceDigest", &release.source_digest)]
    {
        if let Some(digest) = digest {
            data[name] = json!(digest);
        }
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
    use serde_json::{Value, json};

    use super::{Present, changed, set, stale};

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

    fn map(name: &str, text: &str) -> Value {
        json!({ "metadata": { "name": name }, "data": { "values.yaml": text } })
    }

    #[test]
    fn a_release_has_changed_when_its_profile_or_its_site_has() {
        let present: Present =
            [map("appliance-values-temporal", "a"), map("appliance-site-values-temporal", "b")]
                .into_iter()
                .map(|it| (it["metadata"]["name"].as_str().unwrap().to_owned(), it["data"].clone()))
                .collect();
        let of = |wanted: &[Value]| -> Vec<String> {
            changed(&present, wanted, &stale(&present, wanted)).into_iter().collect()
        };
        let same = [map("appliance-values-temporal", "a"), map("appliance-site-values-temporal", "b")];
        assert!(of(&same).is_empty());
        assert_eq!(of(&same[..1]), ["temporal"]);
        let other = [same[0].clone(), same[1].clone(), map("appliance-values-pgbouncer", "")];
        assert_eq!(of(&other), ["pgbouncer"]);
    }
}
