//! A command in one text, split as a shell splits words.

/// A quotation mark without its partner, or nothing at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWords {
    /// No word.
    #[error("a command that is empty")]
    Empty,
    /// This mark has no partner.
    #[error("a {0} without its partner")]
    Open(char),
}

/// Words are separated by blanks; quotation marks of either kind keep blanks, a backslash keeps the next character.
///
/// # Errors
/// See [`BadWords`].
pub fn words(text: &str) -> Result<Vec<String>, BadWords> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(mark), c) if c == mark => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(characters.next()),
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(mark) = quote {
        return Err(BadWords::Open(mark));
    }
    words.extend(word);
    if words.is_empty() { Err(BadWords::Empty) } else { Ok(words) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotation_marks_keep_blanks() {
        assert_eq!(words("python3 -c 'a b' \"c d\" e\\ f").unwrap(), ["python3", "-c", "a b", "c d", "e f"]);
    }

    #[test]
    fn an_open_quotation_mark_is_an_error() {
        assert_eq!(words("a 'b"), Err(BadWords::Open('\'')));
        assert_eq!(words("  "), Err(BadWords::Empty));
    }
}
