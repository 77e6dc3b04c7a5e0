//! Images that a machine pulls by itself, in the words of its runtime.

use cluster_node::oci::Reference;

use super::Machine;

impl Machine {
    /// Pulls an image, its layers too; each failure is on the console, as the runtime and Talos tell it.
    pub(super) async fn pull(&self, image: &str) -> Result<(), String> {
        let Err(cause) = self.fetch(image).await else { return Ok(()) };
        self.0.journal.runtime(&format!("fetch failed error={cause} host={} image={image}", host(image)));
        let told =
            format!("failed to pull image \"{image}\": failed to resolve reference \"{image}\": {cause}");
        self.0.journal.say(&format!("retrying error: {told}"));
        Err(told)
    }

    async fn fetch(&self, image: &str) -> Result<(), String> {
        let reference = Reference::parse(image).map_err(|error| error.to_string())?;
        let mut session = self.0.parts.images.session(reference.host());
        let found = session.manifest(&reference.repository, reference.target()).await;
        let (_, bytes) = found.map_err(|error| words(image, &error))?;
        tracing::debug!(image, bytes = bytes.len(), "a machine has pulled an image's manifest");
        Ok(())
    }
}

/// What containerd makes of it.
fn words(image: &str, error: &cluster_node::oci::Error) -> String {
    if error.code() == Some(404) {
        return format!("{image}: not found");
    }
    format!("failed to do request: {error}")
}

fn host(image: &str) -> &str {
    image.split('/').next().unwrap_or(image)
}
