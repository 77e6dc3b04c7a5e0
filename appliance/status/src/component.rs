//! The nine services, the releases that install them, and who needs whom.

use serde::{Deserialize, Serialize};

/// Tier of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComponentTier {
    /// What login needs beneath the app.
    Core,
    /// The app itself.
    Login,
    /// What may fail without closing the door.
    Background,
}

/// Kind of the object that stands for a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkloadKind {
    /// `apps/v1` Deployment.
    Deployment,
    /// `apps/v1` StatefulSet.
    StatefulSet,
    /// `apps/v1` DaemonSet.
    DaemonSet,
}

impl WorkloadKind {
    /// Kind as Kubernetes writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
        }
    }
}

/// One of the nine services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// PostgreSQL.
    Db,
    /// Redis.
    Redis,
    /// Connection pool.
    Pgbouncer,
    /// The app.
    AlgaCore,
    /// Temporal server.
    Temporal,
    /// Temporal's page.
    TemporalUi,
    /// Worker of workflows.
    WorkflowWorker,
    /// Mail.
    EmailService,
    /// Worker of Temporal.
    TemporalWorker,
}

impl Component {
    /// All nine, in the order in which the document lists them.
    pub const ALL: [Self; 9] = [
        Self::AlgaCore,
        Self::Db,
        Self::Redis,
        Self::Pgbouncer,
        Self::Temporal,
        Self::TemporalUi,
        Self::WorkflowWorker,
        Self::EmailService,
        Self::TemporalWorker,
    ];

    /// Name in the document.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Db => "db",
            Self::Redis => "redis",
            Self::Pgbouncer => "pgbouncer",
            Self::AlgaCore => "alga-core",
            Self::Temporal => "temporal",
            Self::TemporalUi => "temporal-ui",
            Self::WorkflowWorker => "workflow-worker",
            Self::EmailService => "email-service",
            Self::TemporalWorker => "temporal-worker",
        }
    }

    /// Kind of its object in namespace `msp`.
    #[must_use]
    pub const fn kind(self) -> WorkloadKind {
        match self {
            Self::Db | Self::Redis => WorkloadKind::StatefulSet,
            _ => WorkloadKind::Deployment,
        }
    }

    /// Name of its object in namespace `msp`.
    #[must_use]
    pub const fn object_name(self) -> &'static str {
        match self {
            Self::AlgaCore => "alga-core-sebastian",
            other => other.name(),
        }
    }

    /// Its tier.
    #[must_use]
    pub const fn tier(self) -> ComponentTier {
        match self {
            Self::AlgaCore => ComponentTier::Login,
            Self::Db | Self::Redis | Self::Pgbouncer => ComponentTier::Core,
            _ => ComponentTier::Background,
        }
    }

    /// HelmRelease that installs it.
    #[must_use]
    pub const fn release(self) -> &'static str {
        match self {
            Self::Db | Self::Redis | Self::AlgaCore => "alga-core",
            Self::Temporal | Self::TemporalUi => "temporal",
            other => other.name(),
        }
    }

    /// Components it cannot work without.
    #[must_use]
    pub const fn needs(self) -> &'static [Self] {
        match self {
            Self::Db | Self::Redis => &[],
            Self::Pgbouncer | Self::Temporal => &[Self::Db],
            Self::AlgaCore => &[Self::Db, Self::Redis],
            Self::TemporalUi => &[Self::Temporal],
            Self::WorkflowWorker | Self::TemporalWorker => {
                &[Self::AlgaCore, Self::Db, Self::Redis, Self::Pgbouncer, Self::Temporal]
            }
            Self::EmailService => &[Self::AlgaCore, Self::Db, Self::Redis, Self::Pgbouncer],
        }
    }

    /// Whether it cannot work without `other`, directly or not.
    #[must_use]
    pub fn depends_on(self, other: Self) -> bool {
        self.needs().iter().any(|need| *need == other || need.depends_on(other))
    }

    /// The component of that object in namespace `msp`.
    #[must_use]
    pub fn of_object(kind: WorkloadKind, name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.kind() == kind && it.object_name() == name)
    }
}

/// An expected HelmRelease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its name in namespace `alga-system`.
    pub name: &'static str,
    /// Kustomization that applies it.
    pub kustomization: &'static str,
    /// Releases that must be Ready before it.
    pub needs: &'static [&'static str],
}

impl Release {
    /// The expected release of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        RELEASES.iter().find(|release| release.name == name)
    }

    /// Whether it waits for `other`, directly or not.
    #[must_use]
    pub fn depends_on(&self, other: &str) -> bool {
        self.needs
            .iter()
            .any(|need| *need == other || Self::named(need).is_some_and(|it| it.depends_on(other)))
    }

    /// Whether login waits for it.
    #[must_use]
    pub fn is_core(&self) -> bool {
        self.kustomization == "alga-core"
    }
}

/// Every expected HelmRelease.
pub const RELEASES: &[Release] = &[
    Release { name: "alga-core", kustomization: "alga-core", needs: &[] },
    Release { name: "pgbouncer", kustomization: "alga-core", needs: &["alga-core"] },
    Release { name: "temporal", kustomization: "alga-background", needs: &["alga-core"] },
    Release {
        name: "workflow-worker",
        kustomization: "alga-background",
        needs: &["alga-core", "pgbouncer", "temporal"],
    },
    Release { name: "email-service", kustomization: "alga-background", needs: &["alga-core", "pgbouncer"] },
    Release {
        name: "temporal-worker",
        kustomization: "alga-background",
        needs: &["alga-core", "pgbouncer", "temporal"],
    },
];

#[cfg(test)]
mod tests {
    use super::{Component, Release, WorkloadKind};

    #[test]
    fn the_app_is_found_by_the_name_of_its_deployment() {
        let found = Component::of_object(WorkloadKind::Deployment, "alga-core-sebastian");
        assert_eq!(found, Some(Component::AlgaCore));
        assert_eq!(Component::of_object(WorkloadKind::Deployment, "db"), None);
    }

    #[test]
    fn every_component_belongs_to_an_expected_release() {
        for component in Component::ALL {
            assert!(Release::named(component.release()).is_some(), "{component:?}");
        }
    }

    #[test]
    fn the_page_of_temporal_needs_the_database_through_temporal() {
        assert!(Component::TemporalUi.depends_on(Component::Db));
        assert!(!Component::Db.depends_on(Component::TemporalUi));
    }
}
