//! Runs the real program, and this renderer in the same way.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fake_chart::{Capabilities, Chart, NoCluster, Release, Rendered};

/// The real program.
pub(crate) struct Helm(PathBuf);

const NAME: &str = "rel";
const NAMESPACE: &str = "default";

impl Helm {
    /// The program, if there is one; if not, that is said aloud.
    pub(crate) fn find(lane: &str) -> Option<Self> {
        let named = std::env::var_os("HELM").map(PathBuf::from);
        let found = named.clone().or_else(|| {
            let path = std::env::var_os("PATH")?;
            std::env::split_paths(&path).map(|directory| directory.join("helm")).find(|program| program.is_file())
        });
        if let Some(program) = found {
            assert!(program.is_file(), "HELM names {}, which is no file", program.display());
            return Some(Self(program));
        }
        // Straight to the stream: what tests print is only shown if they fail.
        let message = format!("lanes: helm did not run ({lane}: HELM is not set, and there is no helm on PATH)\n");
        std::io::stderr().write_all(message.as_bytes()).expect("stderr");
        None
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
    fn template(&self, chart: &Path, values: &Path) -> Result<String, String> {
        let output = self.run(&["template", NAME, &chart.to_string_lossy(), "-f", &values.to_string_lossy()]);
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        let start = complaint.find("Error: ").map_or(0, |start| start + "Error: ".len());
        let complaint = &complaint[start..];
        let hint = complaint.find("\n\nUse --debug flag").unwrap_or(complaint.len());
        Err(complaint[..hint].trim_end().into())
    }

    /// Makes a chart as people start with.
    pub(crate) fn create(&self, directory: &Path, name: &str) {
        let output = self.run(&["create", &directory.join(name).to_string_lossy()]);
        assert!(output.status.success(), "helm create: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The archive of a chart.
    pub(crate) fn package(&self, chart: &Path, directory: &Path) -> PathBuf {
        let output =
            self.run(&["package", &chart.to_string_lossy(), "--destination", &directory.to_string_lossy()]);
        assert!(output.status.success(), "helm package: {}", String::from_utf8_lossy(&output.stderr));
        let mut entries = std::fs::read_dir(directory).expect("a directory");
        entries.next().expect("an archive").expect("a readable entry").path()
    }

    /// The notes of an installation that is not carried out.
    pub(crate) fn notes(&self, chart: &Path, values: &Path) -> String {
        let output = self.run(&[
            "install",
            NAME,
            &chart.to_string_lossy(),
            "-f",
            &values.to_string_lossy(),
            "--dry-run=client",
        ]);
        assert!(output.status.success(), "helm install: {}", String::from_utf8_lossy(&output.stderr));
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        let (_, notes) = shown.split_once("\nNOTES:\n").expect("notes");
        notes.trim_end().into()
    }
}

/// The release that both render for.
pub(crate) fn release() -> Release {
    Release::install(NAME, NAMESPACE, jiff::Timestamp::UNIX_EPOCH)
}

/// What this renderer makes of a chart.
pub(crate) fn render(chart: &Path, values: &Path) -> Result<Rendered, String> {
    let chart = Chart::from_dir(chart).map_err(|error| error.to_string())?;
    let values = std::fs::read_to_string(values).expect("readable values");
    let values = serde_json::from_str(&values).expect("values in JSON");
    chart.render(&release(), &values, &Capabilities::default(), &NoCluster).map_err(|error| error.to_string())
}

/// The first difference between the two, if there is one.
pub(crate) fn compare(helm: &Helm, chart: &Path, values: &Path) -> Option<String> {
    let theirs = helm.template(chart, values);
    let ours = render(chart, values).map(|rendered| rendered.text);
    if theirs == ours {
        return None;
    }
    let show = |outcome: &Result<String, String>| match outcome {
        Ok(text) => text.clone(),
        Err(error) => format!("Error: {error}"),
    };
    let (theirs, ours) = (show(&theirs), show(&ours));
    let differs = theirs.lines().zip(ours.lines()).position(|(theirs, ours)| theirs != ours);
    let line = differs.unwrap_or_else(|| theirs.lines().count().min(ours.lines().count()));
    let around = |text: &str| {
        let lines: Vec<&str> = text.lines().skip(line.saturating_sub(2)).take(6).collect();
        lines.join("\n    ")
    };
    Some(format!(
        "{} with {} differs in line {}:\n  helm:\n    {}\n  here:\n    {}",
        chart.display(),
        values.display(),
        line + 1,
        around(&theirs),
        around(&ours)
    ))
}
