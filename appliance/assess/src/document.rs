//! Everything together: facts to document.

use std::collections::BTreeMap;

use appliance_status_model::{
    ActiveOperation, Blocker, Collector, Component, ComponentStatus, EventSummary, FluxCondition, FluxObject,
    FluxSummary, InvolvedObject, LoginProbe, ReadFailure, ReleaseSummary, Rollup, RollupState, Severity,
    StatusDocument, Tiers, Urls,
};
use jiff::Timestamp;

use crate::causes::{Root, sorted};
use crate::detect;
use crate::facts::{EventFact, FluxFact, Knowledge, ObjectKey, ReadState};
use crate::held;
use crate::memory::Memory;
use crate::operations;
use crate::probe::is_reachable;
use crate::tiers::{Readiness, blocks_login};
use crate::values::ReleaseValues;
use crate::view::View;

const RECENT_EVENTS: usize = 20;

/// What the facts mean at that moment.
pub fn assess(known: &Knowledge, memory: &mut Memory, now: Timestamp) -> StatusDocument {
    memory.begin();
    let login_url = login_url(known);
    note_probe(known, login_url.as_deref(), memory, now);
    let view = View::new(known, memory, now);
    let findings = detect::run(&view);
    let ripe = memory.ripe(&findings, now);
    let (findings, ripe) = held::hold(memory, &view, findings, ripe);
    let (mut roots, explained) = sorted(findings, ripe);
    roots.retain(|root| memory.stands_alone(&root.finding, now));
    memory.note_explained(explained, now);
    let readiness = Readiness::of(&view, login_url.as_deref());
    memory.login_was_ready |= readiness.login;
    let blocks = |root: &Root| blocks_login(root, readiness, memory.login_was_ready);
    roots.sort_by_key(|root| !blocks(root));
    let tiers = readiness.tiers(&roots);
    let something_failed = ["OCIRepository", "GitRepository", "Kustomization", "HelmRelease"]
        .iter()
        .any(|kind| view.failed(kind).next().is_some());
    let blockers: Vec<Blocker> = roots.into_iter().map(|root| blocker(blocks(&root), root)).collect();
    let collector = collector(known);
    let rollup = rollup(&tiers, &blockers, something_failed, &collector, login_url.as_deref());
    StatusDocument {
        service: "appliance-status".into(),
        status: rollup.state,
        site_id: known.site.site_id.clone().or_else(|| selected(known, "siteId")),
        timestamp: Some(now),
        release: release(known, &view),
        urls: Urls { status_url: known.site.status_url.clone(), login_url: login_url.clone() },
        login_probe: login_probe(known, login_url.as_deref()),
        login_url,
        current_phase: rollup.state,
        next_action: rollup.next_action.clone(),
        active_operations: operations::active(&view),
        components: Component::ALL.into_iter().map(|it| component(&view, it, &blockers)).collect(),
        bootstrap: view.bootstrap.document(),
        recent_events: recent_events(known),
        collector,
        top_blockers: blockers,
        rollup,
        tiers,
    }
}

