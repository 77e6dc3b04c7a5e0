//! The whole harness against worlds that behave, lie, are silent, late, empty or broken.

#[cfg(test)]
mod scripted;

use std::time::Duration;

use scripted::{
    Moment, Say, Script, document, honest_document, honest_status, run, run_planned, worker_blocker,
};
use smoke_harness::judge::{Verdict, judge};
use smoke_harness::report;
use smoke_harness::run::{ExitStatus, Keep};
use smoke_harness::scenario::Milestone;
use smoke_harness::timeline::Timeline;
use smoke_harness::world::{BootError, Capability, InjectError, OperatorEnd};

const MISSING_TAG: &str = "
name: missing-tag
story: Nobody had published the tag.
faults:
  - registry.missing-tag: { image: workflow-worker }
expect:
  order: [status-page, app, login-ready]
  eventually:
    rollup: ready_with_background_issues
    blockers:
      - { code: image-not-found, component: workflow-worker, loginBlocking: false, reason: /workflow-worker:.*/ }
    tiers: { login: ready, background: not-ready }
  never: [ { rollup: failed_action_required }, { blocker: dns } ]
  within: { status-page: 20s, blocker: 60s }
heal:
  - registry.publish-tag: { image: workflow-worker }
  - flux.reconcile: { release: workflow-worker }
recovers: { rollup: fully_healthy }
";

const HEALTHY: &str = "
name: healthy
story: Nothing is wrong.
expect:
  order: [status-page, app, login-ready]
  eventually: { rollup: fully_healthy }
  operator: { exit: success, prints: ['Appliance status UI (submitted):'] }
";

fn healthy_but(status: fn(&Moment, &str) -> Say) -> Script {
    Script { status, ..Script::honest() }
}

#[test]
fn an_honest_appliance_passes() {
    let ran = run(MISSING_TAG, Script::honest());
    assert_eq!(ran.messages(), Vec::<String>::new());
    assert_eq!(ran.outcome().verdict, Verdict::Passed, "{}", ran.notes.text());
    assert_eq!(ran.summary.status(), ExitStatus::Passed);
    let milestones: Vec<Milestone> =
        ran.outcome().milestones.iter().map(|(milestone, _)| *milestone).collect();
    assert_eq!(milestones, Milestone::ALL);
    assert_eq!(ran.outcome().receipts[0].count, 1);
}

#[test]
fn what_a_blocker_says_to_do_can_be_asked_for_beyond_the_sentence_of_its_code() {
    let asks =
        |what: &str| MISSING_TAG.replace("reason: /workflow-worker:.*/", &format!("nextAction: {what}"));
    let said = run(&asks("/^Publish the missing image tag/"), Script::honest());
    assert_eq!(said.outcome().verdict, Verdict::Passed, "{:?}", said.messages());
    let unsaid = run(&asks("then reconcile the release"), Script::honest());
    assert_eq!(unsaid.outcome().verdict, Verdict::Failed);
    let messages = unsaid.messages().join("\n");
    let expected = "with nextAction `then reconcile the release`; last seen nextAction `Publish the missing image tag or update";
    assert!(messages.contains(expected), "{messages}");
}

#[test]
fn a_faultless_scenario_is_its_own_control() {
    let ran = run(HEALTHY, Script::honest());
    assert_eq!(ran.outcome().verdict, Verdict::Passed, "{:?}", ran.messages());
}

#[test]
fn a_service_that_always_says_healthy_is_caught_with_what_was_expected_seen_and_since_when() {
    let ran = run(
        MISSING_TAG,
        healthy_but(|_, path| match path {
            "/api/status" => Say::Document(document("fully_healthy", true, true, &[])),
            _ => Say::Page,
        }),
    );
    assert_eq!(ran.outcome().verdict, Verdict::Failed);
    let messages = ran.messages().join("\n");
    let expected = [
        "eventually: expected rollup ready_with_background_issues; last seen rollup fully_healthy, since +",
        "eventually: expected tier background not-ready; last seen tier background ready, since +",
        "blockers: expected blocker image-not-found of workflow-worker, not login-blocking, reason /workflow-worker:.*/; \
         last seen no blocker, since +",
        "order: expected status-page before app before login-ready; last seen login-ready at +",
    ];
    for part in expected {
        assert!(messages.contains(part), "no `{part}` in\n{messages}");
    }
    assert!(messages.contains("(for 35m"), "{messages}");
}

