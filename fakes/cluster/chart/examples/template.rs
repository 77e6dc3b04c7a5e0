//! Prints a chart as `helm template NAME CHART [-f VALUES]` does; values are JSON.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use fake_chart::{Capabilities, Chart, NoCluster, Release};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (output, code) = match render(&arguments) {
        Ok(text) => (text, ExitCode::SUCCESS),
        Err(message) => (format!("Error: {message}\n"), ExitCode::FAILURE),
    };
    match std::io::stdout().write_all(output.as_bytes()) {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

fn render(arguments: &[String]) -> Result<String, String> {
    let [name, chart, rest @ ..] = arguments else {
        return Err("usage: template NAME CHART [VALUES.json]".into());
    };
    let chart = Chart::from_dir(Path::new(chart)).map_err(|error| error.to_string())?;
    let values = match rest {
        [file, ..] => std::fs::read_to_string(file).map_err(|error| error.to_string())?,
        [] => "{}".into(),
    };
    let values = serde_json::from_str(&values).map_err(|error| error.to_string())?;
    let release = Release::install(name, "default", jiff::Timestamp::UNIX_EPOCH);
    let rendered = chart.render(&release, &values, &Capabilities::default(), &NoCluster);
    rendered.map(|rendered| rendered.text).map_err(|error| error.to_string())
}
