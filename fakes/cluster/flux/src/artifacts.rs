//! What the source-controller keeps and serves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

/// Files by path, served while a source-controller runs. Clones are the same store.
#[derive(Clone, Debug)]
pub struct ArtifactStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    files: Mutex<BTreeMap<String, Bytes>>,
    servers: watch::Sender<usize>,
    /// The directory that the files lie in, where it is a pod's own.
    place: Mutex<Option<PathBuf>>,
}

impl Default for ArtifactStore {
    fn default() -> Self {
        Self::new()
    }
}

/// A running source-controller; files are served while one of these exists.
pub(crate) struct Serving {
    store: ArtifactStore,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.store.inner.servers.send_modify(|servers| *servers -= 1);
    }
}

impl ArtifactStore {
    /// An empty store that nobody serves.
    pub fn new() -> Self {
        Self {
            inner: Arc::new(Inner {
                files: Mutex::default(),
                servers: watch::Sender::new(0),
                place: Mutex::default(),
            }),
        }
    }

    /// Serves the files from now on; in another directory than before there are none.
    pub(crate) fn serve(&self, directory: Option<&Path>) -> Serving {
        let mut place = self.inner.place.lock().unwrap_or_else(PoisonError::into_inner);
        if place.is_some() && place.as_deref() != directory {
            self.files().clear();
        }
        *place = directory.map(Path::to_owned);
        drop(place);
        self.inner.servers.send_modify(|servers| *servers += 1);
        Serving { store: self.clone() }
    }

    pub(crate) fn put(&self, path: &str, content: Bytes) {
        self.files().insert(path.to_owned(), content);
    }

    /// Removes the files below a directory but one.
    pub(crate) fn keep_only(&self, directory: &str, path: &str) {
        self.files().retain(|file, _| !file.starts_with(directory) || file == path);
    }

    /// Whether a file is there.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.files().contains_key(path)
    }

    /// A file, once somebody serves it; nothing when there is no such file.
    pub(crate) async fn fetch(&self, path: &str) -> Option<Bytes> {
        let mut servers = self.inner.servers.subscribe();
        // The sender lives in the store, so waiting cannot fail.
        let _ = servers.wait_for(|servers| *servers > 0).await;
        self.files().get(path).cloned()
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.inner.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `sha256:…` of some bytes.
pub(crate) fn digest(content: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(content) {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;

    #[tokio::test]
    async fn files_are_served_only_while_somebody_serves() {
        let store = ArtifactStore::new();
        store.put("a", Bytes::from_static(b"content"));
        let mut fetch = Box::pin(store.fetch("a"));
        assert_eq!(futures::poll!(&mut fetch), Poll::Pending);
        let _serving = store.serve(None);
        assert_eq!(fetch.await.as_deref(), Some(&b"content"[..]));
    }
}
