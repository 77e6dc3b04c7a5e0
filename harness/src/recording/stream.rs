//! What a cluster said in one case.

use std::collections::BTreeSet;

use serde_json::Value;

/// The streams of one case.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// What the watches brought, in the order of their times.
    pub lines: Vec<Line>,
    /// What `kubectl logs` said, by the seconds at which it was asked.
    pub logs: Vec<LogLook>,
    /// Changes of Helm's release Secrets: names and labels.
    pub releases: Vec<Value>,
    /// Lines of controllers' own logs: the controller, seconds since the case began, the line.
    pub controllers: Vec<(String, f64, Value)>,
    /// What the API refused to who watched: seconds and words.
    pub refusals: Vec<(f64, String)>,
}

/// One line of a watch.
#[derive(Debug, Clone)]
pub struct Line {
    /// Seconds since the case began.
    pub at: f64,
    /// The plural of the kind, which names the file.
    pub kind: String,
    /// The watch event: `type` and `object`.
    pub event: Value,
}

/// The log of one container as it stood at one time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogLook {
    /// Name of the pod.
    pub pod: String,
    /// Name of the container.
    pub container: String,
    /// Which of its instances.
    pub instance: Instance,
    /// Whole seconds since the case began.
    pub at: u32,
    /// Lines with time stamps, or `[rc N]` and the refusal.
    pub text: String,
}

/// Which instance of a container a log is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Instance {
    /// The one that runs or ended last.
    Current,
    /// The one before.
    Previous,
}

impl Stream {
    /// What was said from this second on. Lines of logs that were there before are not among it.
    #[must_use]
    pub fn since(mut self, second: f64) -> Self {
        let mut before: BTreeSet<(String, String, String)> = BTreeSet::new();
        self.logs.retain_mut(|look| {
            let line = |line: &str| (look.pod.clone(), look.container.clone(), line.to_owned());
            if f64::from(look.at) <= second {
                before.extend(look.text.lines().map(line));
                return false;
            }
            let news: Vec<&str> = look.text.lines().filter(|text| !before.contains(&line(text))).collect();
            look.text = news.join("\n");
            true
        });
        self.lines.retain(|line| line.at >= second);
        self.controllers.retain(|(_, at, _)| *at >= second);
        self.refusals.retain(|(at, _)| *at >= second);
        self.releases.retain(|release| release["t"].as_f64().is_none_or(|at| at >= second));
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn look(at: u32, text: &str) -> LogLook {
        let (pod, container) = ("a".to_owned(), "c".to_owned());
        LogLook { pod, container, instance: Instance::Current, at, text: text.to_owned() }
    }

    #[test]
    fn what_was_said_before_a_second_is_not_said_since_then() {
        let line = |at: f64| Line { at, kind: "pods".to_owned(), event: json!({"at": at}) };
        let stream = Stream {
            lines: vec![line(1.0), line(9.5), line(12.0)],
            logs: vec![look(9, "up\nready\n"), look(20, "up\nready\nlost\n")],
            releases: vec![json!({"t": 1.0}), json!({"t": 30.0})],
            refusals: vec![(3.0, "no".to_owned())],
            ..Stream::default()
        };
        let since = stream.since(9.5);
        assert_eq!(since.lines.iter().map(|line| line.at).collect::<Vec<_>>(), [9.5, 12.0]);
        assert_eq!(since.logs, [look(20, "lost")]);
        assert_eq!((since.releases.len(), since.refusals.len()), (1, 0));
    }
}
