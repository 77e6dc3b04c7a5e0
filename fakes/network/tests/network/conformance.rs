//! The pull side of the OCI distribution specification (v1.1), requirement by requirement.

use bytes::Bytes;
use fake_network::Digest;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::setup::World;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What the body of an answer has to be.
enum Body {
    Empty,
    Bytes(Bytes),
    /// An error document with this code.
    Error(&'static str),
    Json(Value),
}

/// A requirement: the section that says it, a request, and what the answer has to be.
struct Requirement {
    section: &'static str,
    method: Method,
    path: String,
    range: Option<String>,
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Body,
}

fn requirement(
    section: &'static str,
    method: Method,
    path: impl Into<String>,
    status: u16,
    body: Body,
) -> Requirement {
    Requirement { section, method, path: path.into(), range: None, status, headers: Vec::new(), body }
}

impl Requirement {
    fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    fn range(mut self, range: String) -> Self {
        self.range = Some(range);
        self
    }

    async fn check(&self, world: &World) {
        let asked = format!("{}: {} {} {:?}", self.section, self.method, self.path, self.range);
        let mut request = world.request(self.method.clone(), &format!("ghcr.io{}", self.path));
        if let Some(range) = &self.range {
            request = request.header("range", range);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), self.status, "{asked}");
        let headers = answer.headers().clone();
        for (name, value) in &self.headers {
            let found = headers.get(*name).and_then(|found| found.to_str().ok());
            assert_eq!(found, Some(value.as_str()), "{asked}: header {name}");
        }
        let body = answer.bytes().await.unwrap();
        match &self.body {
            Body::Empty => assert!(body.is_empty(), "{asked}"),
            Body::Bytes(bytes) => assert_eq!(&body, bytes, "{asked}"),
            Body::Json(value) => {
                assert_eq!(&serde_json::from_slice::<Value>(&body).unwrap(), value, "{asked}");
            }
            Body::Error(code) => {
                assert_eq!(headers["content-type"], "application/json", "{asked}");
                let told: Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(told["errors"][0]["code"], *code, "{asked}");
                assert!(told["errors"][0]["message"].is_string(), "{asked}");
            }
        }
    }
}

/// What is in the repository `org/app`.
struct Content {
    digest: String,
    manifest: Bytes,
    blob: String,
    layer: Bytes,
}

async fn content(world: &World) -> Content {
    let digest = world.push_app("1.0", 5_000);
    for tag in ["1.1", "Beta", "alpha"] {
        world.control.copy_tag("ghcr.io/org/app", "1.0", tag).unwrap();
    }
    let manifest = world.get("ghcr.io/v2/org/app/manifests/1.0").await.bytes().await.unwrap();
    let (path, _) = world.app_layer("1.0").await;
    let layer = world.get(&path).await.bytes().await.unwrap();
    let blob = path.rsplit_once('/').unwrap().1.to_owned();
    Content { digest, manifest, blob, layer }
}

fn manifests(of: &Content) -> Vec<Requirement> {
    const PULL: &str = "Pulling manifests";
    const EXISTS: &str = "Checking if content exists in the registry";
    let absent = Digest::of(b"absent");
    let mut list = Vec::new();
    for reference in ["1.0", &of.digest] {
        let path = format!("/v2/org/app/manifests/{reference}");
        let get = requirement(PULL, Method::GET, &path, 200, Body::Bytes(of.manifest.clone()));
        let head = requirement(EXISTS, Method::HEAD, &path, 200, Body::Empty);
        list.extend([get, head].map(|either| {
            either
                .header("content-type", MANIFEST)
                .header("docker-content-digest", &of.digest)
                .header("content-length", of.manifest.len())
        }));
    }
    for reference in ["absent", absent.as_str()] {
        let path = format!("/v2/org/app/manifests/{reference}");
        list.push(requirement(PULL, Method::GET, &path, 404, Body::Error("MANIFEST_UNKNOWN")));
        list.push(requirement(EXISTS, Method::HEAD, &path, 404, Body::Empty));
    }
    list.push(requirement(PULL, Method::GET, "/v2/org/none/manifests/1.0", 404, Body::Error("NAME_UNKNOWN")));
    list.push(requirement(
        "Error Codes",
        Method::GET,
        "/v2/UPPER/app/manifests/1.0",
        400,
        Body::Error("NAME_INVALID"),
    ));
    list.push(requirement(
        "Error Codes",
        Method::POST,
        "/v2/org/app/manifests/1.0",
        405,
        Body::Error("UNSUPPORTED"),
    ));
    list
}