#[test]
fn a_service_that_never_answers_is_caught_with_what_was_expected_and_since_when() {
    let ran = run(MISSING_TAG, healthy_but(|_, _| Say::Hang));
    assert_eq!(ran.outcome().verdict, Verdict::Failed);
    let messages = ran.messages().join("\n");
    let expected = "eventually: expected rollup ready_with_background_issues, tier login ready, tier background not-ready, \
                    blocker image-not-found of workflow-worker, not login-blocking, reason /workflow-worker:.*/; last seen \
                    not once an answer from /api/status: no answer within 10 s, since +10";
    assert!(messages.contains(expected), "{messages}");
}

#[test]
fn a_service_that_dies_at_the_end_is_not_forgiven_for_what_it_said_before() {
    let ran = run(
        HEALTHY,
        healthy_but(
            |moment, path| {
                if moment.after(40) { Say::Code(503) } else { honest_status(moment, path) }
            },
        ),
    );
    assert_eq!(ran.outcome().verdict, Verdict::Failed);
    let messages = ran.messages().join("\n");
    assert!(
        messages.contains("last seen no answer any more from /api/status: answered 503, since +4"),
        "{messages}"
    );
}

#[test]
fn a_service_that_is_late_breaks_its_budget() {
    let ran = run(
        MISSING_TAG,
        healthy_but(|moment, path| if moment.after(90) { honest_status(moment, path) } else { Say::Refuse }),
    );
    let messages = ran.messages().join("\n");
    assert_eq!(ran.outcome().verdict, Verdict::Failed);
    assert!(
        messages.contains("within: expected status-page within 20s; last seen it after 1m3"),
        "{messages}"
    );
    assert!(messages.contains("within: expected blocker within 1m00s; last seen it after 1m3"), "{messages}");
}

#[test]
fn a_blocker_that_nobody_listed_fails_at_whatever_moment() {
    let ran = run(
        HEALTHY,
        healthy_but(|moment, path| match path {
            "/api/status" if moment.after(13) && !moment.after(19) => {
                Say::Document(document("ready_with_background_issues", true, false, &[worker_blocker()]))
            }
            _ => honest_status(moment, path),
        }),
    );
    let messages = ran.messages().join("\n");
    assert_eq!(ran.outcome().verdict, Verdict::Failed);
    let expected = "unlisted blocker: expected no blocker at any moment; last seen image-not-found of workflow-worker \
                    (Image tag not found: ghcr.io/nine-minds/workflow-worker:1.0), from +1";
    assert!(messages.contains(expected), "{messages}");
}

#[test]
fn a_fault_that_happened_to_nobody_makes_the_run_invalid() {
    let ran = run(MISSING_TAG, Script { receipts: |_| 0, ..Script::honest() });
    assert_eq!(ran.outcome().verdict, Verdict::Invalid);
    assert_eq!(ran.summary.status(), ExitStatus::Invalid);
    assert_eq!(
        ran.messages()[0].split(", until").next().unwrap(),
        "receipt: expected registry.missing-tag(image: workflow-worker) to land: the registry answered a request for that \
         tag with 404; last seen no sign that it happened to anybody"
    );
}

#[test]
fn a_fault_without_a_target_makes_the_run_invalid() {
    let script = Script {
        inject: |fault| {
            let known = vec!["workflow-worker".to_owned()];
            Err(InjectError::NoTarget {
                what: fault.to_string(),
                target: "image `workflow`".to_owned(),
                known,
            })
        },
        ..Script::honest()
    };
    let ran = run(MISSING_TAG, script);
    assert_eq!(ran.outcome().verdict, Verdict::Invalid);
    assert!(ran.messages()[0].contains("that it could not be set"), "{:?}", ran.messages());
}

