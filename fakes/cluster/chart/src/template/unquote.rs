//! `strconv.Unquote` for the string and character constants of templates.

use crate::value::text;

/// The text of a quoted or raw string; nothing if it is malformed.
pub(crate) fn unquote(quoted: &str) -> Option<String> {
    if let Some(raw) = quoted.strip_prefix('`') {
        return Some(raw.strip_suffix('`')?.replace('\r', ""));
    }
    let body = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(body.len());
    let mut rest = body;
    while !rest.is_empty() {
        let (piece, after) = unquote_one(rest, '"')?;
        match piece {
            Piece::Character(character) => {
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes())
            }
            Piece::Byte(byte) => bytes.push(byte),
        }
        rest = after;
    }
    Some(text::from_bytes(&bytes))
}

/// The value of a character constant.
pub(crate) fn unquote_char(quoted: &str) -> Option<char> {
    let (piece, rest) = unquote_one(quoted.strip_prefix('\'')?, '\'')?;
    if rest != "'" {
        return None;
    }
    Some(match piece {
        Piece::Character(character) => character,
        Piece::Byte(byte) => char::from(byte),
    })
}

enum Piece {
    Character(char),
    Byte(u8),
}

fn unquote_one(text: &str, delimiter: char) -> Option<(Piece, &str)> {
    let mut characters = text.chars();
    let first = characters.next()?;
    if first == delimiter || first == '\n' {
        return None;
    }
    if first != '\\' {
        return Some((Piece::Character(first), characters.as_str()));
    }
    let code = characters.next()?;
    let simple = match code {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' => '\\',
        '\'' | '"' if code == delimiter => code,
        'x' => return digits(characters.as_str(), 2, 16, true),
        'u' => return digits(characters.as_str(), 4, 16, false),
        'U' => return digits(characters.as_str(), 8, 16, false),
        '0'..='7' => return digits(&text[1..], 3, 8, true),
        _ => return None,
    };
    Some((Piece::Character(simple), characters.as_str()))
}

fn digits(text: &str, count: usize, radix: u32, byte: bool) -> Option<(Piece, &str)> {
    let number = text.get(..count)?;
    if !number.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let code = u32::from_str_radix(number, radix).ok()?;
    let piece =
        if byte { Piece::Byte(u8::try_from(code).ok()?) } else { Piece::Character(char::from_u32(code)?) };
    Some((piece, &text[count..]))
}

#[cfg(test)]
mod tests {
    use super::{unquote, unquote_char};

    #[test]
    fn escapes_become_what_they_stand_for() {
        assert_eq!(unquote(r#""a\n\t\"\\é\101\xc3\xa9""#).as_deref(), Some("a\n\t\"\\éAé"));
        assert_eq!(unquote("`a\\n`").as_deref(), Some("a\\n"));
        assert_eq!(unquote(r#""\q""#), None);
        assert_eq!(unquote_char(r"'\''"), Some('\''));
    }
}
