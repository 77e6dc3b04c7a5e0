//! Images: those that are present, and pulls, one at a time.

mod failure;
mod fetch;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use field_clock::Clock;
use sha2::{Digest, Sha256};

pub(crate) use failure::PullError;

use crate::go_time::since;
use crate::oci::{Client, Reference};
use crate::runtime::ImageConfig;

/// An image that a node has from the beginning.
#[derive(Clone, Debug)]
pub struct PreloadedImage {
    /// Its name, e.g. `registry.k8s.io/coredns/coredns:v1.12.1`.
    pub name: String,
    /// Its entrypoint.
    pub entrypoint: Vec<String>,
}

/// An image on the node.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// Full name, as `status.containerStatuses[].image` says it.
    pub(crate) name: String,
    /// `imageID`.
    pub(crate) id: String,
    /// Bytes of its manifest, config and layers.
    pub(crate) size: u64,
    pub(crate) config: ImageConfig,
}

/// What a pull took.
pub(crate) struct Pulled {
    pub(crate) image: Arc<Image>,
    pub(crate) took: Duration,
    pub(crate) with_waiting: Duration,
}

/// The images of a node.
pub(crate) struct Images {
    clock: Clock,
    client: Client,
    present: Mutex<HashMap<String, Arc<Image>>>,
    blobs: Mutex<HashSet<String>>,
    /// The kubelet pulls one image at a time, in the order of asking.
    turn: tokio::sync::Mutex<()>,
}

impl Images {
    pub(crate) fn new(clock: Clock, client: Client, preloaded: &[PreloadedImage]) -> Self {
        let present =
            preloaded.iter().filter_map(|image| Reference::parse(&image.name).ok().map(|name| (name, image)));
        let present =
            present.map(|(name, image)| (name.to_string(), Arc::new(preload(&name, image)))).collect();
        Self {
            clock,
            client,
            present: Mutex::new(present),
            blobs: Mutex::default(),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// An image that is present.
    pub(crate) fn find(&self, name: &Reference) -> Option<Arc<Image>> {
        lock(&self.present).get(&name.to_string()).cloned()
    }

    /// Takes an image away; the next container that wants it has it pulled anew. Says whether it was there.
    pub(crate) fn remove(&self, name: &Reference) -> bool {
        lock(&self.present).remove(&name.to_string()).is_some()
    }

    /// All images that are present, by name.
    pub(crate) fn list(&self) -> Vec<(String, u64)> {
        let mut list: Vec<_> =
            lock(&self.present).iter().map(|(name, image)| (name.clone(), image.size)).collect();
        list.sort();
        list
    }

    /// Pulls an image when its turn has come.
    pub(crate) async fn pull(&self, name: &Reference) -> Result<Pulled, PullError> {
        let asked = self.clock.now();
        let turn = self.turn.lock().await;
        let began = self.clock.now();
        let image = Arc::new(fetch::fetch(&self.clock, &self.client, &self.blobs, name).await?);
        drop(turn);
        lock(&self.present).insert(name.to_string(), Arc::clone(&image));
        Ok(Pulled { image, took: since(&self.clock, began), with_waiting: since(&self.clock, asked) })
    }
}

/// Pulls an image for a machine that has no kubelet: name, manifest, config and layers, and nothing is kept.
///
/// # Errors
/// In containerd's words, without what its callers put around them.
pub async fn pull(clock: &Clock, client: &Client, name: &Reference) -> Result<(), String> {
    let fetched = fetch::fetch(clock, client, &Mutex::default(), name).await;
    fetched.map(drop).map_err(|error| error.cause().to_string())
}

/// Pods of an image that came with the node say its name and a digest of nothing else.
fn preload(name: &Reference, image: &PreloadedImage) -> Image {
    let id = format!("sha256:{}", hex(&Sha256::digest(image.name.as_bytes())));
    let config = ImageConfig { entrypoint: image.entrypoint.clone(), ..ImageConfig::default() };
    Image { name: name.to_string(), id, size: 52_143_500, config }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
