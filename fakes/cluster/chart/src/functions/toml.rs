//! TOML, as far as charts use it: tables, arrays, texts, numbers.

use std::fmt::Write as _;

use crate::value::{Map, Value, display, number};

/// Values as TOML.
pub(super) fn marshal(value: &Value) -> Result<String, String> {
    match value {
        Value::Map(map) => {
            let mut out = String::new();
            table(&mut out, map, &[])?;
            Ok(out)
        }
        Value::Nil | Value::Invalid => Err("toml: cannot encode a nil value".into()),
        _ => Err("toml: top-level values must be Go maps or structs".into()),
    }
}

fn is_table_array(value: &Value) -> bool {
    value
        .elements()
        .is_some_and(|items| !items.is_empty() && items.iter().all(|item| matches!(item, Value::Map(_))))
}

fn key(text: &str) -> String {
    let bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !text.is_empty() && text.chars().all(bare) { text.into() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' | '\u{7f}' => _ = write!(out, "\\u{:04x}", u32::from(character)),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

fn table(out: &mut String, map: &Map, path: &[String]) -> Result<(), String> {
    let indent = "  ".repeat(path.len());
    let (tables, plain): (Vec<_>, Vec<_>) = map
        .entries()
        .into_iter()
        .filter(|(_, value)| !value.is_nil())
        .partition(|(_, value)| matches!(value, Value::Map(_)) || is_table_array(value));
    for (name, value) in plain {
        let value = inline(&value)?;
        _ = writeln!(out, "{indent}{} = {value}", key(&name));
    }
    for (name, value) in tables {
        let mut inner = path.to_vec();
        inner.push(key(&name));
        if path.is_empty() && !out.is_empty() {
            out.push('\n');
        }
        match &value {
            Value::Map(map) => {
                _ = writeln!(out, "{indent}[{}]", inner.join("."));
                table(out, map, &inner)?;
            }
            array => {
                for (index, item) in array.elements().unwrap_or_default().iter().enumerate() {
                    if index > 0 && path.is_empty() {
                        out.push('\n');
                    }
                    _ = writeln!(out, "{indent}[[{}]]", inner.join("."));
                    if let Value::Map(map) = item {
                        table(out, map, &inner)?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn inline(value: &Value) -> Result<String, String> {
    Ok(match value {
        Value::Str(text) => quoted(text),
        Value::Float(float) => {
            let text = number::format_g(*float);
            match text.as_str() {
                "NaN" => "nan".into(),
                "+Inf" => "inf".into(),
                "-Inf" => "-inf".into(),
                _ if text.contains(['.', 'e']) => text,
                _ => format!("{text}.0"),
            }
        }
        Value::List(_) | Value::Bytes(_) => {
            let items = value.elements().unwrap_or_default();
            format!("[{}]", items.iter().map(inline).collect::<Result<Vec<_>, _>>()?.join(", "))
        }
        Value::Map(map) => {
            let entries = map.entries();
            let entries =
                entries.iter().map(|(name, value)| Ok(format!("{} = {}", key(name), inline(value)?)));
            format!("{{{}}}", entries.collect::<Result<Vec<_>, String>>()?.join(", "))
        }
        Value::Nil | Value::Invalid => return Err("toml: cannot encode array with nil element".into()),
        other => display::plain(other),
    })
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

/// TOML as values.
pub(super) fn unmarshal(source: &str) -> Result<Value, String> {
    let root = Map::empty();
    let mut current = root.clone();
    let mut reader = Reader { rest: source, line: 1 };
    loop {
        reader.skip_blank_lines();
        if reader.rest.is_empty() {
            return Ok(root.into());
        }
        if let Some(rest) = reader.rest.strip_prefix("[[") {
            reader.rest = rest;
            let path = reader.path("]]")?;
            current = append_table(&root, &path);
        } else if let Some(rest) = reader.rest.strip_prefix('[') {
            reader.rest = rest;
            let path = reader.path("]")?;
            current = descend(&root, &path);
        } else {
            let path = reader.path("=")?;
            reader.skip_space();
            let value = reader.value()?;
            if let Some((last, parents)) = path.split_last() {
                descend(&current, parents).insert(last.as_str(), value);
            }
        }
        reader.end_of_line()?;
    }
}

/// The table at a path, made if it is missing; of an array the last one.
fn descend(root: &Map, path: &[String]) -> Map {
    let mut table = root.clone();
    for part in path {
        let next = match table.get(part) {
            Some(Value::Map(inner)) => inner,
            Some(Value::List(list)) => match list.as_slice().last() {
                Some(Value::Map(inner)) => inner.clone(),
                _ => Map::empty(),
            },
            _ => {
                let inner = Map::empty();
                table.insert(part.as_str(), inner.clone().into());
                inner
            }
        };
        table = next;
    }
    table
}

fn append_table(root: &Map, path: &[String]) -> Map {
    let added = Map::empty();
    if let Some((last, parents)) = path.split_last() {
        let parent = descend(root, parents);
        let mut items = parent.get(last).and_then(|value| value.elements()).unwrap_or_default();
        items.push(added.clone().into());
        parent.insert(last.as_str(), Value::list(items));
    }
    added
}

impl Reader<'_> {
    fn fail<T>(&self, problem: &str) -> Result<T, String> {
        Err(format!("toml: line {}: {problem}", self.line))
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn skip_blank_lines(&mut self) {
        loop {
            self.skip_space();
            if self.rest.starts_with('#') {
                self.rest = &self.rest[self.rest.find('\n').unwrap_or(self.rest.len())..];
            }
            match self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n')) {
                Some(rest) => {
                    self.rest = rest;
                    self.line += 1;
                }
                None => return,
            }
        }
    }

    fn end_of_line(&mut self) -> Result<(), String> {
        self.skip_space();
        if self.rest.is_empty() || self.rest.starts_with(['\n', '\r', '#']) {
            return Ok(());
        }
        self.fail("expected a top-level item to end with a newline, comment, or EOF")
    }

    fn path(&mut self, end: &str) -> Result<Vec<String>, String> {
        let mut path = Vec::new();
        loop {
            self.skip_space();
            let part = if self.rest.starts_with(['"', '\'']) {
                self.text()?
            } else {
                let bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
                let length = self.rest.find(|letter| !bare(letter)).unwrap_or(self.rest.len());
                let (part, rest) = self.rest.split_at(length);
                self.rest = rest;
                part.to_owned()
            };
            path.push(part);
            self.skip_space();
            if let Some(rest) = self.rest.strip_prefix(end) {
                self.rest = rest;
                return Ok(path);
            }
            match self.rest.strip_prefix('.') {
                Some(rest) => self.rest = rest,
                None => return self.fail(&self.no_end_of_path(end)),
            }
        }
    }

    fn no_end_of_path(&self, end: &str) -> String {
        match (self.rest.chars().next(), end) {
            (None, "=") => "unexpected EOF; expected key separator '='".into(),
            (None, _) => "unexpected EOF; expected end of table name".into(),
            (Some(next), "=") => {
                format!("expected '.' or '=', but got {} instead", display::quote_rune(next))
            }
            (Some(next), _) => {
                format!(
                    "expected '.' or ']' to end table name, but got {} instead",
                    display::quote_rune(next)
                )
            }
        }
    }

    fn text(&mut self) -> Result<String, String> {
        for delimiter in ["\"\"\"", "'''", "\"", "'"] {
            let Some(body) = self.rest.strip_prefix(delimiter) else {
                continue;
            };
            let escapes = delimiter.starts_with('"');
            let mut end = 0;
            loop {
                let Some(next) = body[end..].chars().next() else {
                    return self.fail("unexpected EOF; expected end of string");
                };
                if body[end..].starts_with(delimiter) {
                    break;
                }
                let skipped = if escapes && next == '\\' { body[end + 1..].chars().next() } else { None };
                end += next.len_utf8() + skipped.map_or(0, char::len_utf8);
            }
            let raw = &body[..end];
            self.rest = &body[end + delimiter.len()..];
            self.line += raw.matches('\n').count();
            let raw = if delimiter.len() == 3 { raw.strip_prefix('\n').unwrap_or(raw) } else { raw };
            return Ok(if escapes { unescape(raw) } else { raw.into() });
        }
        self.fail("expected a string")
    }

    fn value(&mut self) -> Result<Value, String> {
        if self.rest.starts_with(['"', '\'']) {
            return Ok(self.text()?.into());
        }
        if let Some(rest) = self.rest.strip_prefix('[') {
            self.rest = rest;
            return self.array();
        }
        if let Some(rest) = self.rest.strip_prefix('{') {
            self.rest = rest;
            return self.inline_table();
        }
        let length = self.rest.find([',', ']', '}', '\n', '#']).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(length);
        self.rest = rest;
        let token = token.trim();
        let digits = token.replace('_', "");
        match token {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => match (number::parse_int(&digits, 0), number::parse_float(&digits)) {
                (Ok(int), _) => Ok(Value::Int64(int)),
                (_, Some(float)) => Ok(Value::Float(float)),
                _ => match crate::functions::time::parse("2006-01-02T15:04:05.999999999Z07:00", token) {
                    Some(moment) => Ok(Value::Time(moment)),
                    None => self.fail(&format!("expected value but found {} instead", display::quote(token))),
                },
            },
        }
    }

    fn array(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        loop {
            self.skip_blank_lines();
            if let Some(rest) = self.rest.strip_prefix(']') {
                self.rest = rest;
                return Ok(Value::list(items));
            }
            items.push(self.value()?);
            self.skip_blank_lines();
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
            } else if !self.rest.starts_with(']') {
                return self.fail("expected a comma (',') or array terminator (']')");
            }
        }
    }

    fn inline_table(&mut self) -> Result<Value, String> {
        let table = Map::empty();
        loop {
            self.skip_space();
            if let Some(rest) = self.rest.strip_prefix('}') {
                self.rest = rest;
                return Ok(table.into());
            }
            let path = self.path("=")?;
            self.skip_space();
            let value = self.value()?;
            if let Some((last, parents)) = path.split_last() {
                descend(&table, parents).insert(last.as_str(), value);
            }
            self.skip_space();
            self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
        }
    }
}

fn unescape(raw: &str) -> String {
    let mut out = String::new();
    let mut rest = raw.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match rest.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('\n') => rest = rest.as_str().trim_start().chars(),
            Some(code @ ('u' | 'U')) => {
                let length = if code == 'u' { 4 } else { 8 };
                let digits: String = rest.by_ref().take(length).collect();
                out.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{marshal, unmarshal};
    use crate::value::display;

    #[test]
    fn tables_arrays_and_texts_survive() {
        let source = "a = 1\nb = \"x\\ny\"\n[t.u]\nc = [1, 2.5]\n[[l]]\nn = 'r'\n[[l]]\nn = { k = true }\n";
        let value = unmarshal(source).expect("TOML");
        assert_eq!(
            display::plain(&value),
            "map[a:1 b:x\ny l:[map[n:r] map[n:map[k:true]]] t:map[u:map[c:[1 2.5]]]]"
        );
        assert!(marshal(&value).is_ok_and(|text| text.contains("[[l]]\n  n = \"r\"")));
    }
}
