//! The ways to a resolver and to a registry, wherever these run.

use std::io;

use fake_network::{
    Digest, DnsControl, DnsFault, DnsReceipt, FaultId, FluxArtifact, HelmChart, ImageSpec, PortProbe,
    RegistryControl, RegistryFault, RegistryReceipt,
};

use crate::world::WorldError;

/// The way to the site's resolver. Clones lead to the same one.
#[derive(Debug, Clone)]
pub(in crate::world) enum Resolver {
    /// One of this process.
    Here(DnsControl),
}

impl Resolver {
    /// Puts a fault in force; it is in force when this returns.
    pub(in crate::world) async fn inject(&self, fault: DnsFault) -> Result<FaultId, WorldError> {
        match self {
            Self::Here(control) => Ok(control.inject(fault).await),
        }
    }

    /// Takes a fault away.
    pub(in crate::world) async fn heal(&self, id: FaultId) -> Result<(), WorldError> {
        match self {
            Self::Here(control) => control.heal(id).await.map_err(io::Error::into),
        }
    }

    /// The faults in force, oldest first.
    pub(in crate::world) async fn faults(&self) -> Result<Vec<(FaultId, DnsFault)>, WorldError> {
        match self {
            Self::Here(control) => Ok(control.faults()),
        }
    }

    /// Every question so far.
    pub(in crate::world) async fn receipts(&self) -> Result<Vec<DnsReceipt>, WorldError> {
        match self {
            Self::Here(control) => Ok(control.receipts()),
        }
    }

    /// Knocks at the port, if it is closed, as a client would.
    pub(in crate::world) async fn probe(&self) -> Result<Vec<PortProbe>, WorldError> {
        match self {
            Self::Here(control) => Ok(control.probe().await),
        }
    }

    /// What every knock at the closed port met so far.
    pub(in crate::world) async fn probes(&self) -> Result<Vec<PortProbe>, WorldError> {
        match self {
            Self::Here(control) => Ok(control.probes()),
        }
    }
}

/// The way to the registries, in which images, charts and configurations are. Clones lead to the same ones.
#[derive(Debug, Clone)]
pub(in crate::world) enum Images {
    /// Those of this process.
    Here(RegistryControl),
}

impl Images {
    /// Puts a fault in force; it is in force when this returns.
    pub(in crate::world) async fn inject(&self, fault: RegistryFault) -> Result<FaultId, WorldError> {
        match self {
            Self::Here(control) => Ok(control.inject(fault).await),
        }
    }

    /// Takes a fault away.
    pub(in crate::world) async fn heal(&self, id: FaultId) -> Result<(), WorldError> {
        match self {
            Self::Here(control) => control.heal(id).await.map_err(io::Error::into),
        }
    }

    /// The faults in force, oldest first.
    pub(in crate::world) async fn faults(&self) -> Result<Vec<(FaultId, RegistryFault)>, WorldError> {
        match self {
            Self::Here(control) => Ok(control.faults()),
        }
    }

    /// Every request so far.
    pub(in crate::world) async fn receipts(&self) -> Result<Vec<RegistryReceipt>, WorldError> {
        match self {
            Self::Here(control) => Ok(control.receipts()),
        }
    }

    /// Knocks at the port, if it is closed, as a client would.
    pub(in crate::world) async fn probe(&self) -> Result<Vec<PortProbe>, WorldError> {
        match self {
            Self::Here(control) => Ok(control.probe().await),
        }
    }

    /// What every knock at the closed port met so far.
    pub(in crate::world) async fn probes(&self) -> Result<Vec<PortProbe>, WorldError> {
        match self {
            Self::Here(control) => Ok(control.probes()),
        }
    }

    /// Whether a tag is published.
    pub(in crate::world) async fn tag_exists(&self, repository: &str, tag: &str) -> Result<bool, WorldError> {
        match self {
            Self::Here(control) => Ok(control.tag_exists(repository, tag)),
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
        }
    }
}
