//! Errors of templates, and the words that Helm puts them in.

/// An error, with the one that it wraps.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) text: String,
    /// Whether the evaluator itself says it, with the place in front.
    pub(crate) placed: bool,
    pub(crate) cause: Option<Box<Self>>,
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self { text, placed: false, cause: None }
    }
}

impl From<&str> for Failure {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

/// What a failing or unmet requirement puts around its message.
pub(crate) const WARN_START: &str = "HELM_ERR_START";
pub(crate) const WARN_END: &str = "HELM_ERR_END";

/// The error for a message of `fail` or `required`.
pub(crate) fn warning(message: &str) -> Failure {
    format!("{WARN_START}{message}{WARN_END}").into()
}

/// A parse error in Helm's words.
pub(crate) fn parse_message(file: &str, error: &str) -> String {
    let tokens: Vec<&str> = error.split(": ").collect();
    match tokens.as_slice() {
        [_, location, .., last] => format!("parse error at ({location}): {last}"),
        [_, location] => format!("parse error at ({location}): {location}"),
        _ => format!("parse error in ({file}): {error}"),
    }
}

impl Failure {
    fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |failure| failure.cause.as_deref())
    }

    /// An evaluation error in Helm's words.
    pub(crate) fn message(&self, file: &str) -> String {
        if !self.chain().any(|failure| failure.placed) {
            return self.text.clone();
        }
        let mut tokens = self.text.splitn(3, ": ");
        let (Some(_), Some(location), Some(rest)) = (tokens.next(), tokens.next(), tokens.next()) else {
            return format!("execution error in ({file}): {}", self.text);
        };
        if let Some((_, after)) = rest.split_once(WARN_START)
            && let Some((message, _)) = after.rsplit_once(WARN_END)
        {
            return format!("execution error at ({location}): {message}");
        }
        let mut traces: Vec<Trace> = Vec::new();
        for failure in self.chain() {
            let Some(trace) = Trace::of(&failure.text) else {
                return self.text.clone();
            };
            if traces.last() != Some(&trace) {
                traces.push(trace);
            }
        }
        let text: String = traces.iter().map(Trace::show).collect();
        text.trim().into()
    }
}

/// One step of the way to an error.
#[derive(Debug, PartialEq, Eq)]
struct Trace {
    location: String,
    executed: String,
    message: String,
}

impl Trace {
    fn of(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("template: ")?;
        if rest.starts_with("no template ") {
            return Some(Self { location: String::new(), executed: String::new(), message: text.into() });
        }
        Self::executing(rest).or_else(|| Self::simple(rest))
    }

    fn executing(rest: &str) -> Option<Self> {
        let (location, after) = rest.split_once(": executing ")?;
        let (function, after) = after.strip_prefix('"')?.split_once('"')?;
        let (place, message) = after.strip_prefix(" at <")?.split_once(">: ")?;
        Some(Self {
            location: location.into(),
            executed: format!("executing \"{function}\" at <{place}>:"),
            message: before_next(message),
        })
    }

    fn simple(rest: &str) -> Option<Self> {
        let (location, message) = rest.rsplit_once(": ")?;
        Some(Self { location: location.into(), executed: String::new(), message: before_next(message) })
    }

    fn show(&self) -> String {
        let mut text = String::new();
        if !self.location.is_empty() {
            text.push_str(&format!("{}\n  ", self.location));
        }
        if !self.executed.is_empty() {
            text.push_str(&format!("{}\n    ", self.executed));
        }
        if !self.message.is_empty() {
            text.push_str(&format!("{}\n", self.message));
        }
        text
    }
}

/// A message without the errors chained to it.
fn before_next(message: &str) -> String {
    message.split_once(" template:").map_or(message, |(first, _)| first).into()
}

#[cfg(test)]
mod tests {
    use super::{Failure, parse_message, warning};

    fn placed(text: &str, cause: Option<Failure>) -> Failure {
        Failure { text: text.into(), placed: true, cause: cause.map(Box::new) }
    }

    #[test]
    fn a_refusal_names_the_place_of_the_outermost_call() {
        let cause = warning("Refusing: no");
        let text = format!(
            "template: app/templates/a.yaml:1:27: executing \"app/templates/a.yaml\" at <fail>: error calling fail: {}",
            cause.text
        );
        assert_eq!(
            placed(&text, Some(cause)).message("app/templates/a.yaml"),
            "execution error at (app/templates/a.yaml:1:27): Refusing: no"
        );
    }

    #[test]
    fn a_nil_pointer_is_told_in_three_lines() {
        let text = "template: app/templates/all.yaml:3:13: executing \"app/templates/all.yaml\" at <.Values.no.such.key>: nil pointer evaluating interface {}.such";
        assert_eq!(
            placed(text, None).message("app/templates/all.yaml"),
            "app/templates/all.yaml:3:13\n  executing \"app/templates/all.yaml\" at <.Values.no.such.key>:\n    nil pointer evaluating interface {}.such"
        );
    }

    #[test]
    fn a_parse_error_keeps_place_and_last_words() {
        assert_eq!(
            parse_message("a", "template: a/b.yaml:3: function \"x\" not defined"),
            "parse error at (a/b.yaml:3): function \"x\" not defined"
        );
    }
}