#[test]
fn a_blocker_that_shows_without_the_fault_makes_the_run_invalid() {
    let ran = run(
        MISSING_TAG,
        healthy_but(|moment, path| match path {
            "/api/status" if moment.faults.is_empty() && moment.after(15) => {
                Say::Document(document("ready_with_background_issues", true, false, &[worker_blocker()]))
            }
            _ => honest_status(moment, path),
        }),
    );
    assert_eq!(ran.outcome().verdict, Verdict::Invalid);
    assert!(ran.messages()[0].starts_with("control: expected image-not-found to come from the fault"));
}

#[test]
fn a_heal_that_does_not_help_fails() {
    let ran = run(
        MISSING_TAG,
        healthy_but(|moment, path| match path {
            "/api/status" => {
                let stuck = Moment { healed: None, ..moment.clone() };
                if moment.after(3) { Say::Document(honest_document(&stuck)) } else { Say::Refuse }
            }
            _ => honest_status(moment, path),
        }),
    );
    assert_eq!(ran.outcome().verdict, Verdict::Failed);
    let messages = ran.messages();
    let expected = [
        "recovers: expected rollup fully_healthy; last seen rollup ready_with_background_issues, since +2",
        "recovers: expected no blocker; last seen image-not-found of workflow-worker still, since +2",
    ];
    assert_eq!(messages.len(), expected.len(), "{messages:?}");
    for (message, expected) in messages.iter().zip(expected) {
        assert!(message.starts_with(expected), "{messages:?}");
    }
}

#[test]
fn a_command_that_fails_is_the_appliances_fault() {
    let ran = run(HEALTHY, Script { bootstrap: || OperatorEnd::Exited(7), ..Script::honest() });
    assert_eq!(ran.outcome().verdict, Verdict::Failed);
    let expected = "operator: expected the command to end well; last seen it exited with 7; its last word was `Appliance \
                    status UI (submitted):`, at +2s";
    assert_eq!(ran.messages(), [expected]);
}

#[test]
fn a_world_that_panics_is_broken() {
    let ran = run(HEALTHY, Script { bootstrap: || panic!("out of cheese"), ..Script::honest() });
    let Verdict::Broken(reason) = &ran.outcome().verdict else { panic!("{:?}", ran.outcome().verdict) };
    assert!(reason.starts_with("the world panicked at ") && reason.ends_with(": out of cheese"), "{reason}");
    assert_eq!(ran.summary.status(), ExitStatus::Broken);
}

#[test]
fn a_world_with_a_task_that_panics_is_broken_whatever_was_seen() {
    let ran = run(
        HEALTHY,
        Script {
            status: |moment, path| {
                if path == "/healthz" && moment.after(5) { Say::Panic } else { honest_status(moment, path) }
            },
            ..Script::honest()
        },
    );
    assert!(matches!(&ran.outcome().verdict, Verdict::Broken(reason) if reason.contains("fell over")));
}

#[test]
fn a_world_that_does_not_boot_is_broken_and_one_that_cannot_be_here_is_skipped() {
    let failed = || Err(BootError::Failed { world: "scripted", source: "no more addresses".into() });
    let ran = run(HEALTHY, Script { boot: failed, ..Script::honest() });
    assert_eq!(ran.outcome().verdict, Verdict::Broken("boot a scripted world: no more addresses".to_owned()));
    let absent = || Err(BootError::Unavailable { world: "scripted", reason: "no engine".to_owned() });
    let ran = run(HEALTHY, Script { boot: absent, ..Script::honest() });
    assert!(matches!(&ran.outcome().verdict, Verdict::Skipped(reason) if reason.contains("no engine")));
    assert_eq!(ran.summary.status(), ExitStatus::Invalid);
}

