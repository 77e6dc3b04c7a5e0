//! The content: blobs by digest, and per repository its manifests and tags.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bytes::{Bytes, BytesMut};
use serde_json::Value;

use super::name::{Digest, Repository};
use crate::pattern::Pattern;

#[derive(Debug, Default)]
pub(crate) struct Store {
    blobs: HashMap<Digest, Bytes>,
    repositories: BTreeMap<Repository, Shelf>,
    uploads: HashMap<String, Upload>,
    last_upload: u64,
}

/// What one repository has.
#[derive(Debug, Default)]
struct Shelf {
    blobs: HashSet<Digest>,
    manifests: BTreeMap<Digest, Manifest>,
    tags: BTreeMap<String, Digest>,
}

#[derive(Debug, Clone)]
pub(crate) struct Manifest {
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
    /// The content that it names.
    children: Vec<Digest>,
    /// The manifest that it is about.
    pub(crate) subject: Option<Digest>,
}

impl Manifest {
    pub(crate) fn read(media_type: &str, bytes: Bytes) -> Result<Self, serde_json::Error> {
        let value: Value = serde_json::from_slice(&bytes)?;
        let media_type = value["mediaType"].as_str().unwrap_or(media_type).to_owned();
        let listed = |key: &str| value[key].as_array().into_iter().flatten().collect::<Vec<_>>();
        let children = std::iter::once(&value["config"])
            .chain(listed("layers"))
            .chain(listed("manifests"))
            .filter_map(descriptor_digest)
            .collect();
        let subject = descriptor_digest(&value["subject"]);
        Ok(Self { media_type, bytes, children, subject })
    }
}

fn descriptor_digest(descriptor: &Value) -> Option<Digest> {
    Digest::parse(descriptor["digest"].as_str()?)
}

/// A blob that a client is sending.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) repository: Repository,
    pub(crate) bytes: BytesMut,
}

impl Store {
    pub(crate) fn knows(&self, repository: &Repository) -> bool {
        self.repositories.contains_key(repository)
    }

    pub(crate) fn blob(&self, repository: &Repository, digest: &Digest) -> Option<Bytes> {
        let shelf = self.repositories.get(repository)?;
        shelf.blobs.get(digest).and_then(|digest| self.blobs.get(digest)).cloned()
    }

    pub(crate) fn put_blob(&mut self, repository: &Repository, bytes: Bytes) -> Digest {
        let digest = Digest::of(&bytes);
        self.blobs.entry(digest.clone()).or_insert(bytes);
        self.shelf(repository).blobs.insert(digest.clone());
        digest
    }

    /// Lets one repository have a blob of another; whether that other has it.
    pub(crate) fn mount_blob(&mut self, repository: &Repository, from: &Repository, digest: &Digest) -> bool {
        let has = self.blob(from, digest).is_some();
        if has {
            self.shelf(repository).blobs.insert(digest.clone());
        }
        has
    }

    pub(crate) fn remove_blob(&mut self, repository: &Repository, digest: &Digest) -> bool {
        self.repositories.get_mut(repository).is_some_and(|shelf| shelf.blobs.remove(digest))
    }

    /// The manifest of a tag or a digest.
    pub(crate) fn manifest(&self, repository: &Repository, reference: &str) -> Option<(&Digest, &Manifest)> {
        let shelf = self.repositories.get(repository)?;
        let digest = Digest::parse(reference).or_else(|| shelf.tags.get(reference).cloned())?;
        shelf.manifests.get_key_value(&digest)
    }

    pub(crate) fn put_manifest(&mut self, repository: &Repository, manifest: Manifest) -> Digest {
        let digest = Digest::of(&manifest.bytes);
        self.shelf(repository).manifests.insert(digest.clone(), manifest);
        digest
    }

    /// The first thing that a manifest names and the repository lacks.
    pub(crate) fn lacks(&self, repository: &Repository, manifest: &Manifest) -> Option<Digest> {
        let shelf = self.repositories.get(repository);
        let has = |digest: &&Digest| {
            shelf.is_some_and(|shelf| shelf.blobs.contains(*digest) || shelf.manifests.contains_key(*digest))
        };
        manifest.children.iter().find(|digest| !has(digest)).cloned()
    }

    /// Takes a manifest out, and its tags.
    pub(crate) fn remove_manifest(&mut self, repository: &Repository, digest: &Digest) -> bool {
        let Some(shelf) = self.repositories.get_mut(repository) else { return false };
        shelf.tags.retain(|_, tagged| tagged != digest);
        shelf.manifests.remove(digest).is_some()
    }

    pub(crate) fn tag(&self, repository: &Repository, tag: &str) -> Option<&Digest> {
        self.repositories.get(repository)?.tags.get(tag)
    }

    pub(crate) fn set_tag(&mut self, repository: &Repository, tag: &str, digest: Digest) {
        self.shelf(repository).tags.insert(tag.to_owned(), digest);
    }

    pub(crate) fn remove_tag(&mut self, repository: &Repository, tag: &str) -> Option<Digest> {
        self.repositories.get_mut(repository)?.tags.remove(tag)
    }

    pub(crate) fn tags(&self, repository: &Repository) -> Option<Vec<String>> {
        Some(self.repositories.get(repository)?.tags.keys().cloned().collect())
    }

    /// Every tag of every repository.
    pub(crate) fn all_tags(&self) -> impl Iterator<Item = (&Repository, &str, &Digest)> {
        self.repositories.iter().flat_map(|(repository, shelf)| {
            shelf.tags.iter().map(move |(tag, digest)| (repository, tag.as_str(), digest))
        })
    }

    /// The manifests about another one.
    pub(crate) fn referrers(&self, repository: &Repository, subject: &Digest) -> Vec<(&Digest, &Manifest)> {
        let shelf = self.repositories.get(repository);
        let manifests = shelf.into_iter().flat_map(|shelf| &shelf.manifests);
        manifests.filter(|(_, manifest)| manifest.subject.as_ref() == Some(subject)).collect()
    }

    /// Whether a tag that fits leads to this content.
    pub(crate) fn reaches(&self, repository: &Repository, tag: &Pattern, content: &Digest) -> bool {
        let Some(shelf) = self.repositories.get(repository) else { return false };
        let mut open: Vec<&Digest> =
            shelf.tags.iter().filter(|(name, _)| tag.matches(name)).map(|(_, digest)| digest).collect();
        let mut seen = BTreeSet::new();
        while let Some(digest) = open.pop() {
            if digest == content {
                return true;
            }
            if seen.insert(digest) {
                open.extend(shelf.manifests.get(digest).into_iter().flat_map(|manifest| &manifest.children));
            }
        }
        false
    }

    pub(crate) fn begin_upload(&mut self, repository: Repository) -> String {
        self.last_upload += 1;
        let id = format!("{:016x}", self.last_upload);
        self.uploads.insert(id.clone(), Upload { repository, bytes: BytesMut::new() });
        id
    }

    pub(crate) fn upload(&mut self, repository: &Repository, id: &str) -> Option<&mut Upload> {
        self.uploads.get_mut(id).filter(|upload| upload.repository == *repository)
    }

    pub(crate) fn end_upload(&mut self, repository: &Repository, id: &str) -> Option<Upload> {
        self.upload(repository, id)?;
        self.uploads.remove(id)
    }

    fn shelf(&mut self, repository: &Repository) -> &mut Shelf {
        self.repositories.entry(repository.clone()).or_default()
    }
}
