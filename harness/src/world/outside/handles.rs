//! The ways to a resolver and to a registry, wherever these run.

use std::io;

use fake_network::{
    Digest, DnsControl, DnsFault, DnsReceipt, FaultId, FluxArtifact, HelmChart, ImageSpec, Package,
    PortProbe, RegistryControl, RegistryFault, RegistryReceipt, Remote, Which,
};

use crate::world::WorldError;

/// The way to the site's resolver. Clones lead to the same one.
#[derive(Debug, Clone)]
pub(in crate::world) enum Resolver {
    /// One of this process.
    Here(DnsControl),
    /// One that runs elsewhere.
    There(Remote),
}

impl Resolver {
    /// Puts a fault in force; it is in force when this returns.
    pub(in crate::world) async fn inject(&self, fault: DnsFault) -> Result<FaultId, WorldError> {
        match self {
            Self::Here(control) => Ok(control.inject(fault).await),
            Self::There(remote) => Ok(remote.inject_dns(Which::Site, fault).await?),
        }
    }

    /// Takes a fault away.
    pub(in crate::world) async fn heal(&self, id: FaultId) -> Result<(), WorldError> {
        match self {
            Self::Here(control) => control.heal(id).await.map_err(io::Error::into),
            Self::There(remote) => Ok(remote.heal_dns(Which::Site, id).await?),
        }
    }

    /// The faults in force, oldest first.
    pub(in crate::world) async fn faults(&self) -> Result<Vec<(FaultId, DnsFault)>, WorldError> {
        match self {
            Self::Here(control) => Ok(control.faults()),
            Self::There(remote) => Ok(remote.dns_faults(Which::Site).await?),
        }
    }

    /// Every question so far.
    pub(in crate::world) async fn receipts(&self) -> Result<Vec<DnsReceipt>, WorldError> {
        match self {
            Self::Here(control) => Ok(control.receipts()),
            Self::There(remote) => Ok(remote.dns_receipts(Which::Site).await?),
        }
    }

    /// Knocks at the port, if it is closed, as a client would.
    pub(in crate::world) async fn probe(&self) -> Result<Vec<PortProbe>, WorldError> {
        match self {
            Self::Here(control) => Ok(control.probe().await),
            Self::There(remote) => Ok(remote.probe_dns(Which::Site).await?),
        }
    }

    /// What every knock at the closed port met so far.
    pub(in crate::world) async fn probes(&self) -> Result<Vec<PortProbe>, WorldError> {
        match self {
            Self::Here(control) => Ok(control.probes()),
            Self::There(remote) => Ok(remote.dns_probes(Which::Site).await?),
        }
    }
}

/// The way to the registries, in which images, charts and configurations are. Clones lead to the same ones.
#[derive(Debug, Clone)]
pub(in crate::world) enum Images {
    /// Those of this process.
    Here(RegistryControl),
    /// Those that run elsewhere.
    There(Remote),
}

impl Images {
    /// Puts a fault in force; it is in force when this returns.
    pub(in crate::world) async fn inject(&self, fault: RegistryFault) -> Result<FaultId, WorldError> {
        match self {
            Self::Here(control) => Ok(control.inject(fault).await),
            Self::There(remote) => Ok(remote.inject_registry(fault).await?),
        }
    }

    /// Takes a fault away.
    pub(in crate::world) async fn heal(&self, id: FaultId) -> Result<(), WorldError> {
        match self {
            Self::Here(control) => control.heal(id).await.map_err(io::Error::into),
            Self::There(remote) => Ok(remote.heal_registry(id).await?),
        }
    }

    /// The faults in force, oldest first.
    pub(in crate::world) async fn faults(&self) -> Result<Vec<(FaultId, RegistryFault)>, WorldError> {
        match self {
            Self::Here(control) => Ok(control.faults()),
            Self::There(remote) => Ok(remote.registry_faults().await?),
        }
    }

    /// Every request so far.
    pub(in crate::world) async fn receipts(&self) -> Result<Vec<RegistryReceipt>, WorldError> {
        match self {
            Self::Here(control) => Ok(control.receipts()),
            Self::There(remote) => Ok(remote.registry_receipts().await?),
        }
    }

    /// Knocks at the port, if it is closed, as a client would.
    pub(in crate::world) async fn probe(&self) -> Result<Vec<PortProbe>, WorldError> {
        match self {
            Self::Here(control) => Ok(control.probe().await),
            Self::There(remote) => Ok(remote.probe_registry().await?),
        }
    }

    /// What every knock at the closed port met so far.
    pub(in crate::world) async fn probes(&self) -> Result<Vec<PortProbe>, WorldError> {
        match self {
            Self::Here(control) => Ok(control.probes()),
            Self::There(remote) => Ok(remote.registry_probes().await?),
        }
    }

    /// Whether a tag is published.
    pub(in crate::world) async fn tag_exists(&self, repository: &str, tag: &str) -> Result<bool, WorldError> {
        match self {
            Self::Here(control) => Ok(control.tag_exists(repository, tag)),
            Self::There(remote) => Ok(remote.tag_digest(repository, tag).await?.is_some()),
        }
    }

    /// Publishes an image.
    pub(in crate::world) async fn push_image(
        &self,
        repository: &str,
        tag: &str,
        spec: &ImageSpec,
    ) -> Result<Digest, WorldError> {
        match self {
            Self::Here(control) => Ok(control.push_image(repository, tag, spec)?),
            Self::There(remote) => {
                Ok(remote.push(repository, tag, &Package::image(repository, spec)?).await?)
            }
        }
    }

    /// Publishes a configuration.
    pub(in crate::world) async fn push_flux(
        &self,
        repository: &str,
        tag: &str,
        artifact: &FluxArtifact,
    ) -> Result<Digest, WorldError> {
        match self {
            Self::Here(control) => Ok(control.push_flux(repository, tag, artifact)?),
            Self::There(remote) => Ok(remote.push(repository, tag, &Package::flux(artifact)?).await?),
        }
    }

    /// Publishes a chart.
    pub(in crate::world) async fn push_chart(
        &self,
        repository: &str,
        chart: &HelmChart,
    ) -> Result<Digest, WorldError> {
        match self {
            Self::Here(control) => Ok(control.push_chart(repository, chart)?),
            Self::There(remote) => Ok(remote.push(repository, &chart.tag(), &Package::chart(chart)).await?),
        }
    }
}
