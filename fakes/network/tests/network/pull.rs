//! Reading from the registry.

use std::collections::BTreeMap;

use fake_network::{Digest, FluxArtifact, HelmChart, ImageSpec, Layer, RegistryError, tar_gz};
use reqwest::Method;
use serde_json::{Value, json};

use crate::setup::World;

#[tokio::test]
async fn an_image_is_pulled_by_tag_and_by_digest_and_its_bytes_have_their_digests() {
    let world = World::start().await;
    let mut files = BTreeMap::new();
    files.insert("bin/app".to_owned(), "program".into());
    let spec = ImageSpec {
        cmd: vec!["serve".to_owned()],
        env: vec!["PORT=8080".to_owned()],
        labels: BTreeMap::from([("release".to_owned(), "1.0-rc5".to_owned())]),
        layers: vec![Layer::new(files)],
        extra_bytes: 5_000,
        ..ImageSpec::program(["/bin/app"])
    };
    let digest = world.control.push_image("ghcr.io/org/app", "1.0-rc5", &spec).unwrap();
    assert_eq!(world.control.push_image("ghcr.io/org/app", "again", &spec).unwrap(), digest);

    let head = world.head("ghcr.io/v2/org/app/manifests/1.0-rc5").await;
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["docker-content-digest"], digest.as_str());
    assert_eq!(head.headers()["content-type"], "application/vnd.oci.image.manifest.v1+json");
    let length = head.headers()["content-length"].clone();
    let manifest = world.get(&format!("ghcr.io/v2/org/app/manifests/{digest}")).await.bytes().await.unwrap();
    assert_eq!(length, manifest.len().to_string());
    assert_eq!(Digest::of(&manifest), digest);

    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let mut blobs = vec![manifest["config"].clone()];
    blobs.extend(manifest["layers"].as_array().unwrap().clone());
    for descriptor in blobs {
        let digest = descriptor["digest"].as_str().unwrap();
        let blob = world.get(&format!("ghcr.io/v2/org/app/blobs/{digest}")).await.bytes().await.unwrap();
        assert_eq!(Digest::of(&blob).as_str(), digest);
        assert_eq!(descriptor["size"], blob.len());
    }
    let config = manifest["config"]["digest"].as_str().unwrap();
    let config: Value = world.get(&format!("ghcr.io/v2/org/app/blobs/{config}")).await.json().await.unwrap();
    assert_eq!(config["config"]["Entrypoint"], json!(["/bin/app"]));
    assert_eq!(config["config"]["Cmd"], json!(["serve"]));
    assert_eq!(config["config"]["Labels"]["release"], "1.0-rc5");
}

#[tokio::test]
async fn parts_of_a_blob_can_be_had() {
    let world = World::start().await;
    world.push_app("1", 5_000);
    let (path, length) = world.app_layer("1").await;
    let whole = world.get(&path).await.bytes().await.unwrap();
    let part =
        async |range: &str| world.request(Method::GET, &path).header("range", range).send().await.unwrap();
    let middle = part("bytes=10-19").await;
    assert_eq!(middle.status(), 206);
    assert_eq!(middle.headers()["content-range"], format!("bytes 10-19/{length}"));
    assert_eq!(middle.bytes().await.unwrap(), whole.slice(10..20));
    assert_eq!(part("bytes=100-").await.bytes().await.unwrap(), whole.slice(100..));
    assert_eq!(part(&format!("bytes={length}-")).await.status(), 416);
}

#[tokio::test]
async fn hosts_are_different_registries_but_those_of_the_docker_hub_are_one() {
    let world = World::start().await;
    world.push_app("1", 0);
    world.control.push_image("docker.io/redis", "7", &ImageSpec::program(["/bin/redis"])).unwrap();
    assert_eq!(world.head("quay.io/v2/org/app/manifests/1").await.status(), 404);
    assert_eq!(world.head("ghcr.io/v2/org/app/manifests/1").await.status(), 200);
    assert_eq!(world.head("registry-1.docker.io/v2/library/redis/manifests/7").await.status(), 200);
    assert_eq!(world.control.tags(), ["docker.io/library/redis:7", "ghcr.io/org/app:1"]);
    assert_eq!(world.control.receipts().last().unwrap().host, "docker.io");
}

