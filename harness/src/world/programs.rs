//! The static programs that go into containers.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use fake_network::Layer;

/// The resolver, the registry and the portal.
const OUTSIDE: &str = "fake-outside";
/// All stand-ins.
const WORKLOADS: &str = "fake-workloads";
/// The status service.
const STATUS: &str = "appliance-status";
/// The first bytes of what Linux runs.
const ELF: &[u8] = b"\x7fELF";

/// Where the programs are.
#[derive(Debug, Clone)]
pub(in crate::world) struct Programs {
    directory: PathBuf,
}

impl fmt::Display for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.directory.display())
    }
}

impl Programs {
    /// Those of a directory, all of which must be there.
    pub(in crate::world) fn find(directory: &Path) -> Result<Self, String> {
        for name in [OUTSIDE, WORKLOADS, STATUS] {
            let path = directory.join(name);
            match fs::read(&path) {
                Ok(bytes) if bytes.starts_with(ELF) => {}
                Ok(_) => return Err(format!("{} is no Linux program", path.display())),
                Err(error) => return Err(format!("{}: {error}", path.display())),
            }
        }
        Ok(Self { directory: directory.to_owned() })
    }

    /// The world outside, as a program.
    pub(in crate::world) fn outside(&self) -> std::io::Result<Bytes> {
        self.read(OUTSIDE)
    }

    /// The stand-ins, under each of these names.
    pub(in crate::world) fn workloads(&self, names: &[String]) -> std::io::Result<Layer> {
        let link = |name: &String| (format!("bin/{name}"), WORKLOADS.to_owned());
        let links: BTreeMap<String, String> = names.iter().map(link).collect();
        Ok(self.layer(WORKLOADS)?.with_links(links))
    }

    /// The status service; another program in its place where one is named.
    pub(in crate::world) fn status(&self) -> std::io::Result<Layer> {
        self.layer(STATUS)
    }

    fn layer(&self, name: &str) -> std::io::Result<Layer> {
        Ok(Layer::new(BTreeMap::from([(format!("bin/{name}"), self.read(name)?)])))
    }

    fn read(&self, name: &str) -> std::io::Result<Bytes> {
        fs::read(self.directory.join(name)).map(Bytes::from)
    }
}