#[test]
fn a_world_without_the_means_skips_unless_it_is_required() {
    let poor = Script { capabilities: &[Capability::Dns], ..Script::honest() };
    let ran = run(MISSING_TAG, poor.clone());
    assert_eq!(
        ran.outcome().verdict,
        Verdict::Skipped("a scripted world has no registry, no flux".to_owned())
    );
    let ran = run_planned(MISSING_TAG, poor, |plan| plan.required = vec!["scripted".to_owned()]);
    assert!(matches!(ran.outcome().verdict, Verdict::Broken(_)));
}

#[test]
fn a_document_that_alternates_between_two_things_it_said_before_settles() {
    let ran = run(
        HEALTHY,
        healthy_but(|moment, path| {
            let odd = moment.installing.unwrap_or_default().as_secs() / 7 % 2 == 1;
            match path {
                "/api/status" if moment.after(26) && odd => {
                    let mut said = honest_document(moment);
                    said["components"] =
                        serde_json::json!([{ "name": "db", "ready": true, "status": "again" }]);
                    Say::Document(said)
                }
                _ => honest_status(moment, path),
            }
        }),
    );
    assert_eq!(ran.outcome().verdict, Verdict::Passed, "{:?}", ran.messages());
    assert!(ran.outcome().field < Duration::from_secs(180), "{:?}", ran.outcome().field);
}

#[test]
fn the_terminal_says_what_was_proved_and_a_failure_says_where_to_look() {
    let ran = run(MISSING_TAG, Script::honest());
    let text = ran.notes.text();
    assert!(text.starts_with("     Running 1 scenario in scripted worlds, 2 at once\n"), "{text}");
    let proof = "registry.missing-tag(image: workflow-worker) landed 1x, status-page after ";
    assert!(text.contains("      Passed missing-tag  ") && text.contains(proof), "{text}");
    assert!(
        text.contains("named image-not-found of workflow-worker, recovered to rollup fully_healthy"),
        "{text}"
    );

    let ran = run(HEALTHY, healthy_but(|_, _| Say::Refuse));
    let text = ran.notes.text();
    assert!(text.contains("      FAILED healthy  ") && text.contains("             see /"), "{text}");
    let evidence = ran.outcome().directory.join("evidence");
    assert!(evidence.join("cluster.txt").is_file() && evidence.join("operator.log").is_file());
}

#[test]
fn nothing_of_a_world_is_left_behind() {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path().join("elsewhere");
    std::fs::create_dir(&base).unwrap();
    run_planned(MISSING_TAG, Script::honest(), |plan| plan.base = base.clone());
    assert_eq!(std::fs::read_dir(&base).unwrap().count(), 0);
}

#[test]
fn a_kept_world_says_how_to_get_in_and_goes_down_on_demand() {
    let ran = run_planned(HEALTHY, Script::honest(), |plan| plan.keep = Keep::Always);
    assert_eq!(ran.outcome().verdict, Verdict::Passed);
    let kept = ran.outcome().kept.as_ref().unwrap();
    let text = ran.notes.text();
    assert!(text.contains(&format!("\nexport KUBECONFIG={}\n", kept.kubeconfig.display())), "{text}");
    assert!(text.contains("/?token=token\n"), "{text}");
    assert_eq!(std::fs::read_dir(&ran.plan.base).unwrap().count(), 0);
}

#[test]
fn a_world_is_kept_on_failure_only_when_it_failed() {
    let ran = run_planned(HEALTHY, Script::honest(), |plan| plan.keep = Keep::OnFailure);
    assert!(ran.outcome().kept.is_none());
    let failing = Script { bootstrap: || OperatorEnd::Exited(7), ..Script::honest() };
    let ran = run_planned(HEALTHY, failing, |plan| plan.keep = Keep::OnFailure);
    assert!(ran.outcome().kept.is_some());
}

