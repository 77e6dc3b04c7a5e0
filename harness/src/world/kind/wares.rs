//! What is in the images: the stand-ins' programs, and for what no stand-in can do the real thing, taken from the engine.

use std::collections::BTreeMap;
use std::io::Read as _;

use bytes::Bytes;
use fake_network::{ImageSpec, Layer};
use serde_json::Value;

use super::engine::Engine;
use super::programs::Programs;
use crate::world::WorldError;
use crate::world::outside::{Image, Wares};

/// What no stand-in can do: the controllers of Flux, the provisioner, and the shell of its helpers.
const REAL: [&str; 5] =
    ["source-controller", "kustomize-controller", "helm-controller", "local-path-provisioner", "busybox"];
/// The image that holds the status service.
const STATUS: &str = "appliance-status";
/// A file beside the certificates that programs trust; those who read this directory read it too.
const TRUSTED: &str = "etc/ssl/certs/appliance-smoke.pem";
/// How archives begin that are compressed.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The content of every image that is published.
pub(super) async fn wares(
    engine: &Engine,
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
            let mut real = real(engine, image.reference()).await?;
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

/// An image as it is in the engine: under its own name, under that of a build of it that is here, or pulled.
async fn real(engine: &Engine, reference: &str) -> Result<ImageSpec, WorldError> {
    let known = engine.docker(&["images", "--format", "{{.Repository}}:{{.Tag}}"]).await?;
    let name = match best(reference, known.lines()) {
        Some(name) => name.to_owned(),
        None => {
            engine.docker(&["pull", "--quiet", reference]).await.map_err(|error| {
                format!("{reference} is not in the engine, and cannot be pulled: {error}")
            })?;
            reference.to_owned()
        }
    };
    unpack(&engine.docker_bytes(&["save", &name]).await?)
}

/// The same image, or a build of the same version by somebody else.
fn best<'a>(reference: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let short = reference.trim_start_matches("docker.io/").trim_start_matches("library/");
    let (repository, tag) = short.rsplit_once(':')?;
    let last = repository.rsplit('/').next()?;
    let rank = |it: &&str| {
        let (its_repository, its_tag) = it.rsplit_once(':')?;
        if *it == reference || *it == short {
            return Some(0);
        }
        let named = its_repository.rsplit('/').next() == Some(last);
        (named && its_tag.starts_with(tag)).then_some(1).or_else(|| (named && last == "busybox").then_some(2))
    };
    known.filter_map(|it| Some((rank(&it)?, it))).min_by_key(|(rank, _)| *rank).map(|(_, it)| it)
}

/// Reads an image as engines save it.
fn unpack(archive: &[u8]) -> Result<ImageSpec, WorldError> {
    let mut files: BTreeMap<String, Bytes> = BTreeMap::new();
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        files.insert(path, content.into());
    }
    let read = |path: &str| files.get(path).ok_or_else(|| format!("the saved image has no {path}"));
    let manifest: Value = serde_json::from_slice(read("manifest.json")?)?;
    let config: Value = serde_json::from_slice(read(manifest[0]["Config"].as_str().unwrap_or_default())?)?;
    let mut layers = Vec::new();
    for path in manifest[0]["Layers"].as_array().into_iter().flatten() {
        layers.push(Layer::archive(plain(read(path.as_str().unwrap_or_default())?)?));
    }
    let config = &config["config"];
    let words = |field: &str| -> Vec<String> {
        let list = config[field].as_array().into_iter().flatten();
        list.filter_map(|it| it.as_str().map(str::to_owned)).collect()
    };
    let text = |field: &str| config[field].as_str().unwrap_or_default().to_owned();
    Ok(ImageSpec {
        entrypoint: words("Entrypoint"),
        cmd: words("Cmd"),
        env: words("Env"),
        working_dir: text("WorkingDir"),
        user: text("User"),
        layers,
        ..ImageSpec::default()
    })
}

fn plain(bytes: &Bytes) -> Result<Bytes, WorldError> {
    if !bytes.starts_with(GZIP) {
        return Ok(bytes.clone());
    }
    let mut content = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut content)?;
    Ok(content.into())
}

#[cfg(test)]
mod tests {
    use super::best;

    #[test]
    fn the_same_image_is_better_than_a_build_of_its_version_and_that_is_better_than_none() {
        let known = [
            "fluxcd/source-controller:v1.9.5-48d0a49e",
            "fluxcd/source-controller:v1.8.0",
            "kindlab/busybox:1",
        ];
        let find = |reference| best(reference, known.into_iter());
        assert_eq!(
            find("ghcr.io/fluxcd/source-controller:v1.9.5"),
            Some("fluxcd/source-controller:v1.9.5-48d0a49e")
        );
        assert_eq!(find("docker.io/library/busybox:1.36.1"), Some("kindlab/busybox:1"));
        assert_eq!(find("ghcr.io/fluxcd/helm-controller:v1.6.4"), None);
        let both = ["other/redis:7-1", "redis:7"];
        assert_eq!(best("docker.io/library/redis:7", both.into_iter()), Some("redis:7"));
    }
}
