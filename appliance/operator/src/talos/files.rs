//! What the command keeps of a machine: its secrets, its configuration, credentials for it.
//!
//! ```text
//!   <site>/secrets.yaml         once made, for the machine's life           controlplane.yaml   what was applied last
//!          talosconfig          or the one that was named: never written over while it can be read
//!          machine-patch.yaml   what the flags say                          kubeconfig          as the machine gives it
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::talosctl::Talosctl;
use crate::failure::{Failure, Layer};
use crate::private_file;
use crate::report::{Phase, step, warning};

/// Whose credentials there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credentials {
    /// Made of the secrets that lie beside them.
    Own,
    /// Of a machine whose secrets are kept elsewhere.
    Foreign,
}

/// Paths of what is kept of a machine.
pub(super) struct Files {
    site: PathBuf,
    credentials: PathBuf,
}

impl Files {
    pub(super) fn of(site: &Path, credentials: Option<&Path>) -> Self {
        let credentials = credentials.map_or_else(|| site.join("talosconfig"), Path::to_owned);
        Self { site: site.to_owned(), credentials }
    }

    /// Name of the cluster: that of the site.
    pub(super) fn name(&self) -> &str {
        self.site.file_name().and_then(|it| it.to_str()).unwrap_or("appliance")
    }

    pub(super) fn secrets(&self) -> PathBuf {
        self.site.join("secrets.yaml")
    }

    pub(super) fn patch(&self) -> PathBuf {
        self.site.join("machine-patch.yaml")
    }

    pub(super) fn configuration(&self) -> PathBuf {
        self.site.join("controlplane.yaml")
    }

    pub(super) fn credentials(&self) -> PathBuf {
        self.credentials.clone()
    }

    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.site.join("kubeconfig")
    }

    /// Makes what is missing of secrets and credentials, and says whose the credentials are.
    pub(super) async fn make_room(&self, talosctl: &Talosctl) -> Result<Credentials, Failure> {
        private_file::make_folder(&self.site).map_err(written(&self.site))?;
        let usable = is_usable(&self.credentials)?;
        let has_secrets = self.secrets().exists();
        if usable {
            step(Phase::Talos, &format!("Using the credentials in {}", self.credentials.display()));
            return Ok(if has_secrets { Credentials::Own } else { Credentials::Foreign });
        }
        if !has_secrets {
            step(Phase::Talos, &format!("Writing the machine's secrets to {}", self.secrets().display()));
            let made = talosctl.secrets(&self.secrets()).await;
            made.map_err(|answer| failed("talosctl gen secrets").because(answer.to_string()))?;
            keep_private(&self.secrets())?;
        }
        if self.credentials.exists() {
            let aside = aside(&self.credentials);
            fs::rename(&self.credentials, &aside).map_err(written(&aside))?;
            warning(&format!(
                "{} is no talosconfig; it was put aside as {}.",
                self.credentials.display(),
                aside.display()
            ));
        }
        step(Phase::Talos, &format!("Writing credentials to {}", self.credentials.display()));
        let made = talosctl.credentials(self).await;
        let text = made.map_err(|answer| failed("talosctl gen config").because(answer.to_string()))?;
        if let Some(folder) = self.credentials.parent().filter(|it| !it.as_os_str().is_empty()) {
            private_file::make_folder(folder).map_err(written(folder))?;
        }
        private_file::write_new(&self.credentials, &text).map_err(written(&self.credentials))?;
        Ok(Credentials::Own)
    }

    pub(super) fn write_patch(&self, patch: &Value) -> Result<(), Failure> {
        // Every JSON document is a YAML document.
        private_file::write(&self.patch(), &format!("{patch:#}\n")).map_err(written(&self.patch()))
    }

    pub(super) fn write_configuration(&self, text: &str) -> Result<(), Failure> {
        private_file::write(&self.configuration(), text).map_err(written(&self.configuration()))
    }
}

/// Makes a file readable by its owner alone.
pub(super) fn keep_private(path: &Path) -> Result<(), Failure> {
    private_file::close(path).map_err(written(path))
}

/// Whether a file holds credentials; a file that cannot be read may hold them.
fn is_usable(path: &Path) -> Result<bool, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(false),
        Err(error) => {
            let operation = format!("read talosconfig {}", path.display());
            return Err(Failure::new(Layer::Host, operation, "Make the file readable.").because(error));
        }
    };
    Ok(holds_credentials(&text))
}

fn holds_credentials(text: &str) -> bool {
    let Ok(document) = serde_saphyr::from_str::<Value>(text) else { return false };
    let contexts = document["contexts"].as_object();
    let complete = |it: &Value| {
        let filled = |key: &str| it[key].as_str().is_some_and(|text| !text.is_empty());
        filled("ca") && filled("crt") && filled("key")
    };
    contexts.is_some_and(|contexts| contexts.values().any(complete))
}

fn aside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".unreadable");
    path.with_file_name(name)
}

fn failed(operation: &str) -> Failure {
    Failure::new(
        Layer::Host,
        operation,
        "Give --config-dir of a directory that can be written, then run the command again.",
    )
}

fn written(path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let operation = format!("write {}", path.display());
    move |error| failed(&operation).because(error)
}

#[cfg(test)]
mod tests {
    use super::holds_credentials;

    #[test]
    fn credentials_are_a_context_with_authority_certificate_and_key() {
        let whole = "context: site\ncontexts:\n    site:\n        endpoints: []\n        ca: AAAA\n        crt: BBBB\n        key: CCCC\n";
        assert!(holds_credentials(whole));
        for useless in [
            "",
            "context: site\ncontexts: {}\n",
            "contexts:\n    site:\n        ca: AAAA\n",
            "{half",
            "just words",
        ] {
            assert!(!holds_credentials(useless), "{useless:?}");
        }
    }
}