#[tokio::test]
async fn what_is_not_there_is_refused_as_registries_do() {
    let world = World::start().await;
    world.push_app("1", 0);
    let absent = Digest::of(b"absent");
    for (path, status, code) in [
        ("ghcr.io/v2/org/app/manifests/2".to_owned(), 404, "MANIFEST_UNKNOWN"),
        (format!("ghcr.io/v2/org/app/manifests/{absent}"), 404, "MANIFEST_UNKNOWN"),
        (format!("ghcr.io/v2/org/app/blobs/{absent}"), 404, "BLOB_UNKNOWN"),
        ("ghcr.io/v2/org/other/manifests/1".to_owned(), 404, "NAME_UNKNOWN"),
        ("ghcr.io/v2/org/other/tags/list".to_owned(), 404, "NAME_UNKNOWN"),
        ("ghcr.io/v2/Org/app/manifests/1".to_owned(), 400, "NAME_INVALID"),
    ] {
        let response = world.get(&path).await;
        assert_eq!(response.status(), status, "{path}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["errors"][0]["code"], code, "{path}");
    }
}

#[tokio::test]
async fn tags_are_listed_by_pages_and_referrers_are_an_index() {
    let world = World::start().await;
    let digest = world.push_app("1", 0);
    world.control.copy_tag("ghcr.io/org/app", "1", "2").unwrap();
    world.control.copy_tag("ghcr.io/org/app", "1", "3").unwrap();
    let page = world.get("ghcr.io/v2/org/app/tags/list?n=2").await;
    assert_eq!(page.headers()["link"], "</v2/org/app/tags/list?n=2&last=2>; rel=\"next\"");
    assert_eq!(page.json::<Value>().await.unwrap()["tags"], json!(["1", "2"]));
    let rest = world.get("ghcr.io/v2/org/app/tags/list?n=2&last=2").await;
    assert!(!rest.headers().contains_key("link"));
    assert_eq!(rest.json::<Value>().await.unwrap()["tags"], json!(["3"]));
    let index = world.get(&format!("ghcr.io/v2/org/app/referrers/{digest}")).await;
    assert_eq!(index.headers()["content-type"], "application/vnd.oci.image.index.v1+json");
    assert_eq!(index.json::<Value>().await.unwrap()["manifests"], json!([]));
}

#[tokio::test]
async fn a_tag_that_was_taken_out_can_be_put_back() {
    let world = World::start().await;
    let digest = world.push_app("1", 0);
    let removed = world.control.remove_tag("ghcr.io/org/app", "1").unwrap();
    assert_eq!((removed.tag(), removed.digest().as_str()), ("1", digest.as_str()));
    assert!(!world.control.tag_exists("ghcr.io/org/app", "1"));
    assert_eq!(world.head("ghcr.io/v2/org/app/manifests/1").await.status(), 404);
    assert_eq!(world.head(&format!("ghcr.io/v2/org/app/manifests/{digest}")).await.status(), 200);
    let again = world.control.remove_tag("ghcr.io/org/app", "1").unwrap_err();
    assert!(matches!(again, RegistryError::NoTag { .. }));
    world.control.restore_tag(&removed).unwrap();
    assert_eq!(world.head("ghcr.io/v2/org/app/manifests/1").await.status(), 200);
}

#[tokio::test]
async fn flux_sources_and_helm_charts_have_the_media_types_of_their_tools() {
    let world = World::start().await;
    let files = BTreeMap::from([("flux/kustomization.yaml".to_owned(), "kind: Kustomization".into())]);
    let source = FluxArtifact {
        files,
        source: "https://example.com/repo".to_owned(),
        revision: "main@sha1:1".to_owned(),
    };
    world.control.push_flux("ghcr.io/org/source", "1.0", &source).unwrap();
    let archive = tar_gz([("db/Chart.yaml", "name: db\nversion: 1.0.0+a\n")]).unwrap();
    let chart =
        HelmChart { metadata: json!({ "name": "db", "version": "1.0.0+a" }), archive: archive.clone() };
    world.control.push_chart("ghcr.io/org/charts/db", &chart).unwrap();

    let flux: Value = world.get("ghcr.io/v2/org/source/manifests/1.0").await.json().await.unwrap();
    assert_eq!(flux["config"]["mediaType"], "application/vnd.cncf.flux.config.v1+json");
    assert_eq!(flux["layers"][0]["mediaType"], "application/vnd.cncf.flux.content.v1.tar+gzip");
    assert_eq!(flux["annotations"]["org.opencontainers.image.revision"], "main@sha1:1");
    let helm: Value = world.get("ghcr.io/v2/org/charts/db/manifests/1.0.0_a").await.json().await.unwrap();
    assert_eq!(helm["config"]["mediaType"], "application/vnd.cncf.helm.config.v1+json");
    assert_eq!(helm["layers"][0]["mediaType"], "application/vnd.cncf.helm.chart.content.v1.tar+gzip");
    let layer = format!("ghcr.io/v2/org/charts/db/blobs/{}", helm["layers"][0]["digest"].as_str().unwrap());
    assert_eq!(world.get(&layer).await.bytes().await.unwrap(), archive);
}
