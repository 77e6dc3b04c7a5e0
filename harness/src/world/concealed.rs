//! What must not leave a world.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

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
    /// These values, plain, in base64 and as JSON writes them.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let long = values.into_iter().filter(|value| value.trim().len() >= SHORTEST);
        Self::of_forms(long.flat_map(|value| [STANDARD.encode(&value), escaped(&value), value]).collect())
    }

    /// Both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.forms.extend(other.forms);
        Self::of_forms(self.forms)
    }

    /// The values of a Secret, but for those that Kubernetes and Helm make for themselves.
    pub fn values(secret: &Value) -> Vec<String> {
        let opaque = secret["type"].as_str().is_none_or(|kind| kind == "Opaque");
        let data = secret["data"].as_object().filter(|_| opaque);
        data.into_iter().flat_map(|data| data.values()).filter_map(plain).collect()
    }

    fn of_forms(mut forms: Vec<String>) -> Self {
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

/// What a Secret's value is before its base64.
pub(super) fn plain(encoded: &Value) -> Option<String> {
    String::from_utf8(STANDARD.decode(encoded.as_str()?).ok()?).ok()
}

/// As it stands between the quotation marks of a JSON text.
fn escaped(value: &str) -> String {
    let text = Value::from(value).to_string();
    text[1..text.len() - 1].to_owned()
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
    fn a_key_of_several_lines_is_masked_in_json() {
        let concealed = Concealed::new(["-----BEGIN\nKEY\"-----".to_owned()]);
        let told = Value::from("it says -----BEGIN\nKEY\"-----!").to_string();
        assert_eq!(concealed.mask(&told), r#""it says [secret]!""#);
    }

    #[test]
    fn only_secrets_that_people_made_have_values_to_hide() {
        let secret =
            |kind: &str| serde_json::json!({"type": kind, "data": {"a": STANDARD.encode("hunter2hunter2")}});
        assert_eq!(Concealed::values(&secret("Opaque")), ["hunter2hunter2"]);
        assert!(Concealed::values(&secret("helm.sh/release.v1")).is_empty());
        let both =
            Concealed::new(["hunter2hunter2".to_owned()]).and(Concealed::new(["swordfish-9".to_owned()]));
        assert_eq!(both.mask("hunter2hunter2 swordfish-9"), "[secret] [secret]");
    }

    #[test]
    fn a_secret_inside_another_hides_no_part_of_it() {
        let concealed = Concealed::new(["password".to_owned(), "password-of-the-db".to_owned()]);
        assert_eq!(concealed.mask("password-of-the-db"), "[secret]");
    }
}
