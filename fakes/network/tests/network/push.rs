//! Writing to the registry, by hand and with the OCI client.

use fake_network::{Digest, Effect, Progress, RegistryFault};
use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, Config, ImageLayer};
use oci_client::manifest::{IMAGE_CONFIG_MEDIA_TYPE, IMAGE_LAYER_GZIP_MEDIA_TYPE};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use reqwest::Method;
use serde_json::{Value, json};

use crate::setup::World;

fn oci_client(world: &World) -> Client {
    let data = world.authority.pem().into_bytes();
    Client::new(ClientConfig {
        extra_root_certificates: vec![Certificate { encoding: CertificateEncoding::Pem, data }],
        ..ClientConfig::default()
    })
}

#[tokio::test]
async fn a_stock_client_pushes_an_image_and_pulls_it_again() {
    let world = World::start().await;
    let client = oci_client(&world);
    let image = format!("127.77.4.1:{}/org/pushed:1.0", world.registry.address().port());
    let image: Reference = image.parse().unwrap();
    let layer = ImageLayer::new(vec![7; 100_000], IMAGE_LAYER_GZIP_MEDIA_TYPE.to_owned(), None);
    let config = Config::new(b"{}".to_vec(), IMAGE_CONFIG_MEDIA_TYPE.to_owned(), None);
    let auth = RegistryAuth::Anonymous;
    client.push(&image, std::slice::from_ref(&layer), config, &auth, None).await.unwrap();
    assert!(world.control.tag_exists("127.77.4.1/org/pushed", "1.0"));

    let pulled = client.pull(&image, &auth, vec![IMAGE_LAYER_GZIP_MEDIA_TYPE]).await.unwrap();
    assert_eq!(pulled.layers[0].data, layer.data);
    assert_eq!(client.list_tags(&image, &auth, None, None).await.unwrap().tags, ["1.0"]);
    assert!(
        client
            .pull_referrers(&image.clone_with_digest(pulled.digest.unwrap()), None)
            .await
            .unwrap()
            .manifests
            .is_empty()
    );
}

#[tokio::test]
async fn a_stock_client_is_told_when_it_may_not() {
    let world = World::start().await;
    world.control.push_image("127.77.4.1/org/app", "1", &fake_network::ImageSpec::default()).unwrap();
    let image: Reference =
        format!("127.77.4.1:{}/org/app:1", world.registry.address().port()).parse().unwrap();
    let client = oci_client(&world);
    client.fetch_manifest_digest(&image, &RegistryAuth::Anonymous).await.unwrap();
    let fault = world.control.inject(RegistryFault::on("127.77.4.1/org/app", Effect::Unauthorized)).await;
    let refused =
        oci_client(&world).fetch_manifest_digest(&image, &RegistryAuth::Anonymous).await.unwrap_err();
    assert!(refused.to_string().to_lowercase().contains("auth"), "{refused}");
    world.control.heal(fault).await.unwrap();
    oci_client(&world).fetch_manifest_digest(&image, &RegistryAuth::Anonymous).await.unwrap();
}

#[tokio::test]
async fn a_blob_is_uploaded_in_pieces_and_a_manifest_needs_its_blobs() {
    let world = World::start().await;
    let digest = Digest::of(b"hello world");
    let started = world.request(Method::POST, "ghcr.io/v2/org/new/blobs/uploads/").send().await.unwrap();
    assert_eq!(started.status(), 202);
    let upload = format!("ghcr.io{}", started.headers()["location"].to_str().unwrap());
    let piece = |range: &'static str, body: &'static str| {
        world.request(Method::PATCH, &upload).header("content-range", range).body(body).send()
    };
    assert_eq!(piece("0-5", "hello ").await.unwrap().headers()["range"], "0-5");
    assert_eq!(piece("9-13", "world").await.unwrap().status(), 416);
    assert_eq!(world.get(&upload).await.status(), 204);

    let descriptor = json!({ "mediaType": "text/plain", "digest": digest, "size": 11 });
    let manifest = json!({ "schemaVersion": 2, "config": descriptor, "layers": [] });
    let put = || world.request(Method::PUT, "ghcr.io/v2/org/new/manifests/1").json(&manifest).send();
    let early: Value = put().await.unwrap().json().await.unwrap();
    assert_eq!(early["errors"][0]["code"], "MANIFEST_BLOB_UNKNOWN");

    let finish = world.request(Method::PUT, &format!("{upload}?digest={digest}")).body("world").send();
    assert_eq!(finish.await.unwrap().status(), 201);
    let created = put().await.unwrap();
    assert_eq!(created.status(), 201);
    assert_eq!(
        world.get("ghcr.io/v2/org/new/manifests/1").await.headers()["docker-content-digest"],
        created.headers()["docker-content-digest"]
    );

    let wrong = format!("ghcr.io/v2/org/new/blobs/uploads/?digest={digest}");
    assert_eq!(world.request(Method::POST, &wrong).body("other").send().await.unwrap().status(), 400);
    let mount = format!("ghcr.io/v2/org/third/blobs/uploads/?mount={digest}&from=org/new");
    assert_eq!(world.request(Method::POST, &mount).send().await.unwrap().status(), 201);
    assert_eq!(
        world.request(Method::DELETE, "ghcr.io/v2/org/new/manifests/1").send().await.unwrap().status(),
        202
    );
    assert!(!world.control.tag_exists("ghcr.io/org/new", "1"));
    assert!(world.control.receipts().iter().all(|receipt| receipt.progress == Progress::Complete));
}
