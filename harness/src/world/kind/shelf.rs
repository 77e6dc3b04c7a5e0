//! Real images, as the container engine has them.

use async_trait::async_trait;
use fake_network::ImageSpec;

use super::engine::Engine;
use crate::world::WorldError;
use crate::world::saved::{best, unpack};
use crate::world::wares::Shelf;

#[async_trait]
impl Shelf for Engine {
    /// As it is in the engine: under its own name, under that of a build of it that is here, or pulled.
    async fn image(&self, reference: &str) -> Result<ImageSpec, WorldError> {
        let known = self.docker(&["images", "--format", "{{.Repository}}:{{.Tag}}"]).await?;
        let name = match best(reference, known.lines()) {
            Some(name) => name.to_owned(),
            None => {
                self.docker(&["pull", "--quiet", reference]).await.map_err(|error| {
                    format!("{reference} is not in the engine, and cannot be pulled: {error}")
                })?;
                reference.to_owned()
            }
        };
        Ok(unpack(&self.docker_bytes(&["save", &name]).await?)?.spec)
    }
}
