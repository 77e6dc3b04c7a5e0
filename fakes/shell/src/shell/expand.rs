//! Words become fields.

use futures::future::BoxFuture;

use super::pattern::Pattern;
use super::{Flow, Shell, arithmetic};
use crate::files::Follow;
use crate::syntax::{Operation, Parameter, Part, Word};

/// A piece of a field, and whether it was quoted.
type Piece = (String, bool);

/// Fields that come into being.
#[derive(Default)]
struct Fields {
    done: Vec<Vec<Piece>>,
    open: Option<Vec<Piece>>,
}

impl Fields {
    fn push(&mut self, text: &str, quoted: bool) {
        let open = self.open.get_or_insert_default();
        match open.last_mut() {
            Some((last, same)) if *same == quoted => last.push_str(text),
            _ => open.push((text.to_owned(), quoted)),
        }
    }

    fn end(&mut self) {
        self.done.extend(self.open.take());
    }

    /// The result of an expansion outside of quotes.
    fn split(&mut self, text: &str, separators: &str) {
        let is_blank = |c: char| separators.contains(c) && c.is_ascii_whitespace();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if !separators.contains(c) {
                self.push(c.encode_utf8(&mut [0; 4]), false);
                continue;
            }
            let mut hard = !is_blank(c);
            while let Some(next) = chars.peek().copied().filter(|c| separators.contains(*c)) {
                if !is_blank(next) {
                    if hard {
                        break;
                    }
                    hard = true;
                }
                chars.next();
            }
            if hard {
                self.open.get_or_insert_default();
            }
            self.end();
        }
    }
}

fn joined(pieces: &[Piece]) -> String {
    pieces.iter().map(|(text, _)| text.as_str()).collect()
}

impl Shell {
    /// The fields of several words: split, and matched with files.
    pub(super) async fn fields(&mut self, words: &[Word]) -> Result<Vec<String>, Flow> {
        let mut result = Vec::new();
        for word in words {
            let mut fields = Fields::default();
            self.tilde(word, &mut fields);
            let rest = if fields.open.is_some() { &word[1..] } else { &word[..] };
            self.parts(rest, false, &mut fields).await?;
            fields.end();
            for field in fields.done {
                let pattern = Pattern::compile(field.iter().map(|(text, quoted)| (text.as_str(), *quoted)));
                if pattern.is_wild() && !self.options.noglob {
                    let found = self.glob(&field);
                    if !found.is_empty() {
                        result.extend(found);
                        continue;
                    }
                }
                result.push(joined(&field));
            }
        }
        Ok(result)
    }

    /// One word as one text: no splitting, no files.
    pub(super) async fn text(&mut self, word: &[Part]) -> Result<String, Flow> {
        Ok(joined(&self.pieces(word).await?))
    }

    /// One word as a pattern.
    pub(super) async fn pattern(&mut self, word: &[Part]) -> Result<Pattern, Flow> {
        let pieces = self.pieces(word).await?;
        Ok(Pattern::compile(pieces.iter().map(|(text, quoted)| (text.as_str(), *quoted))))
    }

    async fn pieces(&mut self, word: &[Part]) -> Result<Vec<Piece>, Flow> {
        let mut fields = Fields::default();
        self.tilde(word, &mut fields);
        let rest = if fields.open.is_some() { &word[1..] } else { word };
        let before = std::mem::replace(&mut self.splits, false);
        let done = self.parts(rest, false, &mut fields).await;
        self.splits = before;
        done?;
        fields.end();
        let mut pieces = Vec::new();
        for (number, field) in fields.done.into_iter().enumerate() {
            if number > 0 {
                pieces.push((" ".to_owned(), true));
            }
            pieces.extend(field);
        }
        Ok(pieces)
    }

    /// A `~` at the beginning of a word.
    fn tilde(&self, word: &[Part], fields: &mut Fields) {
        let Some(Part::Literal(text)) = word.first() else { return };
        let Some(rest) = text.strip_prefix('~') else { return };
        if rest.is_empty() && word.len() == 1 || rest.starts_with('/') {
            fields.push(&self.get("HOME").unwrap_or_else(|| "/root".into()), true);
            fields.push(rest, false);
        }
    }

