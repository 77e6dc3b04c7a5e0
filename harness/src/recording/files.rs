//! A stream in files: the format of the recordings.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::stream::{Instance, Line, LogLook, Stream};
use crate::world::Concealed;

/// A recording could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// A file could not be read or written.
    #[error("recording file {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line is not JSON.
    #[error("{path}, line {line}: not a JSON object")]
    Json {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A line of a watch has no time.
    #[error("{path}: {lines} lines, but {times} times in its .times file")]
    Times {
        /// The file.
        path: PathBuf,
        /// Its lines.
        lines: usize,
        /// The times.
        times: usize,
    },
}

const WATCH: &str = ".watch.jsonl";

impl Stream {
    /// Reads what the directory of a case holds.
    ///
    /// # Errors
    /// When a file cannot be read or is not what its name says.
    pub fn read(directory: &Path) -> Result<Self, StreamError> {
        let mut stream = Self::default();
        for path in files(directory)? {
            let name = file_name(&path);
            if let Some(kind) = name.strip_suffix(WATCH) {
                stream.read_watch(&path, kind)?;
            } else if name == "releases.jsonl" {
                stream.releases = json_lines(&path)?;
            } else if name == "timeline.txt" {
                stream.refusals = refusals(&text(&path)?);
            }
        }
        stream.lines.sort_by(|a, b| a.at.total_cmp(&b.at));
        let logs = directory.join("logs");
        for path in if logs.is_dir() { files(&logs)? } else { Vec::new() } {
            if let Some(controller) = file_name(&path).strip_suffix(".jsonl") {
                let began = stream.began();
                let lines = text(&path)?;
                // A line that is no JSON is the program's last word before it broke.
                let lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
                stream
                    .controllers
                    .extend(lines.map(|line| (controller.to_owned(), seconds_of(&line, began), line)));
            }
            if let Some(mut look) = LogLook::named(&file_name(&path)) {
                look.text = text(&path)?;
                stream.logs.push(look);
            }
        }
        stream.logs.sort();
        Ok(stream)
    }

    /// When the case began: the first object is made a moment after that.
    fn began(&self) -> Option<jiff::Timestamp> {
        let made = self.lines.iter().find(|line| line.event["type"] == "ADDED")?;
        let at: jiff::Timestamp =
            made.event["object"]["metadata"]["creationTimestamp"].as_str()?.parse().ok()?;
        Some(at - std::time::Duration::from_secs_f64(made.at.max(0.0)))
    }

    fn read_watch(&mut self, path: &Path, kind: &str) -> Result<(), StreamError> {
        let events = json_lines(path)?;
        let times = text(&path.with_file_name(format!("{kind}.watch.times")))?;
        let times: Vec<f64> = times.lines().filter_map(|line| line.trim().parse().ok()).collect();
        // The last line of a watch may have been written in the moment in which the recorder ended.
        if events.len() > times.len() + 1 {
            return Err(StreamError::Times {
                path: path.to_owned(),
                lines: events.len(),
                times: times.len(),
            });
        }
        let pairs = events.into_iter().zip(times);
        self.lines.extend(pairs.map(|(event, at)| Line { at, kind: kind.to_owned(), event }));
        Ok(())
    }