#[test]
fn repetitions_run_side_by_side_and_report_apart() {
    let ran = run_planned(HEALTHY, Script::honest(), |plan| plan.repeat = 3);
    assert_eq!(ran.summary.count("passed"), 3);
    let mut turns: Vec<u32> = ran.summary.outcomes.iter().map(|outcome| outcome.turn).collect();
    turns.sort_unstable();
    assert_eq!(turns, [1, 2, 3]);
    assert!(ran.plan.report.join("healthy.3/timeline.jsonl").is_file());
}

#[test]
fn the_report_holds_what_machines_and_people_need() {
    let ran = run(MISSING_TAG, Script::honest());
    report::write(&ran.plan, &ran.summary).unwrap();
    let read = |name: &str| std::fs::read_to_string(ran.plan.report.join(name)).unwrap();
    let report: serde_json::Value = serde_json::from_str(&read("report.json")).unwrap();
    assert_eq!(report["version"], 1);
    assert_eq!(report["exitCode"], 0);
    let scenario = &report["scenarios"][0];
    assert_eq!(scenario["name"], "missing-tag");
    assert_eq!(scenario["verdict"], "passed");
    assert!(scenario["milestones"]["loginReadyMs"].as_u64().unwrap() >= 12_000, "{scenario}");
    assert_eq!(scenario["receipt"][0]["count"], 1);
    assert!(scenario["replay"].as_str().unwrap().contains("smoke -- run missing-tag "), "{scenario}");
    assert!(read("junit.xml").contains("<testcase name=\"missing-tag\" classname=\"smoke.scripted\""));
    assert!(read("index.html").contains("<svg"));
}

#[test]
fn a_timeline_on_disk_is_judged_as_it_was_in_the_run() {
    let ran = run(
        HEALTHY,
        healthy_but(
            |moment, path| if moment.after(40) { Say::Code(503) } else { honest_status(moment, path) },
        ),
    );
    let timeline = Timeline::read(&ran.plan.report.join("healthy/timeline.jsonl")).unwrap();
    let judgement = judge(&timeline, &ran.plan.scenarios[0], None);
    assert_eq!(judgement.verdict, Verdict::Failed);
    assert_eq!(judgement.findings, ran.outcome().findings);
}

#[test]
fn a_blocker_that_is_never_taken_back_is_no_recovery() {
    let ran = run(
        MISSING_TAG,
        healthy_but(|moment, path| match path {
            "/api/status" if moment.healed.is_some() => {
                Say::Document(document("fully_healthy", true, true, &[worker_blocker()]))
            }
            _ => honest_status(moment, path),
        }),
    );
    assert_eq!(ran.outcome().verdict, Verdict::Failed);
    let messages = ran.messages();
    let expected =
        "recovers: expected no blocker; last seen image-not-found of workflow-worker still, since +";
    assert!(messages.iter().any(|it| it.starts_with(expected)), "{messages:?}");
    // It also says fully_healthy beside it.
    let beside =
        "contract: expected a rollup with issues while a blocker stands; last seen rollup fully_healthy";
    assert!(messages.len() == 2 && messages[0].starts_with(beside), "{messages:?}");
}

#[test]
fn a_state_that_is_said_by_turns_with_another_has_not_settled() {
    let ran = run(
        HEALTHY,
        healthy_but(|moment, path| match path {
            "/api/status" if moment.after(30) => {
                let age = moment.installing.map_or(0, |age| age.as_secs());
                let state = if (age / 10).is_multiple_of(2) { "fully_healthy" } else { "ready_to_log_in" };
                Say::Document(document(state, true, true, &[]))
            }
            _ => honest_status(moment, path),
        }),
    );
    assert_eq!(ran.outcome().verdict, Verdict::Failed);
    let messages = ran.messages().join("\n");
    let expected = "eventually: expected rollup fully_healthy; last seen rollup ready_to_log_in, since +";
    assert!(messages.starts_with(expected) && messages.ends_with(" times in all"), "{messages}");
}
