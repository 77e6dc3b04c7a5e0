//! Images that a machine pulls by itself, in the words of its runtime.

use cluster_node::oci::Reference;

use super::{Machine, OnDisk, Room};

impl Machine {
    /// Pulls an image with its layers; each failure is on the console, as the runtime and Talos tell it.
    pub(super) async fn pull(&self, image: &str) -> Result<(), String> {
        let reference = Reference::parse(image).map_err(|error| error.to_string())?;
        let pulled = cluster_node::pull(self.clock(), &self.0.parts.images, &reference).await;
        let Err(cause) = pulled.and_then(|_| self.unpacked(image)) else { return Ok(()) };
        let host = reference.host();
        let resolving = format!("failed to resolve reference \"{image}\": ");
        let bare = cause.strip_prefix(&resolving).unwrap_or(&cause);
        self.0.journal.runtime(&format!("fetch failed error={bare} host={host} image={image}"));
        let told = format!("failed to pull image \"{image}\": {cause}");
        self.0.journal.say(&format!("retrying error: {told}"));
        Err(told)
    }

    /// What was pulled has to find room on the disk.
    fn unpacked(&self, image: &str) -> Result<(), String> {
        let now = self.now();
        match now.room {
            // Its installer runs in memory.
            Room::None if now.disk == OnDisk::Configured => Err(format!(
                "failed to pull and unpack image \"{image}\": failed to copy: write \
                 /var/lib/containerd/io.containerd.content.v1.content/ingest/data: no space left on device"
            )),
            Room::None | Room::Enough => Ok(()),
        }
    }
}
