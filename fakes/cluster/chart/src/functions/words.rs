//! Words within strings: wrapping, shortening, initials.

use super::Param::{Int, Str};
use super::{Function, int, text};
use crate::value::text as bytes;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("wrap", &[Int, Str], |values| {
        Ok(wrap(text(&values[1]), int(&values[0]), "\n", LongWords::Whole).into())
    }),
    Function::new("wrapWith", &[Int, Str, Str], |values| {
        let separator = match text(&values[1]) {
            "" => "\n",
            separator => separator,
        };
        Ok(wrap(text(&values[2]), int(&values[0]), separator, LongWords::Cut).into())
    }),
    Function::new("initials", &[Str], |values| Ok(initials(text(&values[0])).into())),
    Function::new("abbrev", &[Int, Str], |values| {
        let (width, value) = (int(&values[0]), text(&values[1]));
        Ok(if width < 4 { value.to_owned() } else { abbreviate(value, 0, width as usize) }.into())
    }),
    Function::new("abbrevboth", &[Int, Int, Str], |values| {
        let (left, right, value) = (int(&values[0]), int(&values[1]), text(&values[2]));
        let whole = right < 4 || (left > 0 && right < 7);
        let offset = usize::try_from(left).unwrap_or(0);
        Ok(if whole { value.to_owned() } else { abbreviate(value, offset, right as usize) }.into())
    }),
    Function::new("shuffle", &[Str], |values| {
        let mut characters: Vec<char> = text(&values[0]).chars().collect();
        for index in (1..characters.len()).rev() {
            characters.swap(index, super::random::below(index + 1));
        }
        Ok(characters.into_iter().collect::<String>().into())
    }),
];

/// What happens to words that are longer than a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LongWords {
    Whole,
    Cut,
}

fn wrap(value: &str, width: i64, separator: &str, long: LongWords) -> String {
    let width = usize::try_from(width).unwrap_or(0).max(1);
    let line: Vec<u8> = bytes::to_bytes(value).into_owned();
    let mut out: Vec<u8> = Vec::new();
    let mut offset = 0;
    while line.len() - offset > width {
        if line[offset] == b' ' {
            offset += 1;
            continue;
        }
        let window = &line[offset..offset + width + 1];
        let end = match window.iter().rposition(|byte| *byte == b' ') {
            Some(space) => Some(offset + space),
            None if long == LongWords::Cut => {
                out.extend_from_slice(&line[offset..offset + width]);
                out.extend_from_slice(separator.as_bytes());
                offset += width;
                continue;
            }
            None => line[offset + width..]
                .iter()
                .position(|byte| *byte == b' ')
                .map(|space| offset + width + space),
        };
        let Some(end) = end else {
            break;
        };
        out.extend_from_slice(&line[offset..end]);
        out.extend_from_slice(separator.as_bytes());
        offset = end + 1;
    }
    out.extend_from_slice(&line[offset..]);
    bytes::from_bytes(&out)
}

/// Shortens to a width with dots, at the end or on both sides.
fn abbreviate(value: &str, offset: usize, width: usize) -> String {
    let length = bytes::len(value);
    if length <= width {
        return value.into();
    }
    let offset = offset.min(length);
    let offset = if length - offset < width - 3 { length - (width - 3) } else { offset };
    if offset <= 4 {
        return format!("{}...", bytes::cut(value, 0, width - 3));
    }
    if width < 7 {
        return String::new();
    }
    if offset + width - 3 < length {
        return format!("...{}", abbreviate(&bytes::cut(value, offset, length), 0, width - 3));
    }
    format!("...{}", bytes::cut(value, length - (width - 3), length))
}

/// The first bytes of words, as characters: whoever wrote the original did not think of others than ASCII.
fn initials(text: &str) -> String {
    let is_space = |byte: &u8| char::from(*byte).is_whitespace();
    let all = bytes::to_bytes(text);
    all.split(is_space).filter_map(|word| word.first()).map(|first| char::from(*first)).collect()
}
