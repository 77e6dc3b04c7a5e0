//! Values as Go's `fmt` prints them with `%v`, and quoted text.

use std::fmt::Write as _;

use super::{Element, List, Map, MapKind, Value, number, text};

/// `%v`
pub(crate) fn plain(value: &Value) -> String {
    let mut out = String::new();
    write_plain(&mut out, value);
    out
}

fn write_plain(out: &mut String, value: &Value) {
    match value {
        Value::Invalid => out.push_str("<no value>"),
        Value::Nil => out.push_str("<nil>"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) | Value::Int64(number) => _ = write!(out, "{number}"),
        Value::Uint8(number) => _ = write!(out, "{number}"),
        Value::Float(number) => out.push_str(&number::format_g(*number)),
        Value::Str(text) => out.push_str(text),
        Value::Bytes(bytes) => {
            let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
            _ = write!(out, "[{}]", numbers.join(" "));
        }
        Value::List(list) => write_list(out, list),
        Value::Map(map) => write_map(out, map),
        Value::Time(moment) => out.push_str(&moment.display()),
        Value::Duration(nanos) => out.push_str(&crate::functions::time::display_duration(*nanos)),
        Value::Version(version) => out.push_str(&version.to_string()),
        Value::Capabilities(facts) => {
            let versions = facts.api_versions.join(" ");
            _ = write!(out, "&{{{} [{versions}] {}}}", kube_struct(facts), HELM_VERSION.display());
        }
        Value::KubeVersion(facts) => out.push_str(&kube_struct(facts)),
        Value::HelmVersion => out.push_str(&HELM_VERSION.display()),
    }
}

fn kube_struct(facts: &crate::capabilities::ClusterFacts) -> String {
    format!("{{{} {} {} {}}}", facts.version, facts.normalized, facts.major, facts.minor)
}

/// What `.Capabilities.HelmVersion` says.
pub(crate) struct HelmBuild {
    pub(crate) version: &'static str,
    pub(crate) go_version: &'static str,
    pub(crate) client_version: &'static str,
}

/// The Helm that this renderer is held against.
pub(crate) const HELM_VERSION: HelmBuild =
    HelmBuild { version: "v4.3", go_version: "go1.26.8", client_version: "v1.37" };

impl HelmBuild {
    fn display(&self) -> String {
        format!("{{{}   {} {}}}", self.version, self.go_version, self.client_version)
    }
}

fn write_list(out: &mut String, list: &List) {
    out.push('[');
    for (index, item) in list.as_slice().iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        write_plain(out, item);
    }
    out.push(']');
}

fn write_map(out: &mut String, map: &Map) {
    out.push_str("map[");
    for (index, (key, value)) in map.entries().iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        out.push_str(key);
        out.push(':');
        write_plain(out, value);
    }
    out.push(']');
}

/// `%#v`
pub(crate) fn syntax(value: &Value) -> String {
    match value {
        Value::Invalid | Value::Nil => "<nil>".into(),
        Value::Str(text) => quote(text),
        Value::Float(number) => number::format_g(*number),
        Value::Uint8(number) => format!("{number:#x}"),
        Value::Bytes(bytes) => {
            let numbers: Vec<String> = bytes.iter().map(|byte| format!("{byte:#x}")).collect();
            format!("[]byte{{{}}}", numbers.join(", "))
        }
        Value::List(List { items: None, .. }) => format!("{}(nil)", value.type_name()),
        Value::List(list) => {
            let items: Vec<String> =
                list.as_slice().iter().map(|item| element_syntax(item, list.element)).collect();
            format!("{}{{{}}}", value.type_name(), items.join(", "))
        }
        Value::Map(map) if map.kind() == MapKind::Nil => format!("{}(nil)", value.type_name()),
        Value::Map(map) => {
            let element = if map.kind() == MapKind::Strings { Element::Str } else { Element::Any };
            let entries: Vec<String> = map
                .entries()
                .iter()
                .map(|(key, value)| format!("{}:{}", quote(key), element_syntax(value, element)))
                .collect();
            format!("{}{{{}}}", value.type_name(), entries.join(", "))
        }
        other => plain(other),
    }
}

fn element_syntax(value: &Value, element: Element) -> String {
    if element == Element::Any && value.is_nil() { "interface {}(nil)".into() } else { syntax(value) }
}

/// `%q` of a string, `strconv.Quote`.
pub(crate) fn quote(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for character in value.chars() {
        quote_character(&mut out, character, '"');
    }
    out.push('"');
    out
}

/// `%q` of a rune.
pub(crate) fn quote_rune(character: char) -> String {
    let mut out = String::from("'");
    quote_character(&mut out, character, '\'');
    out.push('\'');
    out
}

fn quote_character(out: &mut String, character: char, delimiter: char) {
    if let Some(byte) = text::stray_byte(character) {
        _ = write!(out, "\\x{byte:02x}");
        return;
    }
    match character {
        '\\' => out.push_str("\\\\"),
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        _ if character == delimiter => {
            out.push('\\');
            out.push(character);
        }
        _ if is_printable(character) => out.push(character),
        _ if u32::from(character) < 0x20 || character == '\u{7f}' => {
            _ = write!(out, "\\x{:02x}", u32::from(character))
        }
        _ if u32::from(character) < 0x1_0000 => _ = write!(out, "\\u{:04x}", u32::from(character)),
        _ => _ = write!(out, "\\U{:08x}", u32::from(character)),
    }
}

/// `strconv.IsPrint`, nearly: letters, marks, numbers, punctuation, symbols and the ASCII space.
pub(crate) fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return (' '..='~').contains(&character);
    }
    !(character.is_control()
        || character.is_whitespace()
        || matches!(u32::from(character),
            0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e
            | 0x2060..=0x206f | 0xe000..=0xf8ff | 0xfdd0..=0xfdef | 0xfeff | 0xfff0..=0xfffb | 0xfffe..=0xffff
            | 0xe_0000..=0x10_ffff))
}

#[cfg(test)]
mod tests {
    use super::{plain, quote};
    use crate::value::Value;

    #[test]
    fn lists_print_in_brackets_with_spaces() {
        let list = Value::list(vec![Value::Int(1), Value::from("b"), Value::Nil, Value::Float(1e6)]);
        assert_eq!(plain(&list), "[1 b <nil> 1e+06]");
    }

    #[test]
    fn quoting_escapes_what_go_escapes() {
        assert_eq!(quote("a\"\\\n\u{1}é\u{200b}"), "\"a\\\"\\\\\\n\\x01é\\u200b\"");
    }
}
