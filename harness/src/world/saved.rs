//! Images as container engines save them: a tar archive of layers, with names.

use std::collections::BTreeMap;
use std::io::Read as _;

use bytes::Bytes;
use fake_network::{ImageSpec, Layer};
use serde_json::Value;

use super::WorldError;

/// How archives begin that are compressed.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// A saved image.
#[derive(Debug, Clone)]
pub(in crate::world) struct Saved {
    /// Under which it was saved.
    pub(in crate::world) names: Vec<String>,
    pub(in crate::world) spec: ImageSpec,
}

/// The same image, or a build of the same version by somebody else.
pub(in crate::world) fn best<'a>(reference: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
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
pub(in crate::world) fn unpack(archive: &[u8]) -> Result<Saved, WorldError> {
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
    let names = manifest[0]["RepoTags"].as_array().into_iter().flatten();
    let names = names.filter_map(|it| it.as_str().map(str::to_owned)).collect();
    let spec = ImageSpec {
        entrypoint: words("Entrypoint"),
        cmd: words("Cmd"),
        env: words("Env"),
        working_dir: text("WorkingDir"),
        user: text("User"),
        layers,
        ..ImageSpec::default()
    };
    Ok(Saved { names, spec })
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