fn blobs(of: &Content) -> Vec<Requirement> {
    const PULL: &str = "Pulling blobs";
    const EXISTS: &str = "Checking if content exists in the registry";
    let (path, length) = (format!("/v2/org/app/blobs/{}", of.blob), of.layer.len());
    let escaped = path.replace(':', "%3A");
    let absent = format!("/v2/org/app/blobs/{}", Digest::of(b"absent"));
    let part = |range: String, first: usize, last: usize| {
        requirement(PULL, Method::GET, &path, 206, Body::Bytes(of.layer.slice(first..=last)))
            .range(range)
            .header("content-range", format!("bytes {first}-{last}/{length}"))
            .header("content-length", last - first + 1)
    };
    let whole = |path: &str| {
        let get = requirement(PULL, Method::GET, path, 200, Body::Bytes(of.layer.clone()));
        let head = requirement(EXISTS, Method::HEAD, path, 200, Body::Empty);
        [get, head].map(|either| {
            either
                .header("docker-content-digest", &of.blob)
                .header("content-length", length)
                .header("accept-ranges", "bytes")
        })
    };
    let mut list: Vec<Requirement> = whole(&path).into_iter().chain(whole(&escaped)).collect();
    list.extend([
        part("bytes=0-0".to_owned(), 0, 0),
        part("bytes=10-99".to_owned(), 10, 99),
        part("bytes=100-".to_owned(), 100, length - 1),
        part("bytes=-7".to_owned(), length - 7, length - 1),
        part(format!("bytes=5-{}", length * 2), 5, length - 1),
        requirement(PULL, Method::GET, &path, 416, Body::Error("RANGE_INVALID"))
            .range(format!("bytes={length}-")),
        requirement(PULL, Method::GET, &absent, 404, Body::Error("BLOB_UNKNOWN")),
        requirement(EXISTS, Method::HEAD, &absent, 404, Body::Empty),
        requirement(PULL, Method::GET, "/v2/org/app/blobs/sha256:none", 400, Body::Error("DIGEST_INVALID")),
    ]);
    list
}

fn discovery(of: &Content) -> Vec<Requirement> {
    const TAGS: &str = "Listing Tags";
    const REFERRERS: &str = "Listing Referrers";
    let tags = |query: &str, tags: Value| {
        let body = Body::Json(json!({"name": "org/app", "tags": tags}));
        requirement(TAGS, Method::GET, format!("/v2/org/app/tags/list{query}"), 200, body)
    };
    let none = || Body::Json(json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}));
    let referrers = |digest: &str| {
        let path = format!("/v2/org/app/referrers/{digest}");
        requirement(REFERRERS, Method::GET, path, 200, none()).header("content-type", INDEX)
    };
    vec![
        requirement("Determining Support", Method::GET, "/v2/", 200, Body::Json(json!({}))),
        tags("", json!(["1.0", "1.1", "Beta", "alpha"])),
        tags("?n=2", json!(["1.0", "1.1"]))
            .header("link", "</v2/org/app/tags/list?n=2&last=1.1>; rel=\"next\""),
        tags("?n=2&last=1.1", json!(["Beta", "alpha"])),
        tags("?n=100", json!(["1.0", "1.1", "Beta", "alpha"])),
        tags("?n=0", json!([])),
        tags("?last=Beta", json!(["alpha"])),
        requirement(TAGS, Method::GET, "/v2/org/none/tags/list", 404, Body::Error("NAME_UNKNOWN")),
        referrers(&of.digest),
        // A digest that nobody knows has no referrers; that is no 404.
        referrers(Digest::of(b"absent").as_str()),
        referrers(&format!("{}?artifactType=text%2Fplain", of.digest))
            .header("oci-filters-applied", "artifactType"),
        requirement(REFERRERS, Method::GET, "/v2/org/app/referrers/1.0", 400, Body::Error("DIGEST_INVALID")),
    ]
}

