//! What a kind world needs of this machine, what of it is there, and how to get the rest.

use std::path::{Path, PathBuf};

use super::engine::Engine;
use crate::world::preflight::{Missing, Need, Preflight, memory};
use crate::world::programs::Programs;

/// Memory in bytes below which a node and an appliance do not fit.
const MEMORY: u64 = 4 << 30;

/// What is there to make worlds of.
pub(super) struct Means {
    pub(super) image: String,
    pub(super) programs: Programs,
}

/// Looks for everything; gives the means where all of it is there.
pub(super) async fn look(
    engine: &Engine,
    image: Option<&str>,
    programs: &Path,
) -> (Preflight, Option<Means>) {
    let found_engine = engine_version(engine).await;
    let image = node_image(engine, image).await;
    let programs = Programs::find(programs);
    let (image_found, programs_found) = (image.as_ref().ok().cloned(), programs.as_ref().ok().cloned());
    let needs = vec![
        Need { what: "engine", found: found_engine },
        Need { what: "kind", found: kind_version(engine).await },
        Need { what: "node image", found: image },
        Need { what: "programs", found: programs.map(|it| it.to_string()).map_err(|why| Missing {
            why,
            remedy: "build the static programs: scripts/programs.sh (SMOKE_PROGRAMS names another directory)",
        }) },
        Need { what: "memory", found: memory(MEMORY, "a node with an appliance takes 4 GiB; stop something else") },
        Need { what: "cgroup", found: cgroup() },
    ];
    let preflight = Preflight::of(needs);
    let means = preflight.is_fine().then_some(()).and(image_found.zip(programs_found));
    (preflight, means.map(|(image, programs)| Means { image, programs }))
}

async fn engine_version(engine: &Engine) -> Result<String, Missing> {
    let asked = engine.docker(&["version", "--format", "{{.Server.Version}}"]).await;
    asked.map(|version| format!("{} {version}", engine.docker)).map_err(|error| Missing {
        why: error.to_string(),
        remedy: "install and start a container engine with a docker client (SMOKE_DOCKER names the program)",
    })
}

async fn kind_version(engine: &Engine) -> Result<String, Missing> {
    engine.kind(&["version"], None).await.map_err(|error| Missing {
        why: error.to_string(),
        remedy: "install kind v0.30 or newer (https://kind.sigs.k8s.io; SMOKE_KIND names the program)",
    })
}

/// The image that is named, or the one that this kind program takes by itself: then it will be pulled.
async fn node_image(engine: &Engine, named: Option<&str>) -> Result<String, Missing> {
    let Some(named) = named else { return Ok(String::new()) };
    let there = engine.docker(&["image", "inspect", "--format", "{{.Id}}", named]).await;
    let pulled = match there {
        Ok(_) => Ok(()),
        Err(_) => engine.docker(&["pull", "--quiet", named]).await.map(drop),
    };
    pulled.map(|()| named.to_owned()).map_err(|error| Missing {
        why: error.to_string(),
        remedy: "name an image that is here or can be pulled: --node-image, SMOKE_NODE_IMAGE",
    })
}

fn cgroup() -> Result<String, Missing> {
    let v2 = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    let v1: PathBuf = "/sys/fs/cgroup/memory".into();
    match (v2, v1.exists()) {
        (true, _) => Ok("v2".to_owned()),
        (false, true) => Ok("v1 (a kubelet of 1.34 or older)".to_owned()),
        // An engine may run in a machine of its own.
        (false, false) if cfg!(not(target_os = "linux")) => Ok("of the engine's machine".to_owned()),
        (false, false) => Err(Missing {
            why: "no cgroup file system at /sys/fs/cgroup".to_owned(),
            remedy: "mount cgroup2 there, with the cpu, memory and pids controllers",
        }),
    }
}
