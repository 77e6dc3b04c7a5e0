//! The token of the status page: Secret, file and printed line are the same.

use std::fs;
use std::path::Path;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::failure::{Failure, Layer, api};
use crate::private_file;

const NAMESPACE: &str = "appliance-system";
const NAME: &str = "appliance-status-auth";

/// The token that the site has, or a new one; afterwards the file holds it.
pub(crate) async fn ensure(cluster: &Cluster, site_directory: &Path) -> Result<String, Failure> {
    let path = site_directory.join("status-token");
    let token = match read(&path) {
        Some(token) => token,
        None => match of_cluster(cluster).await? {
            Some(token) => token,
            None => generate()?,
        },
    };
    write(site_directory, &path, &token).map_err(|error| {
        let operation = format!("write {}", path.display());
        Failure::new(Layer::Host, operation, "Make the directory writable, or give --config-dir.")
            .because(error)
    })?;
    Ok(token)
}

/// The Secret that hands the token to the status service.
pub(crate) fn secret(token: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": NAME, "namespace": NAMESPACE },
        "type": "Opaque",
        "stringData": { "token": token },
    })
}

/// The token that the cluster holds.
pub(crate) async fn of_cluster(cluster: &Cluster) -> Result<Option<String>, Failure> {
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), NAMESPACE);
    let secret = secrets.get_opt(NAME).await.map_err(api(format!("read Secret {NAMESPACE}/{NAME}")))?;
    let token = secret.and_then(|it| it.data?.remove("token"));
    Ok(token.and_then(|it| String::from_utf8(it.0).ok()).filter(|it| is_token(it)))
}

fn read(path: &Path) -> Option<String> {
    let token = fs::read_to_string(path).ok()?.trim().to_owned();
    is_token(&token).then_some(token)
}

fn is_token(text: &str) -> bool {
    text.len() == 48 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn generate() -> Result<String, Failure> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new(Layer::Host, "draw a token", "Retry on a machine with a source of randomness.")
            .because(error)
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn write(directory: &Path, path: &Path, token: &str) -> std::io::Result<()> {
    private_file::make_folder(directory)?;
    private_file::write(path, &format!("{token}\n"))
}

#[cfg(test)]
mod tests {
    use super::{generate, is_token};

    #[test]
    fn a_token_has_48_hex_digits_and_is_never_the_same() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert!(is_token(&one) && one != other);
        assert!(!is_token("short") && !is_token(&"g".repeat(48)));
    }
}
