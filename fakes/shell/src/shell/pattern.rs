//! Patterns of file names and of `case`.

/// A compiled pattern.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pattern(Vec<Token>);

#[derive(Clone, Debug)]
enum Token {
    Char(char),
    One,
    Any,
    Set { negated: bool, ranges: Vec<(char, char)>, classes: Vec<String> },
}

impl Pattern {
    /// From pieces of text; what is quoted stands for itself.
    pub(crate) fn compile<'a>(pieces: impl IntoIterator<Item = (&'a str, bool)>) -> Self {
        let chars: Vec<(char, bool)> =
            pieces.into_iter().flat_map(|(text, quoted)| text.chars().map(move |c| (c, quoted))).collect();
        let mut tokens = Vec::new();
        let mut at = 0;
        while let Some((c, quoted)) = chars.get(at).copied() {
            at += 1;
            let token = match c {
                _ if quoted => Token::Char(c),
                '*' => Token::Any,
                '?' => Token::One,
                '\\' if at < chars.len() => {
                    at += 1;
                    Token::Char(chars[at - 1].0)
                }
                '[' => match set(&chars, at) {
                    Some((token, next)) => {
                        at = next;
                        token
                    }
                    None => Token::Char('['),
                },
                c => Token::Char(c),
            };
            tokens.push(token);
        }
        Self(tokens)
    }

    /// From one text that is not quoted.
    pub(crate) fn new(text: &str) -> Self {
        Self::compile([(text, false)])
    }

    /// Whether it matches more than one text.
    pub(crate) fn is_wild(&self) -> bool {
        self.0.iter().any(|token| !matches!(token, Token::Char(_)))
    }

    /// Whether it begins with this very character.
    pub(crate) fn begins_with(&self, c: char) -> bool {
        matches!(self.0.first(), Some(Token::Char(first)) if *first == c)
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        self.matches_chars(&chars)
    }

    pub(crate) fn matches_chars(&self, text: &[char]) -> bool {
        let (mut token, mut at) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        loop {
            match self.0.get(token) {
                Some(Token::Any) => {
                    star = Some((token, at));
                    token += 1;
                    continue;
                }
                Some(one) if at < text.len() && one.takes(text[at]) => {
                    token += 1;
                    at += 1;
                    continue;
                }
                None if at == text.len() => return true,
                _ => {}
            }
            match star {
                Some((from, begun)) if begun < text.len() => {
                    star = Some((from, begun + 1));
                    token = from + 1;
                    at = begun + 1;
                }
                _ => return false,
            }
        }
    }
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::One => true,
            Self::Any => false,
            Self::Set { negated, ranges, classes } => {
                let found = ranges.iter().any(|(low, high)| (*low..=*high).contains(&c))
                    || classes.iter().any(|class| is_in_class(c, class));
                found != *negated
            }
        }
    }
}

/// Whether a character is of a class such as `digit`.
fn is_in_class(c: char, class: &str) -> bool {
    match class {
        "alpha" => c.is_alphabetic(),
        "digit" => c.is_ascii_digit(),
        "alnum" => c.is_alphanumeric(),
        "upper" => c.is_uppercase(),
        "lower" => c.is_lowercase(),
        "space" => c.is_whitespace(),
        "blank" => c == ' ' || c == '\t',
        "punct" => c.is_ascii_punctuation(),
        "xdigit" => c.is_ascii_hexdigit(),
        "cntrl" => c.is_control(),
        "print" => !c.is_control(),
        "graph" => !c.is_control() && c != ' ',
        _ => false,
    }
}

/// The set that begins after a `[`, and where the text goes on.
fn set(chars: &[(char, bool)], start: usize) -> Option<(Token, usize)> {
    let mut at = start;
    let negated = matches!(chars.get(at), Some(('!' | '^', false)));
    if negated {
        at += 1;
    }
    let (mut ranges, mut classes) = (Vec::new(), Vec::new());
    let first = at;
    loop {
        let (c, quoted) = *chars.get(at)?;
        if c == ']' && !quoted && at > first {
            return Some((Token::Set { negated, ranges, classes }, at + 1));
        }
        if c == '[' && chars.get(at + 1).is_some_and(|(c, _)| *c == ':') {
            let rest: String = chars[at + 2..].iter().map(|(c, _)| c).collect();
            if let Some(end) = rest.find(":]") {
                classes.push(rest[..end].to_owned());
                at += 2 + rest[..end].chars().count() + 2;
                continue;
            }
        }
        let range_to = match (chars.get(at + 1), chars.get(at + 2)) {
            (Some(('-', false)), Some((high, _))) if *high != ']' => Some(*high),
            _ => None,
        };
        ranges.push((c, range_to.unwrap_or(c)));
        at += if range_to.is_some() { 3 } else { 1 };
    }
}
