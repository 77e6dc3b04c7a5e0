//! One pull: name, manifest, config, layers.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use field_clock::Clock;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::failure::{PullError, Step};
use super::{Image, hex, lock};
use crate::oci::{Blob, Client, Descriptor, Error, Index, Manifest, Reference, Session};
use crate::runtime::ImageConfig;

/// containerd gives up a pull that makes no progress for so long.
const PROGRESS_WITHIN: Duration = Duration::from_secs(300);
/// containerd asks for the rest of a blob so often without getting one byte more of it.
const VAIN_TRIES: u32 = 3;

/// What containerd needs to unpack an image: a little for each, and the rest by its size (measured: 1 MB in 0.1 s, 13 MB in 0.2 s).
const UNPACK: Duration = Duration::from_millis(90);
const UNPACKED_BYTES_PER_SECOND: u64 = 120_000_000;

struct Pull<'a> {
    clock: &'a Clock,
    session: Session,
    name: &'a Reference,
    image: String,
    blobs: &'a Mutex<HashSet<String>>,
}

/// Fetches an image and everything it is made of.
pub(super) async fn fetch(
    clock: &Clock,
    client: &Client,
    blobs: &Mutex<HashSet<String>>,
    name: &Reference,
) -> Result<Image, PullError> {
    let mut pull = Pull { clock, session: client.session(name.host()), name, image: name.to_string(), blobs };
    let top = pull.resolve().await?;
    let (mut size, mut manifest_bytes) = (0, pull.manifest(&top).await?);
    if top.is_index() {
        let index: Index = pull.read(&manifest_bytes)?;
        let chosen = index.choose().cloned().ok_or_else(|| {
            PullError::document(&pull.image, format!("failed to unpack image on snapshotter overlayfs: no match for platform in manifest {}: not found", top.digest))
        })?;
        manifest_bytes = pull.manifest(&chosen).await?;
    }
    size += manifest_bytes.len() as u64;
    let manifest: Manifest = pull.read(&manifest_bytes)?;
    let config_bytes = pull.blob(&manifest.config, "config").await?;
    size += config_bytes.len() as u64;
    for layer in &manifest.layers {
        pull.layer(layer).await?;
        size += layer.size;
    }
    let config: ConfigFile = pull.read(&config_bytes)?;
    clock.sleep(UNPACK + Duration::from_millis(size * 1000 / UNPACKED_BYTES_PER_SECOND)).await;
    let id = format!("{}@{}", name.name(), top.digest);
    Ok(Image { name: pull.image, id, size, config: config.config })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigFile {
    config: ImageConfig,
}

impl Pull<'_> {
    fn failed(&self, step: Step, error: Error) -> PullError {
        PullError::registry(&self.image, step, error)
    }

    fn read<T: serde::de::DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, PullError> {
        serde_json::from_slice(bytes).map_err(|error| PullError::document(&self.image, error.to_string()))
    }

    async fn resolve(&mut self) -> Result<Descriptor, PullError> {
        let asked = self.session.head_manifest(&self.name.repository, self.name.target());
        match self.clock.timeout(PROGRESS_WITHIN, asked).await {
            Ok(answer) => answer.map_err(|error| self.failed(Step::Resolve, error)),
            Err(_) => Err(PullError::canceled(&self.image)),
        }
    }

    async fn manifest(&mut self, descriptor: &Descriptor) -> Result<Bytes, PullError> {
        let target = if descriptor.digest.is_empty() { self.name.target() } else { &descriptor.digest };
        let asked = self.session.manifest(&self.name.repository, target);
        let bytes = match self.clock.timeout(PROGRESS_WITHIN, asked).await {
            Ok(answer) => answer.map_err(|error| self.failed(Step::Fetch, error))?.1,
            Err(_) => return Err(PullError::canceled(&self.image)),
        };
        self.check("manifest", &descriptor.digest, &Sha256::digest(&bytes))?;
        Ok(bytes)
    }

    async fn blob(&mut self, descriptor: &Descriptor, kind: &str) -> Result<Bytes, PullError> {
        let mut whole = Vec::new();
        let sum = self.stream(descriptor, &mut |part| whole.extend_from_slice(part)).await?;
        self.check(kind, &descriptor.digest, &sum)?;
        Ok(whole.into())
    }

    /// Layers are measured and checked; nobody looks into them.
    async fn layer(&mut self, descriptor: &Descriptor) -> Result<(), PullError> {
        if lock(self.blobs).contains(&descriptor.digest) {
            return Ok(());
        }
        let sum = self.stream(descriptor, &mut |_| {}).await?;
        self.check("layer", &descriptor.digest, &sum)?;
        lock(self.blobs).insert(descriptor.digest.clone());
        Ok(())
    }

    fn check(&self, kind: &str, expected: &str, sum: &[u8]) -> Result<(), PullError> {
        let got = format!("sha256:{}", hex(sum));
        if expected.is_empty() || got == expected {
            return Ok(());
        }
        Err(PullError::digest(&self.image, format!("{kind}-{expected}"), expected, got))
    }

    /// Reads a blob to its end; one that breaks off is asked for again from where it broke, as long as that helps.
    async fn stream(
        &mut self,
        descriptor: &Descriptor,
        take: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Vec<u8>, PullError> {
        let mut sum = Sha256::new();
        let (mut got, mut vain) = (0, 0);
        let mut blob = self.open(descriptor, 0).await?;
        let expected = if descriptor.size > 0 { descriptor.size } else { blob.expected };
        loop {
            let next = self.clock.timeout(PROGRESS_WITHIN, blob.next()).await;
            let cause = match next.map_err(|_| PullError::canceled(&self.image))? {
                Some(Ok(part)) => {
                    sum.update(&part);
                    take(&part);
                    got += part.len() as u64;
                    vain = 0;
                    continue;
                }
                None => return Ok(sum.finalize().to_vec()),
                Some(Err(cause)) => cause,
            };
            let short = self.failed(Step::Fetch, Error::ShortRead { expected, got, cause });
            if vain == VAIN_TRIES {
                return Err(short);
            }
            vain += 1;
            blob = match self.open(descriptor, got).await {
                Ok(rest) if rest.expected + got == expected => rest,
                Ok(_) | Err(_) => return Err(short),
            };
        }
    }

    async fn open(&mut self, descriptor: &Descriptor, from: u64) -> Result<Blob, PullError> {
        let asked = self.session.blob(&self.name.repository, &descriptor.digest, from);
        match self.clock.timeout(PROGRESS_WITHIN, asked).await {
            Ok(answer) => answer.map_err(|error| self.failed(Step::Fetch, error)),
            Err(_) => Err(PullError::canceled(&self.image)),
        }
    }
}