    fn parts<'a>(
        &'a mut self,
        parts: &'a [Part],
        quoted: bool,
        fields: &'a mut Fields,
    ) -> BoxFuture<'a, Result<(), Flow>> {
        Box::pin(async move {
            for part in parts {
                match part {
                    Part::Literal(text) => fields.push(text, quoted),
                    Part::Quoted(text) => fields.push(text, true),
                    Part::Double(inner) => {
                        let only_all = matches!(&inner[..], [Part::Parameter(p)] if p.name == "@");
                        if !only_all {
                            fields.push("", true);
                        }
                        self.parts(inner, true, fields).await?;
                    }
                    Part::Parameter(parameter) => self.parameter(parameter, quoted, fields).await?,
                    Part::Command(list) => {
                        let output = self.substitute(list).await?;
                        self.add(&output, quoted, fields);
                    }
                    Part::Arithmetic(word) => {
                        let text = self.text(word).await?;
                        let value = self.compute(&text).await?;
                        self.add(&value.to_string(), quoted, fields);
                    }
                }
            }
            Ok(())
        })
    }

    fn add(&self, text: &str, quoted: bool, fields: &mut Fields) {
        if quoted {
            fields.push(text, true);
        } else if self.splits {
            let separators = self.get("IFS").unwrap_or_else(|| " \t\n".into());
            fields.split(text, &separators);
        } else {
            fields.push(text, false);
        }
    }

    /// Computes an expression.
    pub(super) async fn compute(&mut self, text: &str) -> Result<i64, Flow> {
        match arithmetic::evaluate(text, &|name| self.get(name)) {
            Ok((value, assigned)) => {
                for (name, value) in assigned {
                    self.assign(&name, value.to_string()).await?;
                }
                Ok(value)
            }
            Err(error) => Err(self.fail(&error.to_string()).await),
        }
    }

    async fn parameter(
        &mut self,
        parameter: &Parameter,
        quoted: bool,
        fields: &mut Fields,
    ) -> Result<(), Flow> {
        let name = parameter.name.as_str();
        let is_list = name == "@" || name == "*";
        if is_list && matches!(parameter.operation, Operation::Value) {
            self.all_parameters(name, quoted, fields);
            return Ok(());
        }
        let value = if is_list {
            (!self.parameters.is_empty()).then(|| self.parameters.join(" "))
        } else {
            self.get(name)
        };
        match &parameter.operation {
            Operation::Value => {
                let value = self.set_or_fail(name, value).await?;
                self.add(&value, quoted, fields);
            }
            Operation::Length => {
                let length = if is_list {
                    self.parameters.len()
                } else {
                    self.set_or_fail(name, value).await?.chars().count()
                };
                self.add(&length.to_string(), quoted, fields);
            }
            Operation::Fallback { sign, colon, word } => {
                let given = value.filter(|value| !*colon || !value.is_empty());
                self.fallback(name, *sign, given, word, quoted, fields).await?;
            }
            Operation::Strip { suffix, longest, pattern } => {
                let value = self.set_or_fail(name, value).await?;
                let pattern = self.pattern(pattern).await?;
                self.add(&strip(&value, &pattern, *suffix, *longest), quoted, fields);
            }
            Operation::Replace { all, pattern, with } => {
                let value = self.set_or_fail(name, value).await?;
                let (pattern, with) = (self.pattern(pattern).await?, self.text(with).await?);
                self.add(&replace(&value, &pattern, &with, *all), quoted, fields);
            }
            Operation::Slice { offset, length } => {
                let value: Vec<char> = self.set_or_fail(name, value).await?.chars().collect();
                let total = i64::try_from(value.len()).unwrap_or(i64::MAX);
                let offset = self.text(offset).await?;
                let offset = self.compute(&offset).await?;
                let from = if offset < 0 { (total + offset).max(0) } else { offset.min(total) };
                let to = match length {
                    None => total,
                    Some(word) => {
                        let length = self.text(word).await?;
                        let length = self.compute(&length).await?;
                        if length < 0 { total + length } else { (from + length).min(total) }
                    }
                };
                let part = value.iter().skip(usize::try_from(from).unwrap_or(0));
                let part: String = part.take(usize::try_from(to - from).unwrap_or(0)).collect();
                self.add(&part, quoted, fields);
            }
        }
        Ok(())
    }

    fn all_parameters(&self, name: &str, quoted: bool, fields: &mut Fields) {
        if name == "*" && quoted {
            let separator = self.get("IFS").map_or(Some(' '), |ifs| ifs.chars().next());
            let separator = separator.map(String::from).unwrap_or_default();
            fields.push(&self.parameters.join(&separator), true);
            return;
        }
        for (number, value) in self.parameters.iter().enumerate() {
            if number > 0 {
                fields.end();
            }
            if quoted {
                fields.push(value, true);
            } else {
                self.add(value, false, fields);
            }
        }
    }

    async fn set_or_fail(&mut self, name: &str, value: Option<String>) -> Result<String, Flow> {
        match value {
            Some(value) => Ok(value),
            None if self.options.nounset && !"@*".contains(name) => {
                Err(self.fail(&format!("{name}: parameter not set")).await)
            }
            None => Ok(String::new()),
        }
    }

    async fn fallback(
        &mut self,
        name: &str,
        sign: char,
        given: Option<String>,
        word: &Word,
        quoted: bool,
        fields: &mut Fields,
    ) -> Result<(), Flow> {
        match (sign, given) {
            ('+', None) => {}
            ('+', Some(_)) | ('-', None) => {
                if quoted {
                    let text = self.text(word).await?;
                    fields.push(&text, true);
                } else {
                    self.fallback_word(word, fields).await?;
                }
            }
            ('=', None) => {
                let value = self.text(word).await?;
                self.assign(name, value.clone()).await?;
                self.add(&value, quoted, fields);
            }
            ('?', None) => {
                let text = self.text(word).await?;
                let text = if text.is_empty() { "parameter not set".to_owned() } else { text };
                return Err(self.fail(&format!("{name}: {text}")).await);
            }
            (_, Some(value)) => self.add(&value, quoted, fields),
            (_, None) => {}
        }
        Ok(())
    }

    /// Literal text of a fallback outside of quotes is split as well.
    async fn fallback_word(&mut self, word: &Word, fields: &mut Fields) -> Result<(), Flow> {
        for part in word {
            match part {
                Part::Literal(text) => self.add(text, false, fields),
                other => self.parts(std::slice::from_ref(other), false, fields).await?,
            }
        }
        Ok(())
    }

    /// The files that a field names, sorted.
    fn glob(&self, field: &[Piece]) -> Vec<String> {
        let absolute = joined(field).starts_with('/');
        let mut components: Vec<Vec<Piece>> = vec![Vec::new()];
        for (text, quoted) in field {
            for (number, part) in text.split('/').enumerate() {
                if number > 0 {
                    components.push(Vec::new());
                }
                if let Some(last) = components.last_mut().filter(|_| !part.is_empty()) {
                    last.push((part.to_owned(), *quoted));
                }
            }
        }
        let mut found = vec![if absolute { "/".to_owned() } else { String::new() }];
        let files = self.process.files();
        let count = components.len();
        for (number, component) in components.into_iter().enumerate() {
            let is_last = number + 1 == count;
            let name = joined(&component);
            if name.is_empty() {
                if is_last && number > 0 {
                    found.retain(|path| files.metadata(&self.process.cwd, path).is_ok_and(|m| m.is_dir()));
                }
                continue;
            }
            let pattern = Pattern::compile(component.iter().map(|(text, quoted)| (text.as_str(), *quoted)));
            let mut next = Vec::new();
            for base in found {
                let names = if pattern.is_wild() {
                    let directory = if base.is_empty() { "." } else { &base };
                    let mut names = files.list(&self.process.cwd, directory).unwrap_or_default();
                    names.retain(|n| pattern.matches(n) && (!n.starts_with('.') || pattern.begins_with('.')));
                    names
                } else {
                    vec![name.clone()]
                };
                for name in names {
                    let path = format!("{base}{name}");
                    let found = files.find(&self.process.cwd, &path, Follow::No);
                    if found.is_ok_and(|place| place.host.symlink_metadata().is_ok()) {
                        next.push(if is_last { path } else { format!("{path}/") });
                    }
                }
            }
            found = next;
        }
        found.sort();
        found
    }
}

fn strip(value: &str, pattern: &Pattern, suffix: bool, longest: bool) -> String {
    let chars: Vec<char> = value.chars().collect();
    let mut cuts: Vec<usize> = (0..=chars.len()).collect();
    if suffix != longest {
        cuts.reverse();
    }
    // For a suffix the short cuts are those near the end, for a prefix those near the beginning.
    for cut in cuts {
        let (part, rest) =
            if suffix { (&chars[cut..], &chars[..cut]) } else { (&chars[..cut], &chars[cut..]) };
        if pattern.matches_chars(part) {
            return rest.iter().collect();
        }
    }
    value.to_owned()
}

fn replace(value: &str, pattern: &Pattern, with: &str, all: bool) -> String {
    let chars: Vec<char> = value.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < chars.len() {
        let end = (at + 1..=chars.len()).rev().find(|end| pattern.matches_chars(&chars[at..*end]));
        match end {
            Some(end) => {
                out.push_str(with);
                at = end;
                if !all {
                    break;
                }
            }
            None => {
                out.push(chars[at]);
                at += 1;
            }
        }
    }
    out.extend(&chars[at..]);
    out
}
