//! The registry as the source-controller speaks to it: the only place that knows the node's OCI client.

use bytes::Bytes;
use cluster_node::oci::{Client, Descriptor, Error, Manifest, Session, TrustError};
use http::Method;
use serde::Deserialize;

use super::pull_error::PullError;
use crate::FluxContext;
use crate::artifacts::digest;

/// Where an artifact is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) host: String,
    pub(super) repository: String,
}

impl Place {
    /// The place of `oci://host/repository`.
    pub(super) fn of(url: &str) -> Option<Self> {
        let (host, repository) = url.strip_prefix("oci://")?.split_once('/')?;
        Some(Self { host: host.to_owned(), repository: repository.trim_end_matches('/').to_owned() })
    }

    /// The place of something below this one.
    pub(super) fn below(&self, name: &str) -> Self {
        Self { host: self.host.clone(), repository: format!("{}/{name}", self.repository) }
    }

    /// `host/repository`.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.host, self.repository)
    }
}

/// Whether plain HTTP is tried too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    Tls,
    Insecure,
}

impl Security {
    pub(super) fn of(source: &serde_json::Value) -> Self {
        if source["spec"]["insecure"] == true { Self::Insecure } else { Self::Tls }
    }
}

#[derive(Clone)]
pub(super) struct Registry {
    client: Client,
}

impl Registry {
    pub(super) fn new(context: &FluxContext) -> Result<Self, TrustError> {
        Client::new(context.network.clone(), &context.trust).map(|client| Self { client })
    }

    pub(super) fn open(&self, place: &Place) -> Conversation {
        Conversation { session: self.client.session(&place.host), place: place.clone() }
    }
}

/// Questions about one repository.
pub(super) struct Conversation {
    session: Session,
    place: Place,
}

impl Conversation {
    /// Asks whether anybody is there, as every conversation with a registry begins.
    pub(super) async fn greet(&mut self, security: Security) -> Result<(), PullError> {
        match self.session.send(Method::GET, "/v2/", &[]).await {
            Ok(response) if matches!(response.status.as_u16(), 200 | 401 | 403 | 404) => Ok(()),
            Ok(response) => {
                let text = format!("GET {}: unexpected status code {}", response.url, response.status);
                Err(PullError::Words(text))
            }
            Err(error) if security == Security::Insecure => {
                let plain = error.to_string().replacen("\"https://", "\"http://", 1);
                Err(PullError::Words(format!("{error}; {plain}")))
            }
            Err(error) => Err(PullError::Registry(error.into())),
        }
    }

    /// The digest of a tag.
    pub(super) async fn digest_of(&mut self, tag: &str) -> Result<String, PullError> {
        match self.session.head_manifest(&self.place.repository, tag).await {
            Ok(found) if !found.digest.is_empty() => Ok(found.digest),
            // The answer to HEAD has no body; GET says why.
            Ok(_) | Err(Error::Status { .. }) => {
                let (_, body) = self.session.manifest(&self.place.repository, tag).await?;
                Ok(digest(&body))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The manifest of a tag or digest.
    pub(super) async fn manifest(&mut self, target: &str) -> Result<Pulled, PullError> {
        let (_, body) = self.session.manifest(&self.place.repository, target).await?;
        let found = digest(&body);
        if target.starts_with("sha256:") && target != found {
            return Err(PullError::Words(format!(
                "manifest digest: \"{found}\" does not match requested digest: \"{target}\" for \"{}@{target}\"",
                self.place.name()
            )));
        }
        let manifest = serde_json::from_slice(&body).map_err(|error| PullError::Words(error.to_string()))?;
        Ok(Pulled { digest: found, manifest })
    }

    /// The bytes of a layer, checked against its descriptor.
    pub(super) async fn layer(&mut self, layer: &Descriptor) -> Result<Bytes, PullError> {
        let mut blob = self.session.blob(&self.place.repository, &layer.digest, 0).await?;
        if blob.expected != 0 && blob.expected != layer.size {
            let url = self.session.url(&format!("/v2/{}/blobs/{}", self.place.repository, layer.digest));
            return Err(PullError::Words(format!(
                "GET {url}: Content-Length header {} does not match expected size {}",
                blob.expected, layer.size
            )));
        }
        let mut content = Vec::new();
        while let Some(part) = blob.next().await {
            content.extend_from_slice(&part.map_err(|error| PullError::Words(error.to_string()))?);
        }
        let found = digest(&content);
        if found != layer.digest {
            return Err(PullError::Words(format!(
                "error verifying sha256 checksum after reading {} bytes; got \"{found}\", want \"{}\"",
                content.len(),
                layer.digest
            )));
        }
        Ok(content.into())
    }

    /// All tags.
    pub(super) async fn tags(&mut self) -> Result<Vec<String>, PullError> {
        #[derive(Deserialize)]
        struct Tags {
            tags: Option<Vec<String>>,
        }
        let path = format!("/v2/{}/tags/list", self.place.repository);
        let body = self.session.ask(Method::GET, &path, &[]).await?.bytes().await?;
        let tags: Tags =
            serde_json::from_slice(&body).map_err(|error| PullError::Words(error.to_string()))?;
        Ok(tags.tags.unwrap_or_default())
    }
}

/// A manifest with its digest.
pub(super) struct Pulled {
    pub(super) digest: String,
    pub(super) manifest: Manifest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oci_url_is_a_host_and_a_repository() {
        let place = Place::of("oci://ghcr.io/nine-minds/charts").unwrap();
        assert_eq!((place.host.as_str(), place.repository.as_str()), ("ghcr.io", "nine-minds/charts"));
        assert_eq!(place.below("temporal").name(), "ghcr.io/nine-minds/charts/temporal");
        assert_eq!(Place::of("https://ghcr.io/x"), None);
    }
}
