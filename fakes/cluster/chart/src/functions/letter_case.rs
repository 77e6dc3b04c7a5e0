//! Upper and lower case, and the cases that programs name things in.

use super::Param::Str;
use super::{Function, text};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("title", &[Str], |values| Ok(title(text(&values[0])).into())),
    Function::new("untitle", &[Str], |values| Ok(untitle(text(&values[0])).into())),
    Function::new("swapcase", &[Str], |values| Ok(swap_case(text(&values[0])).into())),
    Function::new("snakecase", &[Str], |values| Ok(joined_case(text(&values[0]), '_').into())),
    Function::new("kebabcase", &[Str], |values| Ok(joined_case(text(&values[0]), '-').into())),
    Function::new("camelcase", &[Str], |values| Ok(pascal_case(text(&values[0])).into())),
];

fn upper(character: char) -> char {
    character.to_uppercase().next().unwrap_or(character)
}

fn lower(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

/// `strings.Title`: letters after what is neither letter, digit, underscore nor apostrophe-like ASCII.
fn title(value: &str) -> String {
    let mut previous = ' ';
    let mut out = String::with_capacity(value.len());
    for character in value.chars() {
        let separated = if previous.is_ascii() {
            !(previous.is_ascii_alphanumeric() || previous == '_')
        } else {
            previous.is_whitespace()
        };
        out.push(if separated { upper(character) } else { character });
        previous = character;
    }
    out
}

fn untitle(value: &str) -> String {
    let mut at_start = true;
    value
        .chars()
        .map(|character| {
            let changed = if at_start { lower(character) } else { character };
            at_start = character.is_whitespace();
            changed
        })
        .collect()
}

fn swap_case(value: &str) -> String {
    let mut after_space = true;
    value
        .chars()
        .map(|character| {
            if character.is_uppercase() {
                after_space = false;
                lower(character)
            } else if character.is_lowercase() {
                after_space = false;
                upper(character)
            } else {
                after_space = character.is_whitespace();
                character
            }
        })
        .collect()
}

fn is_connector(character: char) -> bool {
    character == '-' || character == '_' || character.is_whitespace()
}

fn pascal_case(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value.chars();
    let mut current = loop {
        match rest.next() {
            None => return out,
            Some(character) if is_connector(character) => {
                out.push(character);
                if rest.as_str().is_empty() {
                    return out;
                }
            }
            Some(character) => break character,
        }
    };
    let mut first_upper = current.is_uppercase();
    current = upper(current);
    for next in rest {
        let previous = std::mem::replace(&mut current, next);
        if is_connector(current) && is_connector(previous) {
            out.push(previous);
        } else if is_connector(previous) {
            first_upper = current.is_uppercase();
            current = upper(current);
        } else {
            if first_upper {
                if current.is_uppercase() {
                    current = lower(current);
                } else {
                    first_upper = false;
                }
            }
            out.push(previous);
        }
    }
    out.push(current);
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    None,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

fn is_letter(character: char) -> bool {
    character.is_uppercase() || character.is_lowercase()
}

fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation() && !"$+<=>^`|~".contains(character)
}

/// The end of the run of characters from the start of a text.
fn run(value: &str, accept: impl Fn(char) -> bool) -> usize {
    value.find(|character| !accept(character)).unwrap_or(value.len())
}

/// The first word of a text and where it ends.
fn next_word(value: &str) -> (Word, usize) {
    let Some(first) = value.chars().next() else {
        return (Word::None, 0);
    };
    if is_connector(first) {
        (Word::Connector, run(value, is_connector))
    } else if is_punctuation(first) {
        (Word::Punctuation, run(value, is_punctuation))
    } else if first.is_uppercase() {
        (Word::Upper, upper_word(value, first.len_utf8()))
    } else if is_letter(first) {
        (Word::Alphabet, run(value, |character| is_letter(character) && !character.is_uppercase()))
    } else if first.is_numeric() {
        (Word::Number, run(value, char::is_numeric))
    } else {
        let other = |character: char| {
            !(is_connector(character)
                || is_letter(character)
                || character.is_numeric()
                || is_punctuation(character))
        };
        (Word::Other, run(value, other))
    }
}

/// `HTTPStatus` is HTTP and Status.
fn upper_word(value: &str, first: usize) -> usize {
    let capitals = run(value, char::is_uppercase);
    let rest = &value[capitals..];
    if capitals == first {
        return capitals + run(rest, |character| is_letter(character) && !character.is_uppercase());
    }
    let last = value[..capitals].chars().next_back().map_or(0, char::len_utf8);
    if rest.chars().next().is_some_and(is_letter) { capitals - last } else { capitals }
}

struct Words<'a> {
    kind: Word,
    word: &'a str,
    rest: &'a str,
}