/// The Flux objects for the diagnostics page.
#[must_use]
pub fn flux_summary(known: &Knowledge) -> FluxSummary {
    let object = |(key, fact): (&ObjectKey, &FluxFact)| FluxObject {
        kind: fact.kind.clone(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        revision: fact.revision.clone(),
        conditions: fact
            .conditions
            .iter()
            .map(|it| FluxCondition {
                kind: it.kind.clone(),
                status: it.status.as_str().into(),
                reason: it.reason.clone(),
                message: it.message.clone(),
            })
            .collect(),
    };
    FluxSummary {
        source: known.oci_source.iter().chain(&known.git_source).next().map(object),
        kustomizations: known.kustomizations.iter().map(object).collect(),
        helm_releases: known.releases.iter().map(object).collect(),
    }
}

fn note_probe(known: &Knowledge, login_url: Option<&str>, memory: &mut Memory, now: Timestamp) {
    let failing = known.login_probe.as_ref().is_some_and(|it| !is_reachable(it, login_url));
    memory.probe_failing_since = match (failing, memory.probe_failing_since) {
        (false, _) => None,
        (true, since) => since.or(Some(now)),
    };
}

fn blocker(login_blocking: bool, root: Root) -> Blocker {
    let finding = root.finding;
    Blocker {
        code: finding.code,
        severity: if login_blocking { Severity::Critical } else { Severity::Background },
        component: finding.subject.name().to_owned(),
        layer: finding.code.layer().to_owned(),
        reason: finding.reason,
        next_action: finding.next_action,
        login_blocking,
        consequences: root.consequences,
    }
}

fn rollup(
    tiers: &Tiers,
    blockers: &[Blocker],
    something_failed: bool,
    collector: &Collector,
    url: Option<&str>,
) -> Rollup {
    let state = if tiers.full_health.ready {
        RollupState::FullyHealthy
    } else if tiers.login.ready && (!blockers.is_empty() || something_failed) {
        RollupState::ReadyWithBackgroundIssues
    } else if tiers.login.ready {
        RollupState::ReadyToLogIn
    } else if blockers.iter().any(|it| it.login_blocking) {
        RollupState::FailedActionRequired
    } else {
        RollupState::Installing
    };
    let next_action = match (state, blockers.first()) {
        (RollupState::FullyHealthy, _) => "No action is needed.".to_owned(),
        (_, Some(first)) => first.next_action.clone(),
        (_, None) if !collector.failures.is_empty() => unread(&collector.failures),
        (RollupState::Installing, None) => "Wait; the installation goes on by itself.".to_owned(),
        (_, None) => url.map_or_else(|| "Log in.".to_owned(), |url| format!("Log in at {url}.")),
    };
    Rollup { state, message: state.message().to_owned(), next_action }
}

/// What to do where the cause may lie in what could not be read.
fn unread(failures: &[ReadFailure]) -> String {
    const AT_MOST: usize = 3;
    let told: Vec<String> =
        failures.iter().take(AT_MOST).map(|it| format!("{} ({})", it.kind, it.error)).collect();
    let more = match failures.len().saturating_sub(AT_MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("Let the status service read {}{more}; until then nothing is known of it.", told.join(", "))
}

fn component(view: &View<'_>, component: Component, blockers: &[Blocker]) -> ComponentStatus {
    let blocked = blockers.iter().find(|it| it.component == component.name());
    let (ready, status, message) = match view.workload(component) {
        None => (false, "unknown", "Resource not found or unavailable".to_owned()),
        Some(it) if view.is_ready(component) => {
            (true, "healthy", format!("{}/{} ready", it.ready, it.desired))
        }
        Some(it) => {
            let count = format!("{}/{} ready", it.ready, it.desired);
            match blocked {
                Some(blocker) => (false, "degraded", format!("{count}: {}", blocker.reason)),
                None => (false, "progressing", count),
            }
        }
    };
    ComponentStatus {
        name: component.name().into(),
        tier: component.tier(),
        ready,
        status: status.into(),
        message,
        namespace: "msp".into(),
    }
}

fn selected(known: &Knowledge, key: &str) -> Option<String> {
    known.selection.as_ref()?.get(key).filter(|it| !it.is_empty()).cloned()
}

fn release(known: &Knowledge, view: &View<'_>) -> ReleaseSummary {
    let source = view.source().map(|(_, fact)| fact);
    let revision = source.and_then(|it| it.revision.clone());
    let is_git = source.is_some_and(|it| it.kind == "GitRepository");
    ReleaseSummary {
        selected_release_version: selected(known, "releaseVersion"),
        app_version: selected(known, "appVersion"),
        channel: selected(known, "selectedChannel"),
        selected_channel: selected(known, "selectedChannel"),
        git_revision: revision.clone().filter(|_| is_git),
        source_revision: revision,
        manifest_digest: selected(known, "manifestDigest"),
        registry_host: selected(known, "registryHost"),
        repository: selected(known, "repository"),
    }
}

/// `appUrl` of the app's values, the site's own first, else the app's port on the node.
pub(crate) fn login_url(known: &Knowledge) -> Option<String> {
    let url_in = |values: &ReleaseValues| {
        let url = values.chosen()?.app_url.as_ref()?.trim();
        (!url.is_empty()).then(|| url.to_owned())
    };
    let of = |values: &BTreeMap<String, ReleaseValues>| values.get("alga-core").and_then(url_in);
    let from_values = of(&known.site_values).or_else(|| of(&known.values));
    from_values.or_else(|| known.site.host_ip.as_ref().map(|ip| format!("http://{ip}:3000")))
}

fn login_probe(known: &Knowledge, login_url: Option<&str>) -> LoginProbe {
    known.login_probe.as_ref().map_or_else(LoginProbe::default, |probe| LoginProbe {
        checked: true,
        reachable: is_reachable(probe, login_url),
        status_code: probe.status,
        location: probe.location.clone(),
        error: probe.error.clone(),
    })
}

fn collector(known: &Knowledge) -> Collector {
    let pending = known.reads.iter().filter(|(_, it)| **it == ReadState::Pending);
    let failures = known.reads.iter().filter_map(|(kind, state)| match state {
        ReadState::Failed(error) => Some(ReadFailure { kind: kind.clone(), error: error.clone() }),
        _ => None,
    });
    let pending: Vec<String> = pending.map(|(kind, _)| kind.clone()).collect();
    let failures: Vec<ReadFailure> = failures.collect();
    Collector { complete: pending.is_empty() && failures.is_empty(), pending, failures }
}

fn recent_events(known: &Knowledge) -> Vec<EventSummary> {
    let mut newest: Vec<(&ObjectKey, &EventFact)> = known.events.iter().collect();
    if newest.len() > RECENT_EVENTS {
        newest.select_nth_unstable_by_key(RECENT_EVENTS, |(_, it)| std::cmp::Reverse(it.last));
        newest.truncate(RECENT_EVENTS);
    }
    newest.sort_by_key(|(key, it)| (std::cmp::Reverse(it.last), *key));
    newest
        .into_iter()
        .map(|(key, event)| EventSummary {
            namespace: key.namespace.clone(),
            reason: event.reason.clone(),
            kind: event.kind.clone(),
            message: event.message.clone(),
            last_timestamp: event.last,
            involved_object: InvolvedObject {
                kind: event.about_kind.clone(),
                name: event.about.as_ref().map(|it| it.name.clone()).unwrap_or_default(),
                namespace: event.about.as_ref().map(|it| it.namespace.clone()).unwrap_or_default(),
            },
        })
        .collect()
}

/// The document of a service that has not heard the API yet: everything unknown, nothing guessed.
#[must_use]
pub fn unknown(known: &Knowledge) -> StatusDocument {
    let mut document = assess(known, &mut Memory::default(), Timestamp::UNIX_EPOCH);
    document.timestamp = None;
    document
}

/// Whether two documents say the same, times aside.
#[must_use]
pub fn says_the_same(one: &StatusDocument, other: &StatusDocument) -> bool {
    // Every field is named here, so that one that comes to the document is not forgotten; none is copied.
    let StatusDocument {
        service,
        status,
        site_id,
        timestamp: _,
        release,
        urls,
        login_url,
        rollup,
        current_phase,
        next_action,
        tiers,
        top_blockers,
        active_operations,
        components,
        bootstrap,
        recent_events,
        login_probe,
        collector,
    } = one;
    let same_operations = active_operations.len() == other.active_operations.len()
        && active_operations.iter().zip(&other.active_operations).all(|(a, b)| same_operation(a, b));
    same_operations
        && (service, status, site_id) == (&other.service, &other.status, &other.site_id)
        && (release, urls, login_url) == (&other.release, &other.urls, &other.login_url)
        && (rollup, current_phase, next_action) == (&other.rollup, &other.current_phase, &other.next_action)
        && (tiers, top_blockers, components) == (&other.tiers, &other.top_blockers, &other.components)
        && (bootstrap, recent_events) == (&other.bootstrap, &other.recent_events)
        && (login_probe, collector) == (&other.login_probe, &other.collector)
}

/// Both are as far, whatever their clocks say.
fn same_operation(one: &ActiveOperation, other: &ActiveOperation) -> bool {
    let ActiveOperation {
        component,
        operation,
        image,
        estimated_compressed_bytes: bytes,
        estimated_size_human: size,
        progress_percent: percent,
        progress_available: available,
        progress_reason: reason,
        started_at,
        elapsed_seconds: _,
        message: _,
    } = one;
    (component, operation, image) == (&other.component, &other.operation, &other.image)
        && (bytes, size) == (&other.estimated_compressed_bytes, &other.estimated_size_human)
        && (percent, available) == (&other.progress_percent, &other.progress_available)
        && (reason, started_at) == (&other.progress_reason, &other.started_at)
}
