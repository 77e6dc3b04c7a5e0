//! Runs the real program, and this renderer in the same way.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fake_chart::{Capabilities, Chart, NoCluster, Release, Rendered};

/// The real program.
pub(crate) struct Helm(PathBuf);

/// Why there is none.
pub(crate) struct Missing(pub(crate) &'static str);

const NAME: &str = "rel";
const NAMESPACE: &str = "default";

/// A chart and values for it.
pub(crate) struct Case {
    pub(crate) chart: PathBuf,
    pub(crate) values: PathBuf,
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} with {}", self.chart.display(), self.values.display())
    }
}

impl Case {
    /// The names of the chart and of the values.
    pub(crate) fn name(&self) -> String {
        let chart = self.chart.file_name().expect("a chart's directory").to_string_lossy();
        let values = self.values.file_stem().expect("a file of values").to_string_lossy();
        format!("{chart}/{values}")
    }

    /// What this renderer makes of it.
    pub(crate) fn render(&self) -> Result<Rendered, String> {
        let chart = Chart::from_dir(&self.chart).map_err(|error| error.to_string())?;
        let values = std::fs::read_to_string(&self.values).expect("readable values");
        rendered(&chart, &serde_json::from_str(&values).expect("values in JSON"))
    }

    /// The same as one text.
    pub(crate) fn ours(&self) -> String {
        match self.render() {
            Ok(rendered) => rendered.text,
            Err(error) => format!("Error: {}\n", error.trim_end()),
        }
    }
}

/// A chart as it is rendered with some values.
pub(crate) fn rendered(chart: &Chart, values: &serde_json::Value) -> Result<Rendered, String> {
    let release = Release::install(NAME, NAMESPACE, jiff::Timestamp::UNIX_EPOCH);
    chart.render(&release, values, &Capabilities::default(), &NoCluster).map_err(|error| error.to_string())
}

impl Helm {
    /// The program, if there is one.
    pub(crate) fn find() -> Result<Self, Missing> {
        if let Some(program) = std::env::var_os("HELM").map(PathBuf::from) {
            assert!(program.is_file(), "HELM names {}, which is no file", program.display());
            return Ok(Self(program));
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let programs = std::env::split_paths(&path).map(|directory| directory.join("helm"));
        let found = programs.into_iter().find(|program| program.is_file());
        found.map(Self).ok_or(Missing("HELM is not set, and there is no helm on PATH"))
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = Command::new(&self.0)
            .args(arguments)
            .env("TZ", "UTC")
            .env("HELM_NAMESPACE", NAMESPACE)
            .env_remove("KUBECONFIG")
            .output();
        output.expect("helm to start")
    }

    /// What it prints, or what it complains about.
    pub(crate) fn template(&self, case: &Case) -> String {
        let (chart, values) = (case.chart.to_string_lossy(), case.values.to_string_lossy());
        let output = self.run(&["template", NAME, &chart, "-f", &values]);
        if output.status.success() {
            return String::from_utf8_lossy(&output.stdout).into_owned();
        }
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        let complaint = &complaint[complaint.find("Error: ").unwrap_or(0)..];
        let hint = complaint.find("\n\nUse --debug flag").unwrap_or(complaint.len());
        format!("{}\n", complaint[..hint].trim_end())
    }

    /// Makes a chart as people start with.
    pub(crate) fn create(&self, directory: &Path, name: &str) {
        let output = self.run(&["create", &directory.join(name).to_string_lossy()]);
        assert!(output.status.success(), "helm create: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The notes of an installation that is not carried out.
    pub(crate) fn notes(&self, case: &Case) -> String {
        let (chart, values) = (case.chart.to_string_lossy(), case.values.to_string_lossy());
        let output = self.run(&["install", NAME, &chart, "-f", &values, "--dry-run=client"]);
        assert!(output.status.success(), "helm install: {}", String::from_utf8_lossy(&output.stderr));
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        let (_, notes) = shown.split_once("\nNOTES:\n").expect("notes");
        notes.trim_end().into()
    }
}
