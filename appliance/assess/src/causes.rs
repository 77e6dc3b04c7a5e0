//! Causal order: which findings are roots, and what merely follows from them.

use appliance_status_model::{BlockerCode, Component, Consequence, Release};

use crate::detect::{DETECTORS, brings, importance, is_shared};
use crate::finding::{Extent, Finding, Harm, Identity, Subject};

/// A root cause with what follows from it.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) finding: Finding,
    /// Every subject that has this very cause, the first one included.
    pub(crate) subjects: Vec<Subject>,
    pub(crate) consequences: Vec<Consequence>,
}

/// Sorts findings into roots and consequences. `ripe` says of each whether its grace is over: an unripe
/// finding already explains others, so that nothing shows for a moment that will turn out a consequence.
/// Also says which findings follow from another.
pub(crate) fn sorted(findings: Vec<Finding>, ripe: Vec<bool>) -> (Vec<Root>, Vec<Identity>) {
    let groups = grouped(findings.into_iter().zip(ripe).collect());
    let explained_by: Vec<Option<usize>> = (0..groups.len())
        .map(|at| (0..at).find(|earlier| groups[*earlier].explains(&groups[at].finding)))
        .collect();
    let mut consequences: Vec<Vec<Consequence>> = groups.iter().map(Group::echoes).collect();
    for at in 0..groups.len() {
        let mut root = at;
        while let Some(cause) = explained_by[root] {
            root = cause;
        }
        if root != at && groups[at].ripe {
            let also = Consequence {
                code: groups[at].finding.code,
                component: groups[at].finding.subject.name().to_owned(),
            };
            let own = std::mem::take(&mut consequences[at]);
            for follows in std::iter::once(also).chain(own) {
                if !consequences[root].contains(&follows) {
                    consequences[root].push(follows);
                }
            }
        }
    }
    let explained = groups.iter().zip(&explained_by).filter(|(_, cause)| cause.is_some());
    let explained = explained.flat_map(|(group, _)| group.identities.clone()).collect();
    let roots = groups
        .into_iter()
        .zip(consequences)
        .zip(explained_by)
        .filter(|((group, _), cause)| cause.is_none() && group.ripe)
        .map(|((group, consequences), _)| Root {
            finding: group.finding,
            subjects: group.subjects,
            consequences,
        })
        .collect();
    (roots, explained)
}

/// Findings that are one: the same cause for the same component, or one cause that all share.
struct Group {
    finding: Finding,
    identities: Vec<Identity>,
    ripe: bool,
    subjects: Vec<Subject>,
    /// Those of them that others suffer from.
    spreading: Vec<Subject>,
}

impl Group {
    fn is_same(&self, other: &Finding) -> bool {
        let mine = &self.finding;
        let shared = mine.extent == Extent::Shared && other.extent == Extent::Shared;
        mine.code == other.code
            && mine.identity == other.identity
            && (shared || mine.subject.name() == other.subject.name())
    }

    /// Whether it, earlier in the order, explains `effect`.
    fn explains(&self, effect: &Finding) -> bool {
        let code = self.finding.code;
        let known = DETECTORS.iter().find(|it| it.code == code);
        known.is_some_and(|it| it.causes.contains(&effect.code))
            && is_open_to_causes(effect)
            && (code != BlockerCode::ReleaseDrift || self.finding.identity == effect.identity)
            && self.spreading.iter().any(|cause| reaches(cause, code, &effect.subject))
    }

    /// What the shared cause does to everyone but the first.
    fn echoes(&self) -> Vec<Consequence> {
        let mut echoes: Vec<Consequence> = Vec::new();
        for subject in self.subjects.iter().filter(|it| it.name() != self.finding.subject.name()) {
            let code = match subject {
                Subject::Release(_) => BlockerCode::Helm,
                Subject::Kustomization(_) | Subject::Platform(_) => BlockerCode::Source,
                _ if subject.is_login_critical() == Some(true) => BlockerCode::Workload,
                _ => BlockerCode::BackgroundWorkload,
            };
            let echo = Consequence { code, component: subject.name().to_owned() };
            if !echoes.contains(&echo) {
                echoes.push(echo);
            }
        }
        echoes
    }
}

fn grouped(mut findings: Vec<(Finding, bool)>) -> Vec<Group> {
    findings.sort_by_key(|(finding, _)| order(finding));
    let mut groups: Vec<Group> = Vec::new();
    for (finding, ripe) in findings {
        let spreading = (finding.harm == Harm::Spreads).then(|| finding.subject.clone());
        match groups.iter_mut().find(|group| group.is_same(&finding)) {
            Some(group) => {
                group.ripe |= ripe;
                group.identities.push(finding.identity());
                group.subjects.push(finding.subject);
                group.spreading.extend(spreading);
            }
            None => groups.push(Group {
                ripe,
                identities: vec![finding.identity()],
                subjects: vec![finding.subject.clone()],
                spreading: spreading.into_iter().collect(),
                finding,
            }),
        }
    }
    groups
}

