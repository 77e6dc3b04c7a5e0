//! What a machine under QEMU needs of this one, what of it is there, and how to get the rest.

use std::path::{Path, PathBuf};

use field_clock::Clock;
use smoke_vm::{Architecture, Chosen, choose};

use super::image::Image;
use crate::world::MachineChoice;
use crate::world::preflight::{Missing, Need, Preflight, memory};

/// Memory in bytes below which a machine, its snapshot and its images do not fit.
const MEMORY: u64 = 6 << 30;

/// Looks for everything; gives it where all of it is there.
pub(super) async fn look(choice: &MachineChoice, machines: &Path) -> (Preflight, Option<(Image, Chosen)>) {
    let image = match folder(choice) {
        Some(folder) => Image::read(&folder),
        None => Err("no folder is named".to_owned()),
    };
    let chosen = choose(Architecture::of_the_host(), machines, &Clock::wall()).await;
    let image_found = image.as_ref().map(|it| it.kernel.display().to_string()).map_err(Clone::clone);
    let needs = vec![
        Need { what: "image", found: image_found.map_err(|why| Missing {
            why,
            remedy: "name a folder with a kernel, a first root and talosctl: --talos-image, SMOKE_TALOS_IMAGE (docs/talos-world.md)",
        }) },
        Need { what: "qemu", found: chosen.as_ref().map(ToString::to_string).map_err(|error| Missing {
            why: error.to_string(),
            remedy: "install QEMU 7.2 or newer for this machine's architecture (qemu-system-x86, qemu-utils)",
        }) },
        Need { what: "memory", found: memory(MEMORY, "a machine with an appliance takes 6 GiB; stop something else") },
    ];
    let preflight = Preflight::of(needs);
    let means = preflight.is_fine().then_some(()).and(image.ok().zip(chosen.ok()));
    (preflight, means)
}

/// The folder that was named, or the one of this user's cache where it is there.
fn folder(choice: &MachineChoice) -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let cached = home.map(|home| home.join(".cache/appliance-smoke/talos")).filter(|it| it.is_dir());
    choice.image.clone().or(cached)
}
