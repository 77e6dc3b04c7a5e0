//! What is installed where: flags, release manifest, profile, all resolved before anything is done.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cli::{Bootstrap, Mode};
use crate::failure::{Failure, Layer};
use crate::report::warning;
use crate::site_values::{self, SiteValues};

/// A release manifest.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReleaseManifest {
    pub(crate) release_version: String,
    pub(crate) channel: String,
    pub(crate) app: AppManifest,
    #[serde(default)]
    pub(crate) manifest_digest: Option<String>,
    #[serde(default)]
    pub(crate) source_digest: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppManifest {
    pub(crate) version: String,
    pub(crate) release_branch: String,
    pub(crate) values_profile: String,
    pub(crate) images: Tags,
}

/// Tags of the images that a release chooses.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tags {
    pub(crate) alga_core: String,
    pub(crate) workflow_worker: String,
    pub(crate) email_service: String,
    pub(crate) temporal_worker: String,
}

/// What is installed where.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) site_id: String,
    pub(crate) release: ReleaseManifest,
    pub(crate) tags: Tags,
    pub(crate) profile: String,
    pub(crate) mode: Mode,
    pub(crate) site_directory: PathBuf,
    pub(crate) source_url: String,
    pub(crate) source_tag: String,
    pub(crate) dns_servers: Vec<String>,
    pub(crate) site_values: Vec<SiteValues>,
}

impl Settings {
    pub(crate) fn resolve(arguments: &Bootstrap) -> Result<Self, Failure> {
        let release = release(&arguments.release_version)?;
        let profile = arguments.profile.clone().unwrap_or_else(|| release.app.values_profile.clone());
        if fixtures::files(&format!("profiles/{profile}/values/")).next().is_none() {
            let known = names("profiles/");
            return Err(usage(format!("unknown profile {profile}"), format!("Known profiles: {known}.")));
        }
        let url = arguments.repo_url.clone();
        if !url.starts_with("oci://") {
            return Err(usage(
                format!("source {url} is no OCI repository"),
                "Give an address that begins with oci://.",
            ));
        }
        let mut tags = release.app.images.clone();
        let chosen = [
            (&mut tags.alga_core, &arguments.alga_core_tag),
            (&mut tags.workflow_worker, &arguments.workflow_worker_tag),
            (&mut tags.email_service, &arguments.email_service_tag),
            (&mut tags.temporal_worker, &arguments.temporal_worker_tag),
        ];
        for (tag, other) in chosen {
            if let Some(other) = other {
                tag.clone_from(other);
            }
        }
        let site_directory = site_directory(arguments.config_dir.as_deref(), &arguments.site_id)?;
        Ok(Self {
            site_values: site_values::read(&site_directory)?,
            site_directory,
            site_id: arguments.site_id.clone(),
            source_tag: arguments.repo_branch.clone().unwrap_or_else(|| release.release_version.clone()),
            source_url: url,
            profile,
            mode: arguments.bootstrap_mode,
            dns_servers: arguments.dns_servers.iter().map(ToString::to_string).collect(),
            tags,
            release,
        })
    }
}

impl Settings {
    /// Address at which people reach the app: the site's own values win, as they do in the cluster.
    pub(crate) fn app_url(&self, chosen: String) -> String {
        self.core_value("/appUrl").map_or(chosen, str::to_owned)
    }

    /// Warns of settings of the site that leave a flag without effect.
    pub(crate) fn check_site_values(&self) {
        if let Some(mode) = self.core_value("/bootstrap/mode") {
            warning(&format!(
                "the site's values of alga-core set bootstrap.mode to {mode}; --bootstrap-mode has no effect on it."
            ));
        }
    }

    fn core_value(&self, pointer: &str) -> Option<&str> {
        self.site_values.iter().find(|it| it.release == "alga-core")?.text_at(pointer)
    }
}

/// The manifest of a release that is part of this build.
pub(crate) fn release(version: &str) -> Result<ReleaseManifest, Failure> {
    if !is_version(version) {
        return Err(usage(
            format!("{version:?} is no release version"),
            "Versions look like 1.0, 1.0.2 or 1.0-rc5.",
        ));
    }
    let path = format!("releases/{version}.json");
    let Some(bytes) = fixtures::file(&path) else {
        let known = names("releases/").replace(".json", "");
        return Err(usage(format!("unknown release {version}"), format!("Known releases: {known}.")));
    };
    serde_json::from_slice(bytes).map_err(|error| usage(format!("read {path}"), "").because(error))
}

fn usage(operation: impl Into<String>, remedy: impl Into<String>) -> Failure {
    Failure::new(Layer::Usage, operation, remedy)
}

/// Where the command keeps what it knows of a site, below a folder that was chosen or the usual one.
pub(crate) fn site_directory(chosen: Option<&Path>, site_id: &str) -> Result<PathBuf, Failure> {
    if !is_plain_name(site_id) {
        return Err(usage(
            format!("site id {site_id:?} is no plain name"),
            "Use letters, digits, dots and dashes.",
        ));
    }
    let usual = || std::env::home_dir().map(|home| home.join(".alga-psa-appliance"));
    let folder = chosen.map(Path::to_owned).or_else(usual);
    let folder = folder.ok_or_else(|| usage("find the home directory", "Give --config-dir."))?;
    Ok(folder.join(site_id))
}

/// Names of the entries right below a folder of the fixtures.
fn names(folder: &str) -> String {
    let mut names: Vec<&str> = fixtures::files(folder)
        .filter_map(|(path, _)| path.strip_prefix(folder)?.split('/').next())
        .collect();
    names.dedup();
    names.join(", ")
}

fn is_plain_name(name: &str) -> bool {
    let plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '_');
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
}

/// `^[0-9]+\.[0-9]+(\.[0-9]+)?(-[A-Za-z0-9._-]+)?$`
fn is_version(text: &str) -> bool {
    let (numbers, suffix) = match text.split_once('-') {
        Some((numbers, suffix)) => (numbers, Some(suffix)),
        None => (text, None),
    };
    let parts: Vec<&str> = numbers.split('.').collect();
    let digits = |it: &&str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit());
    let plain = |it: &str| {
        !it.is_empty() && it.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '.' | '_' | '-'))
    };
    matches!(parts.len(), 2 | 3) && parts.iter().all(digits) && suffix.is_none_or(plain)
}

#[cfg(test)]
mod tests {
    use super::is_version;

    #[test]
    fn versions_are_told_from_other_words() {
        for good in ["1.0", "1.0-rc5", "1.0.2", "10.20.30-beta_1.x"] {
            assert!(is_version(good), "{good}");
        }
        for bad in ["", "1", "1.", "v1.0", "1.0-", "1.0.0.0", "1.0 ", "../1.0"] {
            assert!(!is_version(bad), "{bad}");
        }
    }
}
