//! What the release's images are called, and who runs them.

use fake_network::ImageSpec;
use serde::Deserialize;

/// An image of the release, as `fixtures/images.json` describes it.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::world) struct Image {
    /// Host, path and tag.
    image: String,
    entrypoint: Vec<String>,
    cmd: Vec<String>,
    env: Vec<String>,
}

impl Image {
    /// Host and path.
    pub(in crate::world) fn repository(&self) -> &str {
        self.image.rsplit_once(':').map_or(self.image.as_str(), |(repository, _)| repository)
    }

    /// The tag.
    pub(in crate::world) fn tag(&self) -> &str {
        self.image.rsplit_once(':').map_or("latest", |(_, tag)| tag)
    }

    /// Host, path and tag.
    pub(in crate::world) fn reference(&self) -> &str {
        &self.image
    }

    /// What is pushed.
    pub(in crate::world) fn spec(&self) -> ImageSpec {
        ImageSpec {
            entrypoint: self.entrypoint.clone(),
            cmd: self.cmd.clone(),
            env: self.env.clone(),
            ..ImageSpec::default()
        }
    }

    /// Another build of it, as somebody publishes one who needs a correction today.
    pub(in crate::world) fn hotfix(&self) -> Self {
        let mut build = self.clone();
        build.image.push_str("-hotfix");
        build.env.push("BUILD=hotfix".to_owned());
        build
    }

    /// The component that it is the image of: the name of its program.
    pub(in crate::world) fn component(&self) -> &str {
        let program = self.entrypoint.first().map_or("", String::as_str);
        program.rsplit('/').next().unwrap_or(program)
    }

    /// The last part of its repository.
    fn basename(&self) -> &str {
        self.repository().rsplit('/').next().unwrap_or_default()
    }

    /// Whether people call it so.
    pub(in crate::world) fn is_called(&self, name: &str) -> bool {
        self.component() == name || self.basename() == name
    }
}

#[derive(Deserialize)]
struct List {
    images: Vec<Image>,
}

/// Every image that an appliance of this release pulls.
pub(in crate::world) fn all() -> Result<Vec<Image>, serde_json::Error> {
    let bytes = fixtures::file("images.json").unwrap_or_default();
    Ok(serde_json::from_slice::<List>(bytes)?.images)
}

/// What a release manifest says of tags, and whose they are.
const CHOSEN: [(&str, &str); 4] = [
    ("algaCore", "alga-core"),
    ("workflowWorker", "workflow-worker"),
    ("emailService", "email-service"),
    ("temporalWorker", "temporal-worker"),
];

/// The images that other releases than this one name, each with its release.
pub(in crate::world) fn of_other_releases(release: &str) -> Result<Vec<(String, Image)>, serde_json::Error> {
    let images = all()?;
    let mut found = Vec::new();
    for (path, manifest) in fixtures::files("releases/") {
        let manifest: serde_json::Value = serde_json::from_slice(manifest)?;
        let name = path.trim_start_matches("releases/").trim_end_matches(".json");
        if name == release {
            continue;
        }
        for (key, component) in CHOSEN {
            let tag = manifest["app"]["images"][key].as_str().unwrap_or_default();
            for image in images.iter().filter(|it| it.component() == component && it.tag() != tag) {
                let mut other = image.clone();
                other.image = format!("{}:{tag}", image.repository());
                found.push((name.to_owned(), other));
            }
        }
    }
    Ok(found)
}
