//! The side where the resolvers and the registry are.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{Answer, Ask, Line, ToRegistry, ToResolver, Which};
use crate::dns::DnsControl;
use crate::registry::{Digest, Package, RegistryControl};

/// What is served, and the word by which those are known who may ask.
#[derive(Debug, Clone)]
pub struct Served {
    /// The site's resolver.
    pub site: DnsControl,
    /// The resolver that everybody can use.
    pub public: DnsControl,
    /// The registry.
    pub registry: RegistryControl,
    /// The word.
    pub word: String,
}

/// Answers everybody who knows the word, until the listener fails.
///
/// # Errors
/// The listener's.
pub async fn serve(listener: TcpListener, served: Served) -> io::Result<()> {
    let desk = Arc::new(Desk { served, kept: Mutex::default() });
    loop {
        let (stream, _) = listener.accept().await?;
        let desk = Arc::clone(&desk);
        tokio::spawn(async move {
            if let Err(error) = desk.attend(stream).await {
                tracing::debug!(%error, "attend to whoever asks");
            }
        });
    }
}

struct Desk {
    served: Served,
    kept: Mutex<BTreeMap<String, Bytes>>,
}

impl Desk {
    async fn attend(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        while let Some(text) = lines.next_line().await? {
            let Ok(line) = serde_json::from_str::<Line>(&text) else { return Ok(()) };
            if line.word != self.served.word {
                return Ok(());
            }
            let answer = match self.answer(line.ask).await {
                Ok(value) => Answer::Done(value),
                Err(reason) => Answer::Failed(reason),
            };
            let mut bytes = serde_json::to_vec(&answer)?;
            bytes.push(b'\n');
            write.write_all(&bytes).await?;
        }
        Ok(())
    }

    async fn answer(&self, ask: Ask) -> Result<Value, String> {
        match ask {
            Ask::Resolver(Which::Site, ask) => resolver(&self.served.site, ask).await,
            Ask::Resolver(Which::Public, ask) => resolver(&self.served.public, ask).await,
            Ask::Registry(ask) => self.registry(ask).await,
            Ask::Keep(encoded) => {
                let bytes = STANDARD.decode(encoded).map_err(|error| error.to_string())?;
                let digest = Digest::of(&bytes);
                self.kept().insert(digest.to_string(), bytes.into());
                told(&digest)
            }
            Ask::BeginAnew => told(&self.begin_anew().await.map_err(|error| error.to_string())?),
            Ask::Kept(asked) => {
                let kept = self.kept();
                told(&asked.into_iter().filter(|it| kept.contains_key(it.as_str())).collect::<Vec<_>>())
            }
        }
    }

    async fn registry(&self, ask: ToRegistry) -> Result<Value, String> {
        let registry = &self.served.registry;
        match ask {
            ToRegistry::Inject(fault) => told(&registry.inject(fault).await),
            ToRegistry::Heal(id) => told(&registry.heal(id).await.map_err(|error| error.to_string())?),
            ToRegistry::Faults => told(&registry.faults()),
            ToRegistry::Receipts => told(&registry.receipts()),
            ToRegistry::Probe => told(&registry.probe().await),
            ToRegistry::Probes => told(&registry.probes()),
            ToRegistry::TagDigest { repository, tag } => told(&registry.tag_digest(&repository, &tag)),
            ToRegistry::Push { repository, tag, manifest, blobs } => {
                let blobs = self.blobs(&blobs)?;
                let package = Package { blobs, manifest: manifest.into() };
                let pushed = registry.push_package(&repository, &tag, package);
                told(&pushed.map_err(|error| error.to_string())?)
            }
        }
    }

    async fn begin_anew(&self) -> io::Result<()> {
        self.served.site.begin_anew().await?;
        self.served.public.begin_anew().await?;
        self.served.registry.begin_anew().await
    }

    fn blobs(&self, digests: &[Digest]) -> Result<Vec<Bytes>, String> {
        let kept = self.kept();
        let find = |it: &Digest| kept.get(it.as_str()).cloned().ok_or_else(|| format!("{it} is not kept"));
        digests.iter().map(find).collect()
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn resolver(control: &DnsControl, ask: ToResolver) -> Result<Value, String> {
    match ask {
        ToResolver::Set(name, addresses) => {
            control.set(&name, addresses);
            Ok(Value::Null)
        }
        ToResolver::Inject(fault) => told(&control.inject(fault).await),
        ToResolver::Heal(id) => told(&control.heal(id).await.map_err(|error| error.to_string())?),
        ToResolver::Faults => told(&control.faults()),
        ToResolver::Receipts => told(&control.receipts()),
        ToResolver::Probe => told(&control.probe().await),
        ToResolver::Probes => told(&control.probes()),
    }
}

fn told<T: Serialize>(what: &T) -> Result<Value, String> {
    serde_json::to_value(what).map_err(|error| error.to_string())
}
