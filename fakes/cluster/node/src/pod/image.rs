//! Having the image of a container.

use std::sync::Arc;

use serde_json::Value;

use super::spec;
use super::worker::Worker;
use crate::go_time::duration_text;
use crate::oci::Reference;
use crate::pull::Image;

/// Why there is no image: the reason and message of `waiting`.
pub(super) struct NoImage {
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl NoImage {
    fn new(reason: &'static str, message: String) -> Self {
        Self { reason, message }
    }
}

impl Worker {
    /// The container's image, pulled when the policy asks for it. `None` when the pod ends meanwhile.
    pub(super) async fn ensure_image(&mut self, container: &Value) -> Option<Result<Arc<Image>, NoImage>> {
        let name = spec::name(container);
        let written = container["image"].as_str().unwrap_or("");
        let say = self.say_at(name);
        let reference = match Reference::parse(written) {
            Ok(reference) => reference,
            Err(error) => {
                let text = format!(
                    "Failed to apply default image tag \"{written}\": couldn't parse image name \"{written}\": {error}"
                );
                say.warning(&self.pod, "InspectFailed", &text);
                return Some(Err(NoImage::new("InvalidImageName", text)));
            }
        };
        let policy = container["imagePullPolicy"].as_str().unwrap_or("IfNotPresent");
        match (self.node.images.find(&reference), policy) {
            (Some(image), "IfNotPresent" | "Never") => {
                say.normal(
                    &self.pod,
                    "Pulled",
                    &format!("Container image \"{written}\" already present on machine"),
                );
                Some(Ok(image))
            }
            (None, "Never") => {
                let text = format!("Container image \"{written}\" is not present with pull policy of Never");
                say.warning(&self.pod, "ErrImageNeverPull", &text);
                Some(Err(NoImage::new("ErrImageNeverPull", text)))
            }
            _ => self.pull(name, written, &reference).await,
        }
    }

    async fn pull(
        &mut self,
        name: &str,
        written: &str,
        reference: &Reference,
    ) -> Option<Result<Arc<Image>, NoImage>> {
        let say = self.say_at(name);
        let now = self.node.clock.now();
        let record = self.records.entry(name.to_owned()).or_default();
        if record.pulls.running(now).is_some() {
            let text = format!("Back-off pulling image \"{written}\"");
            say.normal(&self.pod, "BackOff", &text);
            let text = format!("{text}: ErrImagePull: {}", record.pull_error);
            return Some(Err(NoImage::new("ImagePullBackOff", text)));
        }
        say.normal(&self.pod, "Pulling", &format!("Pulling image \"{written}\""));
        let node = Arc::clone(&self.node);
        let mut pulling = std::pin::pin!(node.images.pull(reference));
        let outcome = loop {
            tokio::select! {
                outcome = &mut pulling => break outcome,
                () = self.next_update() => if self.is_ending() { return None },
                () = node.stop.cancelled() => return None,
            }
        };
        let record = self.records.entry(name.to_owned()).or_default();
        match outcome {
            Ok(pulled) => {
                record.pull_error.clear();
                let (took, waited) = (duration_text(pulled.took), duration_text(pulled.with_waiting));
                let size = pulled.image.size;
                let text = format!(
                    "Successfully pulled image \"{written}\" in {took} ({waited} including waiting). Image size: {size} bytes."
                );
                say.normal(&self.pod, "Pulled", &text);
                Some(Ok(pulled.image))
            }
            Err(error) => {
                let text = error.to_string();
                let now = node.clock.now();
                record.pulls.next(now, now);
                record.pull_error.clone_from(&text);
                say.warning(&self.pod, "Failed", &format!("Failed to pull image \"{written}\": {text}"));
                Some(Err(NoImage::new("ErrImagePull", text)))
            }
        }
    }
}
