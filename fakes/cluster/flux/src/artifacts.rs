//! What the source-controller keeps and serves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use field_clock::Clock;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

/// How a download is repeated.
const RETRIES: u32 = 9;
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

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

    /// A file, as whoever needs it downloads it: asked for again, later with each time, while nobody answers. Nothing when
    /// there is no such file, or nobody has answered for too long.
    pub(crate) async fn fetch(&self, clock: &Clock, path: &str) -> Option<Bytes> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..RETRIES {
            if *self.inner.servers.borrow() > 0 {
                break;
            }
            clock.sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        let served = *self.inner.servers.borrow() > 0;
        self.files().get(path).filter(|_| served).cloned()
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
    use field_clock::{FieldRuntime, Options};

    use super::*;

    #[test]
    fn a_file_that_nobody_serves_is_asked_for_again_and_again() {
        let runtime = FieldRuntime::start(Options::default()).unwrap();
        let clock = runtime.clock().clone();
        runtime.block_on(async {
            let store = ArtifactStore::new();
            store.put("a", Bytes::from_static(b"content"));
            let start = clock.now();
            let fetch = store.fetch(&clock, "a");
            let serve = async {
                clock.sleep(Duration::from_secs(16)).await;
                std::mem::forget(store.serve(None));
            };
            let (found, ()) = futures::join!(fetch, serve);
            assert_eq!(found.as_deref(), Some(&b"content"[..]));
            assert_eq!(clock.now().duration_since(start).as_secs(), 5 + 10 + 20);
        });
    }
}
