//! How true the simulated cluster is: the measure itself, and the line that it has to hold against recordings.
//!
//! The measure is tested with cases of our own, whose streams the simulated cluster writes in the recordings' format. The
//! line is held where the recordings are: `SMOKE_RECORDINGS` names their directory.

use std::fs;
use std::path::{Path, PathBuf};

use smoke_harness::fidelity::{Case, CaseResult, Family, Manner, Options, Stream, measure};
use smoke_harness::world::Speed;

use crate::lanes;

/// The share that is held, for Kubernetes and for Flux, with accepted differences counted as matches.
const LINE: f64 = 0.95;
/// The most of all signals that may be accepted differences.
const ACCEPTED: f64 = 0.03;

const AS_FAST_AS_IT_GOES: Manner = Manner { speed: Speed::UNLIMITED, seed: 1 };

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/system/cases")
}

/// What a case says, written in the format of the recordings, and read from there.
fn recorded(name: &str, manner: Manner) -> (Case, Stream) {
    let directory = tempfile::tempdir().expect("a directory for the streams");
    let options = Options {
        recordings: cases(),
        only: vec![name.to_owned()],
        emit: Some(directory.path().to_owned()),
        manner,
        played: None,
    };
    let report = measure(&options, |_| {}).expect("the cases can be read");
    assert_eq!(report.cases[0].failure, None);
    let all = Case::all(&cases()).expect("the cases can be read");
    let case = all.into_iter().find(|case| case.name == name).expect("a case of this name");
    (case, Stream::read(&directory.path().join(name)).expect("the streams can be read"))
}

fn share(case: &Case, recorded: &Stream, simulated: &Stream) -> f64 {
    CaseResult::of(case, recorded, simulated, None).tally().share()
}

#[test]
fn a_recording_compared_with_itself_is_the_same_and_with_silence_is_nothing() {
    let (case, stream) = recorded("crash-loop", AS_FAST_AS_IT_GOES);
    assert!(share(&case, &stream, &stream) > 0.9999);
    assert!(share(&case, &stream, &Stream::default()) < 0.0001);
    assert!(share(&case, &Stream::default(), &stream) < 0.0001);
}

#[test]
fn a_changed_message_lowers_the_share() {
    let (case, stream) = recorded("missing-tag", AS_FAST_AS_IT_GOES);
    let mut changed = stream.clone();
    for line in &mut changed.lines {
        let message = &mut line.event["object"]["message"];
        if message.as_str().is_some_and(|text| text.starts_with("Pulling image")) {
            *message = "Fetching an image".into();
        }
    }
    let (same, other) = (share(&case, &stream, &stream), share(&case, &stream, &changed));
    assert!(other < same && other > 0.8, "{other}");
}

#[test]
fn another_cases_recording_scores_far_lower() {
    let (case, stream) = recorded("missing-tag", AS_FAST_AS_IT_GOES);
    let (_, other) = recorded("never-ready", AS_FAST_AS_IT_GOES);
    assert!(share(&case, &stream, &other) < 0.3);
}

#[test]
fn renaming_case_namespace_and_objects_changes_nothing() {
    let (case, stream) = recorded("missing-tag", AS_FAST_AS_IT_GOES);
    let copy = tempfile::tempdir().unwrap();
    let renamed = copy.path().join("gone-image");
    fs::create_dir(&renamed).unwrap();
    for file in ["case.json", "manifest.yaml"] {
        let text = fs::read_to_string(cases().join("missing-tag").join(file)).unwrap();
        let text = text.replace(
            "missing-tag\", \"namespace\": \"rec-missing-tag",
            "gone-image\", \"namespace\": \"other-place",
        );
        fs::write(renamed.join(file), text.replace("reporting", "invoices")).unwrap();
    }
    let emitted = tempfile::tempdir().unwrap();
    let options = Options {
        recordings: copy.path().to_owned(),
        only: Vec::new(),
        emit: Some(emitted.path().to_owned()),
        manner: AS_FAST_AS_IT_GOES,
        played: None,
    };
    let report = measure(&options, |_| {}).unwrap();
    assert_eq!(report.cases[0].failure, None);
    let (count, other) = (report.cases[0].comparison.extra.len(), share(&case, &stream, &stream));
    let here = CaseResult::of(&case, &stream, &Stream::default(), None).comparison.missing.len();
    assert_eq!(count, here, "signals of the renamed case, share of the first with itself {other}");
}

/// What each actor says of each object, in its order.
fn said(case: &Case, stream: &Stream) -> Vec<String> {
    let mut said: Vec<String> = CaseResult::of(case, stream, &Stream::default(), None)
        .comparison
        .missing
        .iter()
        .map(|signal| format!("{} {} {}", signal.object, signal.track, signal.words))
        .collect();
    said.sort();
    said
}

#[test]
fn a_case_says_the_same_at_speeds_of_1_60_and_600() {
    let at = |speed: f64| {
        let (case, stream) = recorded("crash-loop", Manner { speed: Speed(speed), seed: 3 });
        said(&case, &stream)
    };
    let slow = at(1.0);
    assert!(slow.len() > 40, "{slow:#?}");
    assert_eq!(slow, at(60.0));
    assert_eq!(slow, at(600.0));
}

#[test]
fn who_comes_first_of_two_hangs_on_the_seed_and_what_each_says_does_not() {
    let run = |seed| recorded("never-ready", Manner { speed: Speed::UNLIMITED, seed });
    let order = |stream: &Stream| -> Vec<String> {
        stream.lines.iter().map(|line| format!("{} {}", line.kind, line.event["object"]["reason"])).collect()
    };
    let runs: Vec<_> = (1..=6).map(run).collect();
    let (case, first) = &runs[0];
    for (_, other) in &runs[1..] {
        assert_eq!(said(case, first), said(case, other));
    }
    assert!(runs[1..].iter().any(|(_, other)| order(first) != order(other)), "all seeds gave one order");
}

#[test]
fn a_directory_without_cases_is_refused_with_a_hint() {
    let empty = tempfile::tempdir().unwrap();
    let options = Options {
        recordings: empty.path().to_owned(),
        only: Vec::new(),
        emit: None,
        manner: AS_FAST_AS_IT_GOES,
        played: None,
    };
    let error = measure(&options, |_| {}).unwrap_err().to_string();
    assert!(error.contains("case.json") && error.contains("hint"), "{error}");
}

#[test]
fn the_simulated_cluster_holds_the_line_of_the_recordings() {
    let Some(recordings) = std::env::var_os("SMOKE_RECORDINGS").map(PathBuf::from) else {
        return lanes::did_not_run("recordings", "SMOKE_RECORDINGS names no directory");
    };
    let options =
        Options { recordings, only: Vec::new(), emit: None, manner: AS_FAST_AS_IT_GOES, played: None };
    let report = measure(&options, |_| {}).unwrap();
    let failed: Vec<_> = report.cases.iter().filter_map(|case| case.failure.clone()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    for family in [Family::Kubernetes, Family::Flux] {
        let (raw, with_accepted) = report.share(family).unwrap();
        assert!(with_accepted >= LINE, "{}: {raw} raw, {with_accepted}\n{}", family.name(), report.table());
        assert!(
            with_accepted - raw < ACCEPTED,
            "{}: too much is accepted\n{}",
            family.name(),
            report.table()
        );
    }
    lanes::ran("recordings", report.cases.len());
}