/// Place in the causal order: stage, distance from the ground, code.
fn order(finding: &Finding) -> (usize, usize, BlockerCode) {
    let depth =
        if finding.extent == Extent::Shared { importance(&finding.subject) } else { depth(&finding.subject) };
    (stage(finding.code), depth, finding.code)
}

fn stage(code: BlockerCode) -> usize {
    match code {
        BlockerCode::Host | BlockerCode::Kubernetes => 0,
        BlockerCode::Dns => 1,
        BlockerCode::Node => 2,
        BlockerCode::StorageClass => 3,
        BlockerCode::Scheduling => 4,
        BlockerCode::PostgresStorage | BlockerCode::StorageInit | BlockerCode::VolumeFull => 5,
        BlockerCode::Credentials => 6,
        BlockerCode::ConfigMissing => 7,
        BlockerCode::ReleaseDrift => 8,
        BlockerCode::ImageNotFound | BlockerCode::ImageRegistry | BlockerCode::ImagePullInterrupted => 9,
        BlockerCode::TemporalSchema
        | BlockerCode::ServiceLink
        | BlockerCode::BootstrapFailed
        | BlockerCode::BootstrapMissing
        | BlockerCode::Workload
        | BlockerCode::BackgroundWorkload => 10,
        BlockerCode::HelmStorage | BlockerCode::Helm => 11,
        BlockerCode::Source => 12,
        BlockerCode::ReleaseMissing => 13,
        BlockerCode::LoginProbe => 14,
    }
}

/// Whether it keeps containers from starting, so that one that runs disproves it.
pub(crate) fn comes_before_start(code: BlockerCode) -> bool {
    stage(code) <= stage(BlockerCode::ImageNotFound)
        && !matches!(code, BlockerCode::VolumeFull | BlockerCode::Credentials)
}

/// How much must work beneath it.
fn depth(subject: &Subject) -> usize {
    fn of(component: Component) -> usize {
        component.needs().iter().map(|need| 1 + of(*need)).max().unwrap_or(0)
    }
    match subject {
        Subject::Platform(_) => 0,
        Subject::Component(Component::AlgaCore) => 3,
        Subject::Component(component) => 2 * of(*component),
        Subject::Bootstrap => 1,
        Subject::Release(name) => {
            20 + appliance_status_model::RELEASES.iter().position(|it| it.name == name).unwrap_or(19)
        }
        Subject::Kustomization(_) => 40,
        Subject::Other(_) => 50,
    }
}

/// Effects that tell a cause of their own follow from nothing.
fn is_open_to_causes(effect: &Finding) -> bool {
    let says = |signals: &[&str]| signals.iter().any(|signal| effect.reason.contains(signal));
    match effect.code {
        BlockerCode::BootstrapFailed => {
            !says(&["ERROR", "FATAL", "failed"])
                || says(&[
                    "did not become reachable",
                    "authentication failed",
                    "lookup ",
                    "getaddrinfo ",
                    "ECONNREFUSED",
                ])
                || says(&["No space left on device", "no space left on device", "No admin database password"])
                || says(&["DeadlineExceeded", "BackoffLimitExceeded"])
        }
        // A node that is lost is tainted so.
        BlockerCode::Scheduling => {
            says(&["olume", "olumeclaim", "node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"])
        }
        BlockerCode::ConfigMissing => says(&["secret \"db-credentials\" not found"]),
        _ => true,
    }
}

fn reaches(cause: &Subject, code: BlockerCode, effect: &Subject) -> bool {
    if is_shared(code) {
        return true;
    }
    match (cause, effect) {
        // Nothing but its tier waits for the status page.
        (Subject::Platform(name), _) if name == "appliance-status" => {
            matches!(effect, Subject::Kustomization(_)) || effect == cause
        }
        (Subject::Platform(_), _) => true,
        (Subject::Kustomization(tier), _) => effect
            .release()
            .is_some_and(|it| it.kustomization == tier || (tier == "alga-core" && !it.is_core())),
        (_, Subject::Kustomization(tier)) => {
            let own = cause.release().is_some_and(|it| it.kustomization == tier);
            let through = cause.component().is_some_and(|it| brings(tier, it));
            own || through
                || tier == "alga-appliance"
                || (tier == "alga-background" && cause.release().is_some_and(Release::is_core))
        }
        (Subject::Release(release), _) => {
            effect.release().is_some_and(|it| it.name == release || it.depends_on(release))
        }
        (_, Subject::Release(name)) => {
            let Some(release) = Release::named(name) else { return false };
            let through = cause.component().is_some_and(|component| {
                Component::ALL.into_iter().any(|it| it.release() == name && it.depends_on(component))
            });
            through || cause.release().is_some_and(|it| it.name == name || release.depends_on(it.name))
        }
        (_, Subject::Bootstrap) => {
            matches!(cause, Subject::Bootstrap) || cause.component() == Some(Component::Db)
        }
        _ => match (cause.component(), effect.component()) {
            (Some(cause), Some(effect)) => cause == effect || effect.depends_on(cause),
            _ => cause.name() == effect.name(),
        },
    }
}

