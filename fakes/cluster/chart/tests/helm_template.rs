//! Holds the renderer against the real program: every chart in `tests/charts` with every set of values in
//! `tests/values`, output and errors to the byte.
//!
//! The program is the one that `HELM` names, or `helm` on `PATH`. What it said is kept in `tests/golden`, which
//! the renderer is held against in any case; `GOLDEN=write` keeps what the program says now.

mod golden;
mod helm;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use golden::Golden;
use helm::{Case, Helm, Missing};

fn here(directory: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(directory)
}

fn sorted_entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable entry").path()).collect();
    paths.sort();
    paths
}

/// The sets of values of a chart; without any, an empty one.
fn value_sets(chart: &str) -> Vec<PathBuf> {
    let sets = sorted_entries(&here("values").join(chart));
    if sets.is_empty() { vec![here("values").join("empty.json")] } else { sets }
}

fn stored_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for chart in sorted_entries(&here("charts")) {
        let name = chart.file_name().expect("a chart's directory").to_string_lossy().into_owned();
        let sets = value_sets(&name).into_iter();
        cases.extend(sets.map(|values| Case { chart: chart.clone(), values }));
    }
    cases
}

/// The chart that people start with, and values for it.
fn fresh_cases(helm: &Helm, directory: &Path) -> Vec<Case> {
    helm.create(directory, "fresh");
    let sets = [
        r#"{}"#,
        r#"{"replicaCount": 3, "fullnameOverride": "other", "podAnnotations": {"a": "b"}, "podLabels": {"x": "y"}}"#,
        r#"{"ingress": {"enabled": true, "className": "nginx", "tls": [{"secretName": "t", "hosts": ["h"]}]}}"#,
        r#"{"autoscaling": {"enabled": true, "targetMemoryUtilizationPercentage": 70}, "service": {"port": 8080}}"#,
        r#"{"serviceAccount": {"create": false, "name": "sa"}, "nodeSelector": {"a": "b"}, "tolerations": [{"key": "k"}]}"#,
        r#"{"resources": {"limits": {"cpu": "100m", "memory": 134217728}}, "volumes": [{"name": "v", "emptyDir": {}}]}"#,
        r#"{"httpRoute": {"enabled": true}, "imagePullSecrets": [{"name": "p"}], "securityContext": {"runAsUser": 1000}}"#,
    ];
    let write = |(index, set): (usize, &&str)| {
        let values = directory.join(format!("{index}.json"));
        fs::write(&values, set).expect("values to be written");
        Case { chart: directory.join("fresh"), values }
    };
    sets.iter().enumerate().map(write).collect()
}

fn difference(case: &Case, whose: &str, theirs: &str, ours: &str) -> Option<String> {
    golden::first_difference(theirs, ours).map(|shown| format!("{case} is not what {whose} has:\n{shown}"))
}

/// Past the capture of what tests print.
fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).expect("stderr");
}

#[test]
fn charts_render_as_the_real_program_renders_them() {
    let golden = Golden::new(here("golden"));
    let helm = Helm::find();
    let mut differences = Vec::new();
    let mut compared = 0;
    let stored = stored_cases();
    assert!(stored.len() > 140, "only {} cases were found", stored.len());
    for case in &stored {
        let ours = case.ours();
        if let Ok(helm) = &helm {
            let theirs = helm.template(case);
            golden.keep(&case.name(), &theirs);
            differences.extend(difference(case, "helm", &theirs, &ours));
            compared += 1;
        }
        differences.extend(difference(case, "tests/golden", &golden.of(&case.name()), &ours));
    }
    match helm {
        Ok(helm) => {
            let directory = tempfile::tempdir().expect("a directory");
            for case in fresh_cases(&helm, directory.path()) {
                differences.extend(difference(&case, "helm", &helm.template(&case), &case.ours()));
                compared += 1;
            }
            say(&format!("lanes: helm ran {compared}"));
        }
        Err(Missing(reason)) => say(&format!("lanes: helm did not run ({reason})")),
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn notes_are_those_that_the_real_program_shows() {
    let golden = Golden::new(here("golden"));
    let helm = Helm::find();
    for chart in ["shop", "family"] {
        let case = Case { chart: here("charts").join(chart), values: here("values").join("empty.json") };
        let ours = case.render().expect("a chart that renders").notes.trim_end().to_owned();
        let name = format!("{chart}/NOTES");
        if let Ok(helm) = &helm {
            let theirs = helm.notes(&case);
            golden.keep(&name, &theirs);
            assert_eq!(difference(&case, "helm", &theirs, &ours), None);
        }
        assert_eq!(difference(&case, "tests/golden", &golden.of(&name), &ours), None);
    }
}

#[test]
fn an_archive_renders_as_its_directory() {
    let case = Case { chart: here("charts").join("family"), values: here("values").join("empty.json") };
    let compressed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(compressed);
    archive.append_dir_all("family", &case.chart).expect("the chart's files");
    let bytes = archive.into_inner().and_then(flate2::write::GzEncoder::finish).expect("an archive");
    let chart = fake_chart::Chart::from_archive(&bytes).expect("a chart");
    let from_archive = helm::rendered(&chart, &serde_json::json!({})).expect("a chart that renders");
    let from_directory = case.render().expect("a chart that renders");
    assert_eq!(from_archive.text, from_directory.text);
}
