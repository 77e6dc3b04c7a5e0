//! Clients that others wrote: the crate oci-client, and `dig` and `skopeo` where they are found.

use std::net::SocketAddr;

use fake_network::{Digest, DnsEffect, DnsFault, Effect, ImageSpec, RegistryFault, Zone};
use oci_client::client::{Certificate, CertificateEncoding, ClientConfig};
use oci_client::errors::OciDistributionError;
use oci_client::manifest::{IMAGE_LAYER_GZIP_MEDIA_TYPE, OciManifest};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use tokio::process::Command;

use crate::setup::{World, dns, ip};

const HOST: &str = "127.77.4.1";

fn client(world: &World) -> Client {
    let data = world.authority.pem().into_bytes();
    let extra_root_certificates = vec![Certificate { encoding: CertificateEncoding::Pem, data }];
    Client::new(ClientConfig { extra_root_certificates, ..ClientConfig::default() })
}

/// An image in the registry, and its name for clients.
fn publish(world: &World, tag: &str) -> (Digest, Reference) {
    let spec = ImageSpec { extra_bytes: 50_000, ..ImageSpec::program(["/bin/app"]) };
    let digest = world.control.push_image(&format!("{HOST}/org/app"), tag, &spec).unwrap();
    (digest, name(world, &format!("org/app:{tag}")))
}

fn name(world: &World, image: &str) -> Reference {
    format!("{HOST}:{}/{image}", world.registry.address().port()).parse().unwrap()
}

#[tokio::test]
async fn oci_client_pulls_a_manifest_and_its_layers_by_tag_and_by_digest() {
    let world = World::start().await;
    let (digest, by_tag) = publish(&world, "1.0");
    let by_digest = by_tag.clone_with_digest(digest.to_string());
    for image in [by_tag, by_digest] {
        let (client, auth) = (client(&world), RegistryAuth::Anonymous);
        assert_eq!(client.fetch_manifest_digest(&image, &auth).await.unwrap(), digest.as_str());
        let (manifest, found) = client.pull_manifest(&image, &auth).await.unwrap();
        assert_eq!(found, digest.as_str());
        let OciManifest::Image(manifest) = manifest else { panic!("an image") };
        let pulled = client.pull(&image, &auth, vec![IMAGE_LAYER_GZIP_MEDIA_TYPE]).await.unwrap();
        assert_eq!(pulled.layers.len(), manifest.layers.len());
        for (layer, described) in pulled.layers.iter().zip(&manifest.layers) {
            assert_eq!(Digest::of(&layer.data).as_str(), described.digest);
        }
        assert!(client.blob_exists(&image, &manifest.config.digest).await.unwrap());
        assert!(!client.blob_exists(&image, Digest::of(b"absent").as_str()).await.unwrap());
    }
}

#[tokio::test]
async fn oci_client_reads_what_is_wrong() {
    let world = World::start().await;
    let (_, image) = publish(&world, "1.0");
    let auth = RegistryAuth::Anonymous;
    let absent = client(&world).pull_manifest(&name(&world, "org/app:2.0"), &auth).await.unwrap_err();
    assert!(absent.to_string().contains("manifest unknown") || is_absent(&absent), "{absent}");
    let target = format!("{HOST}/org/app");
    for (effect, says) in [
        (Effect::Unauthorized, "auth"),
        (Effect::Forbidden, "denied"),
        (Effect::RateLimited { retry_after: 1 }, "toomanyrequests"),
        (Effect::Error { status: 503 }, "503"),
    ] {
        let fault = world.control.inject(RegistryFault::on(&target, effect.clone())).await;
        let refused = client(&world).pull_manifest(&image, &auth).await.unwrap_err();
        let text = format!("{refused} {refused:?}").to_lowercase();
        assert!(text.contains(says), "{effect:?}: {text}");
        world.control.heal(fault).await.unwrap();
        client(&world).pull_manifest(&image, &auth).await.unwrap();
    }
}

fn is_absent(error: &OciDistributionError) -> bool {
    matches!(error, OciDistributionError::ImageManifestNotFoundError(_))
}