#[tokio::test]
async fn every_requirement_on_pulling_holds() {
    let world = World::start().await;
    let content = content(&world).await;
    let table: Vec<Requirement> =
        manifests(&content).into_iter().chain(blobs(&content)).chain(discovery(&content)).collect();
    for requirement in &table {
        requirement.check(&world).await;
    }
    println!("lanes: distribution conformance, pull: {} requirements", table.len());
    let unfinished =
        |receipt: &fake_network::RegistryReceipt| receipt.progress != fake_network::Progress::Complete;
    assert!(!world.control.receipts().iter().any(unfinished));
}

#[tokio::test]
async fn a_last_page_of_tags_names_no_next_one() {
    let world = World::start().await;
    content(&world).await;
    for query in ["n=0", "n=4", "n=100", "n=2&last=1.1"] {
        let page = world.get(&format!("ghcr.io/v2/org/app/tags/list?{query}")).await;
        assert!(!page.headers().contains_key("link"), "{query}");
    }
}

#[tokio::test]
async fn a_blob_can_be_had_in_pieces_that_make_the_whole() {
    let world = World::start().await;
    let content = content(&world).await;
    let mut together = Vec::new();
    while together.len() < content.layer.len() {
        let range = format!("bytes={}-{}", together.len(), together.len() + 999);
        let path = format!("ghcr.io/v2/org/app/blobs/{}", content.blob);
        let piece = world.request(Method::GET, &path).header("range", range).send().await.unwrap();
        assert_eq!(piece.status(), StatusCode::PARTIAL_CONTENT);
        together.extend(piece.bytes().await.unwrap());
    }
    assert_eq!(Digest::of(&together).as_str(), content.blob);
}

#[tokio::test]
async fn what_refers_to_a_manifest_is_listed_and_filtered_by_its_type() {
    let world = World::start().await;
    let content = content(&world).await;
    let image: Value = serde_json::from_slice(&content.manifest).unwrap();
    let refer = |kind: &str| {
        let subject =
            json!({"mediaType": MANIFEST, "digest": content.digest, "size": content.manifest.len()});
        json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind, "config": image["config"],
            "layers": image["layers"], "subject": subject})
    };
    for kind in ["text/plain", "application/spdx+json"] {
        let body = refer(kind).to_string();
        let path = format!("ghcr.io/v2/org/app/manifests/{}", Digest::of(body.as_bytes()));
        let put = world
            .request(Method::PUT, &path)
            .header("content-type", MANIFEST)
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(put.status(), StatusCode::CREATED);
        assert_eq!(put.headers()["oci-subject"], content.digest.as_str());
    }
    let list = async |query: &str| {
        let answer = world.get(&format!("ghcr.io/v2/org/app/referrers/{}{query}", content.digest)).await;
        let index: Value = answer.json().await.unwrap();
        let mut kinds: Vec<String> = index["manifests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                assert!(entry["size"].is_u64() && entry.get("annotations").is_none_or(Value::is_object));
                entry["artifactType"].as_str().unwrap().to_owned()
            })
            .collect();
        kinds.sort();
        kinds
    };
    assert_eq!(list("").await, ["application/spdx+json", "text/plain"]);
    assert_eq!(list("?artifactType=text%2Fplain").await, ["text/plain"]);
}