impl Words<'_> {
    fn advance(&mut self) {
        let (kind, end) = next_word(self.rest);
        self.kind = kind;
        self.word = &self.rest[..end];
        self.rest = &self.rest[end..];
    }

    /// Words of letters and digits that belong together.
    fn take_alphanumeric(&mut self, out: &mut String) {
        while matches!(self.kind, Word::Alphabet | Word::Number) {
            out.push_str(&self.word.to_lowercase());
            self.advance();
        }
    }
}

fn joined_case(value: &str, connector: char) -> String {
    let mut words = Words { kind: Word::None, word: "", rest: value };
    let mut out = String::new();
    words.advance();
    while !words.rest.is_empty() {
        if words.kind != Word::Connector {
            push_lower(&mut out, words.kind, words.word, connector);
        }
        let (previous, last) = (words.kind, words.word);
        words.advance();
        match previous {
            Word::Number => {
                words.take_alphanumeric(&mut out);
                if !matches!(words.kind, Word::None | Word::Punctuation | Word::Connector) {
                    out.push(connector);
                }
            }
            Word::Connector => push_lower(&mut out, previous, last, connector),
            Word::Punctuation => {}
            _ => after_letters(&mut words, &mut out, connector),
        }
    }
    push_lower(&mut out, words.kind, words.word, connector);
    out
}

/// Decides whether what follows a word of letters is a word of its own.
fn after_letters(words: &mut Words<'_>, out: &mut String, connector: char) {
    if words.kind != Word::Number {
        if !matches!(words.kind, Word::Connector | Word::Punctuation) {
            out.push(connector);
        }
        return;
    }
    if words.rest.is_empty() {
        return;
    }
    let number = words.word;
    words.advance();
    if words.kind != Word::Alphabet {
        out.push_str(number);
        if !matches!(words.kind, Word::Connector | Word::Punctuation) {
            out.push(connector);
        }
        return;
    }
    out.push(connector);
    out.push_str(number);
    words.take_alphanumeric(out);
    if !matches!(words.kind, Word::None | Word::Connector | Word::Punctuation) {
        out.push(connector);
    }
}

fn push_lower(out: &mut String, kind: Word, word: &str, connector: char) {
    if !matches!(kind, Word::Upper | Word::Connector) {
        out.push_str(word);
    } else if kind == Word::Connector {
        out.extend(word.chars().map(|_| connector));
    } else {
        out.extend(word.chars().map(lower));
    }
}

#[cfg(test)]
mod tests {
    use super::{joined_case, pascal_case, title};

    #[test]
    fn names_change_their_case_word_by_word() {
        assert_eq!(joined_case("FirstName", '_'), "first_name");
        assert_eq!(joined_case("HTTPServer", '_'), "http_server");
        assert_eq!(joined_case("NoHTTPS", '_'), "no_https");
        assert_eq!(joined_case("GO_PATH", '_'), "go_path");
        assert_eq!(joined_case("GO PATH", '-'), "go-path");
        assert_eq!(joined_case("HTTP20xOK", '_'), "http_20x_ok");
        assert_eq!(joined_case("Bld4Floor3rd", '_'), "bld4_floor_3rd");
        assert_eq!(pascal_case("http_server"), "HttpServer");
        assert_eq!(title("hello my-world"), "Hello My-World");
    }
}