    /// Writes them as the recorder of the recordings does.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, directory: &Path) -> Result<(), StreamError> {
        self.write_without(&Concealed::default(), directory)
    }

    /// Writes them with a mask in the place of every secret.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_without(&self, secrets: &Concealed, directory: &Path) -> Result<(), StreamError> {
        let put = |path: &Path, text: &str| fs::write(path, secrets.mask(text)).map_err(at(path));
        let logs = directory.join("logs");
        fs::create_dir_all(&logs).map_err(at(&logs))?;
        let mut kinds: Vec<&str> = self.lines.iter().map(|line| line.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            let (mut events, mut times) = (String::new(), String::new());
            for line in self.lines.iter().filter(|line| line.kind == kind) {
                events.push_str(&format!("{}\n", line.event));
                times.push_str(&format!("{:.3}\n", line.at));
            }
            put(&directory.join(format!("{kind}{WATCH}")), &events)?;
            put(&directory.join(format!("{kind}.watch.times")), &times)?;
        }
        if !self.releases.is_empty() {
            let text: String = self.releases.iter().map(|release| format!("{release}\n")).collect();
            put(&directory.join("releases.jsonl"), &text)?;
        }
        let mut names: Vec<&str> = self.controllers.iter().map(|(name, ..)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let own = self.controllers.iter().filter(|(controller, ..)| controller == name);
            let text: String = own.map(|(.., line)| format!("{line}\n")).collect();
            put(&logs.join(format!("{name}.jsonl")), &text)?;
        }
        for look in &self.logs {
            put(&logs.join(look.file_name()), &look.text)?;
        }
        if self.refusals.is_empty() {
            return Ok(());
        }
        let said: String = self.refusals.iter().map(|(at, words)| format!("{at:8.3}  {words}\n")).collect();
        put(&directory.join("timeline.txt"), &said)
    }
}

impl LogLook {
    fn named(file: &str) -> Option<Self> {
        let stem = file.strip_suffix(".txt")?;
        let (rest, second) = stem.rsplit_once("-t")?;
        let (rest, instance) = match rest.strip_suffix("-previous") {
            Some(rest) => (rest, Instance::Previous),
            None => (rest, Instance::Current),
        };
        let (pod, container) = rest.rsplit_once('.')?;
        let at = second.parse().ok()?;
        Some(Self { pod: pod.into(), container: container.into(), instance, at, text: String::new() })
    }

    fn file_name(&self) -> String {
        let previous = if self.instance == Instance::Previous { "-previous" } else { "" };
        format!("{}.{}{previous}-t{:03}.txt", self.pod, self.container, self.at)
    }
}

/// What a time line says that the API refused to its recorder.
fn refusals(timeline: &str) -> Vec<(f64, String)> {
    timeline
        .lines()
        .filter_map(|line| {
            let (at, words) = line.trim_start().split_once("  ")?;
            let asked = ["list ", "watch ", "$ kubectl apply"].iter().any(|what| words.starts_with(what));
            let refused = asked && words.contains("Error from server");
            refused.then(|| at.parse().ok().map(|at| (at, words.to_owned())))?
        })
        .collect()
}

/// When a controller wrote a line.
fn seconds_of(line: &Value, began: Option<jiff::Timestamp>) -> f64 {
    let at = line["ts"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
    at.zip(began).map_or(0.0, |(at, began)| at.duration_since(began).as_secs_f64())
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, StreamError> {
    let found = fs::read_dir(directory).map_err(at(directory))?;
    let mut paths: Vec<PathBuf> = found.flatten().map(|entry| entry.path()).filter(|p| p.is_file()).collect();
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn json_lines(path: &Path) -> Result<Vec<Value>, StreamError> {
    let json = |(line, text): (usize, &str)| {
        serde_json::from_str(text).map_err(|source| StreamError::Json {
            path: path.to_owned(),
            line: line + 1,
            source,
        })
    };
    text(path)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(json).collect()
}

fn text(path: &Path) -> Result<String, StreamError> {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(at(path))
}

fn at(path: &Path) -> impl Fn(io::Error) -> StreamError {
    move |source| StreamError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_in_no_file_that_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let event = json!({"object": {"message": "signed in with hunter2hunter2"}});
        let (pod, container, text) = ("a".to_owned(), "c".to_owned(), "hunter2hunter2\n".to_owned());
        let look = LogLook { pod, container, instance: Instance::Current, at: 1, text };
        let stream = Stream {
            lines: vec![Line { at: 1.0, kind: "pods".to_owned(), event }],
            logs: vec![look],
            ..Stream::default()
        };
        let secrets = Concealed::new(["hunter2hunter2".to_owned()]);
        stream.write_without(&secrets, directory.path()).unwrap();
        let read = Stream::read(directory.path()).unwrap();
        assert_eq!(read.lines[0].event["object"]["message"], "signed in with [secret]");
        assert_eq!(read.logs[0].text, "[secret]\n");
    }
}
