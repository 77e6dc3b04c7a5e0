//! Whether the images of a release are published.

use std::time::Duration;

use reqwest::{StatusCode, header};

use crate::cli::ValidateRelease;
use crate::failure::{Failure, Layer};
use crate::report::{Phase, line, step, warning};
use crate::settings::{Tags, release};

const REGISTRY: &str = "https://ghcr.io";
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// What the registry says of an image.
#[derive(Debug)]
enum Answer {
    Published,
    Missing,
    Unknown(String),
}

/// Images that background services need.
fn background(tags: &Tags) -> [(&'static str, &str); 3] {
    [
        ("nine-minds/workflow-worker", &tags.workflow_worker),
        ("nine-minds/email-service", &tags.email_service),
        ("nine-minds/temporal-worker", &tags.temporal_worker),
    ]
}

/// Checks background images; whatever it finds is a warning.
pub(crate) async fn check_background(tags: &Tags) {
    step(Phase::BackgroundServices, "Checking that background images are published");
    let Ok(http) = client() else {
        return warning("background image tags could not be checked: no HTTP client.");
    };
    for (repository, tag) in background(tags) {
        tell(repository, tag, ask(&http, repository, tag).await);
    }
}

fn tell(repository: &str, tag: &str, answer: Answer) {
    let image = format!("ghcr.io/{repository}:{tag}");
    match answer {
        Answer::Published => {}
        Answer::Missing => warning(&format!(
            "background image {image} is missing. Publish the missing image tag or update the appliance release manifest to a valid tag."
        )),
        Answer::Unknown(why) => warning(&format!("background image {image} could not be checked: {why}")),
    }
}

/// `appliance validate-release`.
pub(crate) async fn validate(arguments: &ValidateRelease) -> Result<(), Failure> {
    let release = release(&arguments.release_version)?;
    let tags = &release.app.images;
    let http =
        client().map_err(|error| Failure::new(Layer::Host, "prepare an HTTP client", "").because(error))?;
    for (repository, tag) in background(tags) {
        tell(repository, tag, ask(&http, repository, tag).await);
    }
    let core = format!("ghcr.io/nine-minds/alga-psa-ee:{}", tags.alga_core);
    match ask(&http, "nine-minds/alga-psa-ee", &tags.alga_core).await {
        Answer::Published => line(&format!("Release {} is valid.", release.release_version)),
        Answer::Unknown(why) => warning(&format!("core image {core} could not be checked: {why}")),
        Answer::Missing => {
            let remedy =
                "Publish the missing image tag or update the appliance release manifest to a valid tag.";
            return Err(Failure::new(Layer::Registry, format!("find core image {core}"), remedy));
        }
    }
    Ok(())
}

fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().timeout(Duration::from_secs(10)).build()
}

async fn ask(http: &reqwest::Client, repository: &str, tag: &str) -> Answer {
    match head(http, repository, tag).await {
        Ok(status) if status.is_success() => Answer::Published,
        Ok(StatusCode::NOT_FOUND) => Answer::Missing,
        Ok(status) => Answer::Unknown(format!("the registry answered {status}")),
        Err(error) => Answer::Unknown(error.to_string()),
    }
}

async fn head(http: &reqwest::Client, repository: &str, tag: &str) -> reqwest::Result<StatusCode> {
    let url = format!("{REGISTRY}/v2/{repository}/manifests/{tag}");
    let first = http.head(&url).header(header::ACCEPT, ACCEPT).send().await?;
    if first.status() != StatusCode::UNAUTHORIZED {
        return Ok(first.status());
    }
    // Public images still want a token, which anybody gets.
    let grant = format!("{REGISTRY}/token?scope=repository:{repository}:pull");
    let grant: serde_json::Value = http.get(grant).send().await?.json().await?;
    let token = grant["token"].as_str().unwrap_or_default();
    let again = http.head(&url).header(header::ACCEPT, ACCEPT).bearer_auth(token).send().await?;
    Ok(again.status())
}