#[cfg(test)]
mod tests {
    use appliance_status_model::{BlockerCode, Component};

    use super::Root;
    use crate::detect::is_shared;
    use crate::finding::{Extent, Finding, Harm, Subject};

    fn roots(findings: Vec<Finding>, ripe: Vec<bool>) -> Vec<Root> {
        super::sorted(findings, ripe).0
    }

    fn finding(code: BlockerCode, subject: Subject, reason: &str) -> Finding {
        let next_action = String::new();
        let identity = String::new();
        let extent = if is_shared(code) { Extent::Shared } else { Extent::Own };
        Finding {
            code,
            subject,
            reason: reason.into(),
            next_action,
            since: None,
            grace: 0,
            identity,
            extent,
            harm: Harm::Spreads,
        }
    }

    #[test]
    fn what_follows_from_a_missing_image_is_no_blocker_of_its_own() {
        let found = roots(
            vec![
                finding(BlockerCode::Source, Subject::Kustomization("alga-background".into()), "health"),
                finding(BlockerCode::Helm, Subject::Release("workflow-worker".into()), "timeout"),
                finding(BlockerCode::ImageNotFound, Subject::Component(Component::WorkflowWorker), "x"),
            ],
            vec![true; 3],
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].finding.code, BlockerCode::ImageNotFound);
        assert_eq!(found[0].consequences.len(), 2);
    }

    #[test]
    fn a_database_that_crashes_explains_a_bootstrap_that_did_not_reach_it() {
        let unreachable = "ERROR: PostgreSQL did not become reachable within 300s at db:5432";
        let found = roots(
            vec![
                finding(BlockerCode::BootstrapFailed, Subject::Bootstrap, unreachable),
                finding(BlockerCode::Workload, Subject::Component(Component::Db), "exit code 1"),
                finding(BlockerCode::Helm, Subject::Release("alga-core".into()), "timeout"),
            ],
            vec![true; 3],
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].finding.subject, Subject::Component(Component::Db));
    }

    #[test]
    fn a_status_page_that_cannot_be_pulled_hides_no_trouble_of_the_application() {
        let found = roots(
            vec![
                finding(BlockerCode::Source, Subject::Kustomization("alga-platform".into()), "health"),
                finding(BlockerCode::Workload, Subject::Component(Component::Db), "exit code 1"),
                finding(BlockerCode::ImageNotFound, Subject::Platform("appliance-status".into()), "x"),
            ],
            vec![true; 3],
        );
        let told: Vec<&str> = found.iter().map(|it| it.finding.subject.name()).collect();
        assert_eq!(told, ["appliance-status", "db"]);
    }

    #[test]
    fn a_missing_seed_directory_is_nobody_elses_fault() {
        let line = "ERROR: Configured seed directory does not exist: /seeds";
        let found = roots(
            vec![
                finding(BlockerCode::BootstrapFailed, Subject::Bootstrap, line),
                finding(BlockerCode::Workload, Subject::Component(Component::Db), "exit code 1"),
            ],
            vec![true; 2],
        );
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn one_resolver_is_one_blocker_however_many_pods_suffer() {
        let found = roots(
            vec![
                finding(BlockerCode::Dns, Subject::Component(Component::EmailService), "a"),
                finding(BlockerCode::Dns, Subject::Component(Component::Db), "b"),
            ],
            vec![true; 2],
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].finding.subject, Subject::Component(Component::Db));
        assert_eq!(found[0].consequences[0].component, "email-service");
    }

    #[test]
    fn a_cause_in_its_grace_already_holds_back_what_follows_from_it() {
        let found = roots(
            vec![
                finding(BlockerCode::ImageRegistry, Subject::Component(Component::Redis), "500"),
                finding(BlockerCode::Helm, Subject::Release("alga-core".into()), "timeout"),
            ],
            vec![false, true],
        );
        assert!(found.is_empty());
    }
}
