//! The documents that the status service serves, field by field.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Blocker, Rollup, RollupState, Tiers};

/// Answer of `GET /api/status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusDocument {
    /// Always `appliance-status`.
    pub service: String,
    /// Same as `rollup.state`.
    pub status: RollupState,
    /// Site, where it was told.
    pub site_id: Option<String>,
    /// API time of the assessment; unknown before the API was heard.
    pub timestamp: Option<Timestamp>,
    /// What was selected, and what was fetched.
    pub release: ReleaseSummary,
    /// Addresses for people.
    pub urls: Urls,
    /// Same as `urls.loginUrl`.
    pub login_url: Option<String>,
    /// The one word.
    pub rollup: Rollup,
    /// Same as `rollup.state`.
    pub current_phase: RollupState,
    /// Same as `rollup.nextAction`.
    pub next_action: String,
    /// Readiness in steps.
    pub tiers: Tiers,
    /// Causes, root first.
    pub top_blockers: Vec<Blocker>,
    /// What is under way.
    pub active_operations: Vec<ActiveOperation>,
    /// The nine services.
    pub components: Vec<ComponentStatus>,
    /// Set-up of the database.
    pub bootstrap: Bootstrap,
    /// Newest events, at most twenty.
    pub recent_events: Vec<EventSummary>,
    /// What the login page answered.
    pub login_probe: LoginProbe,
    /// What can and cannot be read.
    pub collector: Collector,
}

/// Selected release and fetched source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseSummary {
    /// `releaseVersion` of the selection.
    pub selected_release_version: Option<String>,
    /// `appVersion` of the selection.
    pub app_version: Option<String>,
    /// Same as `selectedChannel`.
    pub channel: Option<String>,
    /// `selectedChannel` of the selection.
    pub selected_channel: Option<String>,
    /// Revision of a Git source.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub git_revision: Option<String>,
    /// Revision of the source artifact.
    pub source_revision: Option<String>,
    /// Digest of the selected manifest.
    pub manifest_digest: Option<String>,
    /// Registry of the selection.
    pub registry_host: Option<String>,
    /// Repository of the selection.
    pub repository: Option<String>,
}

/// Addresses for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Urls {
    /// This service.
    pub status_url: Option<String>,
    /// The app.
    pub login_url: Option<String>,
}

/// What an active operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// The node fetches an image.
    PullingImage,
    /// Flux works on a release.
    Reconciling,
}

/// Something under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActiveOperation {
    /// For whom.
    pub component: String,
    /// What.
    pub operation: Operation,
    /// Image that is pulled.
    pub image: Option<String>,
    /// Size of the image where it is known.
    pub estimated_compressed_bytes: Option<u64>,
    /// The same for people.
    pub estimated_size_human: Option<String>,
    /// Always null.
    pub progress_percent: Option<u8>,
    /// Always false.
    pub progress_available: bool,
    /// Why there is no progress in per cent.
    pub progress_reason: String,
    /// Since when.
    pub started_at: Option<Timestamp>,
    /// For how long.
    pub elapsed_seconds: Option<i64>,
    /// In words.
    pub message: String,
}

/// One of the nine services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentStatus {
    /// Name.
    pub name: String,
    /// Tier.
    pub tier: crate::ComponentTier,
    /// Whether all replicas of the current generation are ready.
    pub ready: bool,
    /// `healthy`, `progressing`, `degraded` or `unknown`.
    pub status: String,
    /// In words.
    pub message: String,
    /// Namespace.
    pub namespace: String,
}

/// Set-up of the database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// Newest job.
    pub job: BootstrapJob,
    /// Its log.
    pub logs: BootstrapLogs,
    /// What it left.
    pub seed: BootstrapSeed,
}

/// Newest bootstrap job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootstrapJob {
    /// `absent`, `pending`, `running`, `complete` or `failed`.
    pub state: String,
    /// A run against this volume succeeded, even if its job is gone.
    pub completed: bool,
    /// The newest run failed.
    pub failed: bool,
    /// Name of the job.
    pub name: Option<String>,
}

/// Log of the newest bootstrap job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BootstrapLogs {
    /// Whether a log was read.
    pub available: bool,
    /// From which pod.
    pub pod: Option<String>,
    /// From which container.
    pub container: Option<String>,
    /// Last lines.
    pub tail: Vec<String>,
    /// Lines that tell an error.
    pub detected_errors: Vec<String>,
}

/// Users that bootstrap left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BootstrapSeed {
    /// How many, where it is known.
    pub users_count: Option<u64>,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventSummary {
    /// Namespace.
    pub namespace: String,
    /// Reason.
    pub reason: String,
    /// `Normal` or `Warning`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Message.
    pub message: String,
    /// Last seen.
    pub last_timestamp: Option<Timestamp>,
    /// About what.
    pub involved_object: InvolvedObject,
}

/// Object that an event is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvolvedObject {
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
}

/// What the login page answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoginProbe {
    /// Whether it was asked.
    pub checked: bool,
    /// Whether the answer lets people log in.
    pub reachable: bool,
    /// HTTP status.
    pub status_code: Option<u16>,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// Why there was no answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
}

/// What can and cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Collector {
    /// Every kind was listed once.
    pub complete: bool,
    /// Kinds that were not listed yet.
    pub pending: Vec<String>,
    /// Kinds that cannot be read, and why.
    pub failures: Vec<ReadFailure>,
}

/// A read that fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadFailure {
    /// What is read.
    pub kind: String,
    /// Why it fails.
    pub error: String,
}

/// Answer of `GET /api/overview`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// Same as `rollup.state`.
    pub install_state: RollupState,
    /// Same as `rollup.state`.
    pub current_phase: RollupState,
    /// The app.
    pub login_url: Option<String>,
    /// What to do next.
    pub next_action: String,
    /// In words.
    pub message: String,
    /// API time of the assessment.
    pub timestamp: Option<Timestamp>,
}

impl From<&StatusDocument> for Overview {
    fn from(document: &StatusDocument) -> Self {
        Self {
            install_state: document.status,
            current_phase: document.current_phase,
            login_url: document.login_url.clone(),
            next_action: document.next_action.clone(),
            message: document.rollup.message.clone(),
            timestamp: document.timestamp,
        }
    }
}

/// Answer of `GET /api/diagnostics`: the status document and more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostics {
    /// The status document.
    #[serde(flatten)]
    pub status: StatusDocument,
    /// Flux objects.
    pub flux: FluxSummary,
    /// How to get a bundle for support.
    pub support_bundle: BTreeMap<String, String>,
}

/// Flux objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FluxSummary {
    /// The source, where there is one.
    pub source: Option<FluxObject>,
    /// Kustomizations.
    pub kustomizations: Vec<FluxObject>,
    /// Releases.
    pub helm_releases: Vec<FluxObject>,
}

/// A Flux object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FluxObject {
    /// Kind.
    pub kind: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Applied or fetched revision.
    pub revision: Option<String>,
    /// Conditions.
    pub conditions: Vec<FluxCondition>,
}

/// A condition of a Flux object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FluxCondition {
    /// Type.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Reason.
    pub reason: String,
    /// Message.
    pub message: String,
}
