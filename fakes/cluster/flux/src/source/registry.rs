//! The registry as the source-controller speaks to it: the only place that knows the node's OCI client.

use std::time::Duration;

use bytes::Bytes;
use cluster_node::dns::{DialError, DnsFailure};
use cluster_node::oci::{
    Blob, Client, Descriptor, Endpoint, Error, Manifest, RequestFailure, Scheme, Session, TrustError,
};
use field_clock::Clock;
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

/// The two libraries that the source-controller pulls with. Each repeats what may pass by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    /// go-containerregistry.
    Artifacts,
    /// oras-go.
    Charts,
}

impl Library {
    fn pauses(self) -> &'static [Duration] {
        const ARTIFACTS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];
        const CHARTS: [Duration; 5] = [
            Duration::from_millis(250),
            Duration::from_millis(500),
            Duration::from_secs(1),
            Duration::from_secs(2),
            Duration::from_secs(3),
        ];
        match self {
            Self::Artifacts => &ARTIFACTS,
            Self::Charts => &CHARTS,
        }
    }

    fn repeats(self, error: &Error) -> bool {
        match error {
            Error::Status { code, .. } => matches!(code, 408 | 429 | 500 | 502 | 503 | 504),
            Error::Request(failed) => self == Self::Artifacts && is_temporary(&failed.failure),
            Error::ShortRead { .. } => self == Self::Artifacts,
            _ => false,
        }
    }
}

/// What Go calls temporary.
fn is_temporary(failure: &RequestFailure) -> bool {
    match failure {
        RequestFailure::Dial(DialError::Lookup(lookup)) => {
            matches!(
                lookup.failure,
                DnsFailure::Misbehaving | DnsFailure::Timeout(_) | DnsFailure::Unreachable(_)
            )
        }
        RequestFailure::Dial(DialError::Timeout { .. })
        | RequestFailure::Eof
        | RequestFailure::Broken { .. } => true,
        RequestFailure::Dial(_) | RequestFailure::Tls(_) | RequestFailure::Canceled => false,
    }
}

#[derive(Clone)]
pub(super) struct Registry {
    client: Client,
    clock: Clock,
}

impl Registry {
    pub(super) fn new(context: &FluxContext) -> Result<Self, TrustError> {
        let clock = context.clock.clone();
        Client::new(context.network.clone(), &context.trust).map(|client| Self { client, clock })
    }

    pub(super) fn open(&self, place: &Place) -> Conversation {
        Conversation {
            session: self.client.session(&place.host),
            client: self.client.clone(),
            clock: self.clock.clone(),
            library: Library::Artifacts,
            place: place.clone(),
        }
    }

    /// The same as charts are asked for: by another library, in the clear from the beginning where that is allowed.
    pub(super) fn open_for_chart(&self, place: &Place, security: Security) -> Conversation {
        let mut conversation = Conversation { library: Library::Charts, ..self.open(place) };
        if security == Security::Insecure {
            conversation.go_plain();
        }
        conversation
    }
}

/// Questions about one repository.
pub(super) struct Conversation {
    session: Session,
    client: Client,
    clock: Clock,
    library: Library,
    place: Place,
}

impl Conversation {
    /// Asks whether anybody is there, as every conversation with a registry begins.
    /// Where that is allowed, it is asked in the clear when it does not speak TLS; both failures are told then.
    pub(super) async fn greet(&mut self, security: Security) -> Result<(), PullError> {
        let Err(secure) = self.knock().await else { return Ok(()) };
        if security == Security::Tls {
            return Err(secure);
        }
        self.go_plain();
        self.knock().await.map_err(|plain| PullError::Words(format!("{secure}; {plain}")))
    }

    fn go_plain(&mut self) {
        self.session = self.client.session_at(Endpoint::with(Scheme::Http, &self.place.host));
    }

    async fn knock(&mut self) -> Result<(), PullError> {
        let mut attempt = 0;
        loop {
            match self.session.send(Method::GET, "/v2/", &[]).await {
                Ok(response) if matches!(response.status.as_u16(), 200 | 401 | 403 | 404) => return Ok(()),
                Ok(response) => {
                    let text = format!("GET {}: unexpected status code {}", response.url, response.status);
                    return Err(PullError::Words(text));
                }
                Err(error) => {
                    let error = Error::from(error);
                    if !self.again(&error, &mut attempt).await {
                        return Err(error.into());
                    }
                }
            }
        }
    }

    /// The digest of a tag.
    pub(super) async fn digest_of(&mut self, tag: &str) -> Result<String, PullError> {
        match self.head(tag).await {
            Ok(found) if !found.digest.is_empty() => Ok(found.digest),
            // The answer to HEAD has no body; GET says why.
            Ok(_) | Err(Error::Status { .. }) => Ok(digest(&self.get(tag).await?)),
            Err(error) => Err(error.into()),
        }
    }

    /// The manifest of a tag or digest.
    pub(super) async fn manifest(&mut self, target: &str) -> Result<Pulled, PullError> {
        let body = self.get(target).await?;
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

    /// Waits before the next attempt, where the failure is one that may pass and not too many were made.
    async fn again(&self, error: &Error, attempt: &mut usize) -> bool {
        let Some(pause) = self.library.pauses().get(*attempt).filter(|_| self.library.repeats(error)) else {
            return false;
        };
        *attempt += 1;
        self.clock.sleep(*pause).await;
        true
    }

    async fn head(&mut self, tag: &str) -> Result<Descriptor, Error> {
        let mut attempt = 0;
        loop {
            match self.session.head_manifest(&self.place.repository, tag).await {
                Err(error) if self.again(&error, &mut attempt).await => {}
                outcome => return outcome,
            }
        }
    }

    async fn get(&mut self, target: &str) -> Result<Bytes, Error> {
        let mut attempt = 0;
        loop {
            match self.session.manifest(&self.place.repository, target).await {
                Err(error) if self.again(&error, &mut attempt).await => {}
                outcome => return outcome.map(|(_, body)| body),
            }
        }
    }

    async fn blob(&mut self, digest: &str) -> Result<Blob, Error> {
        let mut attempt = 0;
        loop {
            match self.session.blob(&self.place.repository, digest, 0).await {
                Err(error) if self.again(&error, &mut attempt).await => {}
                outcome => return outcome,
            }
        }
    }

    /// The bytes of a layer, checked against its descriptor.
    pub(super) async fn layer(&mut self, layer: &Descriptor) -> Result<Bytes, PullError> {
        let mut blob = self.blob(&layer.digest).await?;
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
