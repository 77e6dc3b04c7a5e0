//! What must not leave a world.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What stands in a secret's place.
pub const MASK: &str = "[secret]";
/// Shorter values are words that anybody may say.
const SHORTEST: usize = 8;

/// The values of a world's secrets, which are masked in everything that is kept of it.
#[derive(Clone, Default)]
pub struct Concealed {
    /// Longest first, so that no value hides a part of a longer one.
    forms: Vec<String>,
}

impl Concealed {
    /// These values, plain and in base64.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let long = values.into_iter().filter(|value| value.trim().len() >= SHORTEST);
        let mut forms: Vec<String> = long.flat_map(|value| [STANDARD.encode(&value), value]).collect();
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self { forms }
    }

    /// `text` without them.
    pub fn mask(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for form in self.forms.iter().filter(|form| text.contains(form.as_str())) {
            masked = masked.replace(form.as_str(), MASK);
        }
        masked
    }

    /// Whether `text` has one of them.
    pub fn is_in(&self, text: &str) -> bool {
        self.forms.iter().any(|form| text.contains(form.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_plain_and_in_base64_and_words_are_not() {
        let concealed = Concealed::new(["hunter2hunter2".to_owned(), "admin".to_owned()]);
        let told = format!("admin says hunter2hunter2 or {}", STANDARD.encode("hunter2hunter2"));
        assert_eq!(concealed.mask(&told), "admin says [secret] or [secret]");
    }

    #[test]
    fn a_secret_inside_another_hides_no_part_of_it() {
        let concealed = Concealed::new(["password".to_owned(), "password-of-the-db".to_owned()]);
        assert_eq!(concealed.mask("password-of-the-db"), "[secret]");
    }
}
