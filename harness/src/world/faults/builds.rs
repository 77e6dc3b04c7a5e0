//! Builds of images that do not do, published under the tag of the good one.

use std::rc::Rc;

use async_trait::async_trait;

use super::{Cause, Ground, Set, Sighting, failed, flux, no_target, values, volumes};
use crate::world::InjectError;

/// A build that does not do.
pub(super) struct Bad<'a> {
    /// The component whose image it is, as people call it.
    pub(super) image: &'a str,
    /// The program in it, which is the name of its container, too.
    pub(super) program: &'a str,
    /// What is wrong, as `fake_workloads` has it, and the details.
    pub(super) what: &'a str,
    pub(super) details: String,
}

impl Bad<'_> {
    /// The variable by which the build says it.
    fn variable(&self) -> String {
        format!("{}_BUILD_{}", self.program.to_ascii_uppercase().replace('-', "_"), self.what)
    }
}

/// Publishes it. Where the good one runs already, the node has lost its copy and who runs it starts anew.
pub(super) async fn publish(ground: &Ground<'_>, fault: &str, bad: Bad<'_>) -> Set {
    let outside = ground.outside;
    let image = outside.image(bad.image).ok_or_else(|| unknown(ground, fault, bad.image))?;
    let variable = bad.variable();
    outside.builds.spoil(image.reference(), variable.clone(), bad.details);
    outside.push(image).await.map_err(|source| failed(fault, source))?;
    pull_again(ground, fault, image.reference()).await?;
    if bad.program == "bootstrap" {
        // A job runs when its release is applied.
        values::recover(ground).await.map_err(|source| failed(fault, source))?;
        flux::apply_again(ground.objects, "alga-core").await;
    } else {
        let restarted = volumes::restart(ground.objects, bad.program).await;
        restarted.map_err(|source| failed(fault, source))?;
    }
    Ok(Rc::new(Started { program: bad.program.to_owned(), variable }))
}

/// The next container that wants this image has it pulled.
pub(super) async fn pull_again(ground: &Ground<'_>, what: &str, reference: &str) -> Result<(), InjectError> {
    ground.machine.remove_image(reference).await.map_err(|error| error.of(what))
}

fn unknown(ground: &Ground<'_>, fault: &str, name: &str) -> InjectError {
    let known = ground.outside.images.iter().map(|image| image.component().to_owned()).collect();
    no_target(fault, format!("image {name}"), known)
}

/// Containers that were started from such a build.
struct Started {
    program: String,
    variable: String,
}

#[async_trait(?Send)]
impl Cause for Started {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let starts = ground.starts.of(&self.program);
        let bad = starts.iter().filter(|start| start.variable(&self.variable).is_some());
        bad.map(|start| Sighting::of(start, "from a build that does not do")).collect()
    }
}