#[tokio::test]
async fn oci_client_notices_bytes_that_are_not_those_of_their_digest() {
    let world = World::start().await;
    let (_, image) = publish(&world, "1.0");
    world.control.inject(RegistryFault::on(&format!("{HOST}/org/app"), Effect::BadDigest)).await;
    let pulled =
        client(&world).pull(&image, &RegistryAuth::Anonymous, vec![IMAGE_LAYER_GZIP_MEDIA_TYPE]).await;
    assert!(matches!(pulled, Err(OciDistributionError::DigestError(_))));
}

#[tokio::test]
async fn oci_client_trusts_only_whom_it_was_told_to() {
    let world = World::start().await;
    let (_, image) = publish(&world, "1.0");
    let stranger = Client::new(ClientConfig::default());
    let refused = stranger.pull_manifest(&image, &RegistryAuth::Anonymous).await.unwrap_err();
    assert!(matches!(refused, OciDistributionError::RequestError(_)), "{refused}");
}

/// What a program of this machine says; nothing where there is none.
async fn said(program: &str, arguments: &[&str]) -> Option<(bool, String)> {
    let output = Command::new(program).args(arguments).output().await.ok()?;
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Some((output.status.success(), text))
}

#[tokio::test]
async fn dig_understands_every_answer() {
    let many: Vec<_> = (0..60).map(|host| ip(&format!("127.9.1.{host}"))).collect();
    let zone = Zone::new().with("ghcr.io", [ip("127.9.0.1"), ip("fd00::1")]).with("many.example", many);
    let server = dns("127.0.0.1:0", zone).await;
    server.control().inject(DnsFault::names("refused.example", DnsEffect::Refused)).await;
    server.control().inject(DnsFault::names("fails.example", DnsEffect::ServFail)).await;
    let address: SocketAddr = server.address();
    let (at, port) = (format!("@{}", address.ip()), address.port().to_string());
    let mut ran = 0;
    for (arguments, says) in [
        (["+short", "A", "ghcr.io"], "127.9.0.1"),
        (["+short", "AAAA", "ghcr.io"], "fd00::1"),
        (["+tcp", "A", "ghcr.io"], "127.9.0.1"),
        (["+norecurse", "A", "nobody.example"], "status: NXDOMAIN"),
        (["+noall", "A", "ghcr.io"], ""),
        (["+comments", "A", "refused.example"], "status: REFUSED"),
        (["+comments", "A", "fails.example"], "status: SERVFAIL"),
        // Without EDNS an answer of sixty addresses does not fit: dig goes on over TCP.
        (["+noedns", "A", "many.example"], "127.9.1.59"),
    ] {
        let all: Vec<&str> = [at.as_str(), "-p", &port].into_iter().chain(arguments).collect();
        let Some((_, text)) = said("dig", &all).await else { break };
        assert!(text.contains(says), "dig {arguments:?}: {text}");
        ran += 1;
    }
    println!("lanes: dig ran {ran}");
}

#[tokio::test]
async fn skopeo_inspects_and_copies() {
    let world = World::start().await;
    let (digest, image) = publish(&world, "1.0");
    let directory = std::env::temp_dir().join(format!("skopeo-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("ca.crt"), world.authority.pem()).unwrap();
    let (certificates, source) = (directory.display().to_string(), format!("docker://{image}"));
    let mut ran = 0;
    if let Some((well, text)) = said("skopeo", &["inspect", "--cert-dir", &certificates, &source]).await {
        assert!(well && text.contains(digest.as_str()), "{text}");
        let target = format!("dir:{certificates}/copy");
        let copy = ["--insecure-policy", "copy", "--src-cert-dir", &certificates, &source, &target];
        let (well, text) = said("skopeo", &copy).await.unwrap();
        assert!(well, "{text}");
        let absent = format!("docker://{}", name(&world, "org/app:2.0"));
        let (well, text) = said("skopeo", &["inspect", "--cert-dir", &certificates, &absent]).await.unwrap();
        assert!(!well && text.contains("manifest unknown"), "{text}");
        ran = 3;
    }
    std::fs::remove_dir_all(&directory).unwrap();
    println!("lanes: skopeo ran {ran}");
}
