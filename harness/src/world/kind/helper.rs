//! The world outside in a container beside the node: resolvers and registries on the ports that they have everywhere.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use fake_network::{Authority, Remote, outside_ports as ports};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use testcontainers::core::WaitFor;
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, CopyDataSource, GenericImage, ImageExt as _};

use super::cluster::LABEL;
use super::engine::Engine;
use crate::world::WorldError;
use crate::world::programs::Programs;

/// The image's name; its tag is what is in it.
const IMAGE: &str = "appliance-smoke/outside";
/// Where the program finds its certificates, its keys and its word.
const DIRECTORY: &str = "/etc/outside";
/// Longer than this no start of one static program takes.
const START: Duration = Duration::from_secs(30);
/// Files in which another run finds what it needs.
const WORD: &str = "outside.word";
const AUTHORITY: &str = "outside.pem";

/// The container, and the way to those in it.
pub(super) struct Helper {
    /// Nothing for one that was there before, and stays.
    container: Option<ContainerAsync<GenericImage>>,
    id: String,
    pub(super) address: IpAddr,
    pub(super) remote: Remote,
    /// The word by which it knows who may ask.
    word: String,
    /// What clients of the registry have to trust.
    pub(super) authority: String,
}

/// What the world outside is to be.
pub(super) struct Site<'a> {
    /// The registry's names.
    pub(super) hosts: &'a [&'a str],
    /// Names that only the site's resolver knows, with their addresses.
    pub(super) own: &'a [(&'a str, IpAddr)],
    /// The name of the portal.
    pub(super) portal: &'a str,
}

impl Helper {
    /// Starts it on the network of this run.
    pub(super) async fn start(
        engine: &Engine,
        run: &str,
        programs: &Programs,
        site: &Site<'_>,
    ) -> Result<Self, WorldError> {
        let tag = load(engine, &programs.outside()?).await?;
        let authority = Authority::new("appliance-smoke registries")?;
        let identity = authority.server(site.hosts)?;
        let portal = Authority::new("guest portal")?.server(&[site.portal])?;
        let word = word()?;
        let files = [
            ("identity.pem", identity.chain_pem),
            ("key.pem", identity.key_pem),
            ("portal.pem", portal.chain_pem),
            ("portal-key.pem", portal.key_pem),
            ("word", word.clone()),
        ];
        let own: Vec<String> = site.own.iter().map(|(name, address)| format!("{name}={address}")).collect();
        let mut request = GenericImage::new(IMAGE, &tag)
            .with_wait_for(WaitFor::message_on_stdout("ready"))
            .with_network(run)
            .with_container_name(format!("{run}-outside"))
            .with_label(LABEL, run)
            .with_env_var("OUTSIDE_HOSTS", site.hosts.join(","))
            .with_env_var("OUTSIDE_OWN", own.join(","))
            .with_env_var("OUTSIDE_DIRECTORY", DIRECTORY)
            .with_startup_timeout(START);
        for (name, content) in files {
            request = request
                .with_copy_to(format!("{DIRECTORY}/{name}"), CopyDataSource::Data(content.into_bytes()));
        }
        let container = request.start().await?;
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
        let addresses = engine.docker(&["inspect", "--format", format, container.id()]).await?;
        let address: Option<IpAddr> = addresses.split_whitespace().find_map(|it| it.parse().ok());
        let address = address.ok_or("the container of the world outside has no address")?;
        let remote = Remote::at(SocketAddr::new(address, ports::DESK), &word);
        let id = container.id().to_owned();
        Ok(Self { container: Some(container), id, address, remote, word, authority: authority.pem() })
    }

    /// Writes down what another run needs to find it again, readable by this user only.
    pub(super) fn remember(&self, directory: &Path) -> Result<(), WorldError> {
        for (name, content) in [(WORD, &self.word), (AUTHORITY, &self.authority)] {
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(directory.join(name))?;
            file.write_all(content.as_bytes())?;
        }
        Ok(())
    }

    /// The one that a run before has remembered here, if it still answers.
    pub(super) async fn find(engine: &Engine, run: &str, directory: &Path) -> Result<Self, WorldError> {
        let read = |name: &str| std::fs::read_to_string(directory.join(name));
        let (word, authority) = (read(WORD)?, read(AUTHORITY)?);
        let container = format!("{run}-outside");
        let format = "{{.Id}} {{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
        let inspected = engine.docker(&["inspect", "--format", format, &container]).await?;
        let mut words = inspected.split_whitespace();
        let id = words.next().unwrap_or_default().to_owned();
        let address: IpAddr = words.next().unwrap_or_default().parse()?;
        let remote = Remote::at(SocketAddr::new(address, ports::DESK), &word);
        remote.begin_anew().await?;
        Ok(Self { container: None, id, address, remote, word, authority })
    }

    /// Leaves it to whoever comes next.
    pub(super) fn leave(self) {
        // What is dropped is removed.
        std::mem::forget(self.container);
    }

    /// Which container it is.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Takes it away.
    pub(super) async fn stop(self) -> Result<(), WorldError> {
        match self.container {
            Some(container) => Ok(container.rm().await?),
            None => Ok(()),
        }
    }
}

/// A word that nobody else knows.
fn word() -> Result<String, WorldError> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}

/// Gives the engine an image with one program in it, unless it has it; its tag.
async fn load(engine: &Engine, program: &Bytes) -> Result<String, WorldError> {
    let digest: String = Sha256::digest(program).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let name = format!("{IMAGE}:{digest}");
    if engine.docker(&["image", "inspect", "--format", "{{.Id}}", &name]).await.is_err() {
        engine.docker_fed(&["load", "--quiet"], &archive(&name, program)?).await?;
    }
    Ok(digest)
}

/// An image as engines load it: the layout that all of them read.
fn archive(name: &str, program: &Bytes) -> Result<Vec<u8>, WorldError> {
    let mut layer = tar::Builder::new(Vec::new());
    append(&mut layer, "fake-outside", program)?;
    let layer = layer.into_inner()?;
    let hex: String = Sha256::digest(&layer).iter().map(|byte| format!("{byte:02x}")).collect();
    let config = json!({
        "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" },
        "os": "linux",
        "config": { "Entrypoint": ["/fake-outside"], "Labels": { LABEL: "image" } },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{hex}")] },
    });
    let manifest = json!([{ "Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"] }]);
    let mut archive = tar::Builder::new(Vec::new());
    append(&mut archive, "config.json", config.to_string().as_bytes())?;
    append(&mut archive, "layer.tar", &layer)?;
    append(&mut archive, "manifest.json", manifest.to_string().as_bytes())?;
    Ok(archive.into_inner()?)
}

fn append(archive: &mut tar::Builder<Vec<u8>>, path: &str, content: &[u8]) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o755);
    header.set_mtime(0);
    archive.append_data(&mut header, path, content)
}
