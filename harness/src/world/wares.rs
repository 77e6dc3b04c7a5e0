//! What is in the images: the stand-ins' programs, and for what no stand-in can do the real thing, from a shelf.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use fake_network::{ImageSpec, Layer};

use super::WorldError;
use super::outside::{Image, Wares};
use super::programs::Programs;

/// What no stand-in can do: the controllers of Flux, the provisioner, and the shell of its helpers.
const REAL: [&str; 5] =
    ["source-controller", "kustomize-controller", "helm-controller", "local-path-provisioner", "busybox"];
/// The image that holds the status service.
const STATUS: &str = "appliance-status";
/// A file beside the certificates that programs trust; those who read this directory read it too.
const TRUSTED: &str = "etc/ssl/certs/appliance-smoke.pem";

/// Where real images are.
#[async_trait]
pub(in crate::world) trait Shelf: Sync {
    /// An image: under its own name, or a build of the same version by somebody else.
    async fn image(&self, reference: &str) -> Result<ImageSpec, WorldError>;
}

/// The content of every image that is published.
pub(in crate::world) async fn wares(
    shelf: &dyn Shelf,
    programs: &Programs,
    images: &[Image],
    authority: &str,
) -> Result<Wares, WorldError> {
    let names: Vec<String> = images.iter().map(|image| image.component().to_owned()).collect();
    let more = ["bootstrap", "wait-for-bootstrap", "volume-prep"].map(str::to_owned);
    let workloads = programs.workloads(&names.into_iter().chain(more).collect::<Vec<_>>())?;
    let trusted = Layer::new(BTreeMap::from([(TRUSTED.to_owned(), Bytes::from(authority.to_owned()))]));
    let mut own = BTreeMap::new();
    for image in images {
        let last = image.repository().rsplit('/').next().unwrap_or_default();
        let spec = if last == STATUS {
            ImageSpec { layers: vec![programs.status()?], ..image.spec() }
        } else if REAL.contains(&last) {
            let mut real = shelf.image(image.reference()).await?;
            if last == "busybox" {
                // The stand-in's program beside the shell.
                real = ImageSpec { layers: real.layers, ..image.spec() };
                real.layers.push(workloads.clone());
            }
            real.layers.push(trusted.clone());
            real
        } else {
            continue;
        };
        own.insert(image.reference().to_owned(), spec);
    }
    Ok(Wares { below: vec![workloads], own })
}
