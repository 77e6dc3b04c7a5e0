//! Holds the renderer against the real program: every chart in `tests/charts` with every set of values in
//! `tests/values`, output and errors to the byte. The program is the one that `HELM` names, or `helm` on `PATH`.

mod helm;

use std::fs;
use std::path::{Path, PathBuf};

use helm::{Helm, compare};

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

#[test]
fn charts_render_as_the_real_program_renders_them() {
    let Some(helm) = Helm::find("charts") else {
        return;
    };
    let mut compared = 0;
    let mut differences = Vec::new();
    for chart in sorted_entries(&here("charts")) {
        let name = chart.file_name().expect("a chart's directory").to_string_lossy().into_owned();
        for values in value_sets(&name) {
            compared += 1;
            differences.extend(compare(&helm, &chart, &values));
        }
    }
    assert!(compared > 30, "only {compared} cases were found");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn a_freshly_created_chart_renders_as_the_real_program_renders_it() {
    let Some(helm) = Helm::find("fresh chart") else {
        return;
    };
    let directory = tempfile::tempdir().expect("a directory");
    helm.create(directory.path(), "fresh");
    let chart = directory.path().join("fresh");
    let sets = [
        r#"{}"#,
        r#"{"replicaCount": 3, "fullnameOverride": "other", "podAnnotations": {"a": "b"}, "podLabels": {"x": "y"}}"#,
        r#"{"ingress": {"enabled": true, "className": "nginx", "tls": [{"secretName": "t", "hosts": ["h"]}]}}"#,
        r#"{"autoscaling": {"enabled": true, "targetMemoryUtilizationPercentage": 70}, "service": {"port": 8080}}"#,
        r#"{"serviceAccount": {"create": false, "name": "sa"}, "nodeSelector": {"a": "b"}, "tolerations": [{"key": "k"}]}"#,
        r#"{"resources": {"limits": {"cpu": "100m", "memory": 134217728}}, "volumes": [{"name": "v", "emptyDir": {}}]}"#,
        r#"{"httpRoute": {"enabled": true}, "imagePullSecrets": [{"name": "p"}], "securityContext": {"runAsUser": 1000}}"#,
    ];
    let mut differences = Vec::new();
    for (index, set) in sets.iter().enumerate() {
        let values = directory.path().join(format!("{index}.json"));
        fs::write(&values, set).expect("values to be written");
        differences.extend(compare(&helm, &chart, &values));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn notes_are_those_that_the_real_program_shows() {
    let Some(helm) = Helm::find("notes") else {
        return;
    };
    let chart = here("charts").join("shop");
    let values = here("values").join("empty.json");
    let rendered = helm::render(&chart, &values).expect("a chart that renders");
    assert_eq!(rendered.notes.trim_end(), helm.notes(&chart, &values));
}

#[test]
fn an_archive_renders_as_its_directory() {
    let Some(helm) = Helm::find("archives") else {
        return;
    };
    let directory = tempfile::tempdir().expect("a directory");
    let chart = here("charts").join("family");
    let archive = helm.package(&chart, directory.path());
    let bytes = fs::read(archive).expect("an archive");
    let from_archive = fake_chart::Chart::from_archive(&bytes).expect("a chart");
    let values = serde_json::json!({});
    let text = |chart: &fake_chart::Chart| {
        let rendered = chart.render(
            &helm::release(),
            &values,
            &fake_chart::Capabilities::default(),
            &fake_chart::NoCluster,
        );
        rendered.expect("a chart that renders").text
    };
    let from_dir = fake_chart::Chart::from_dir(&chart).expect("a chart");
    assert_eq!(text(&from_archive), text(&from_dir));
}
