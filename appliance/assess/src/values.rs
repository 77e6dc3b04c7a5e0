//! What of a release's values matters here, read once when they come.

use serde::Deserialize;

/// The values of a release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ReleaseValues {
    /// There are none.
    #[default]
    None,
    /// These.
    Read(Chosen),
    /// They are no YAML, or say something else than values do.
    Unreadable,
}

/// What values choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Chosen {
    pub(crate) image: Image,
    pub(crate) server: Server,
    #[serde(rename = "appUrl")]
    pub(crate) app_url: Option<String>,
    pub(crate) bootstrap: Bootstrap,
}

/// How the next bootstrap job goes about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Bootstrap {
    pub(crate) mode: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Server {
    pub(crate) image: Image,
}

/// An image, as far as it is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Image {
    pub(crate) repository: Option<String>,
    pub(crate) tag: Option<String>,
}

impl ReleaseValues {
    /// Reads the text of a values file.
    pub fn read(text: &str) -> Self {
        if text.trim().is_empty() {
            return Self::None;
        }
        match serde_saphyr::from_str::<Option<Chosen>>(text) {
            Ok(chosen) => Self::Read(chosen.unwrap_or_default()),
            Err(_) => Self::Unreadable,
        }
    }

    /// What they choose, where anything can be read.
    pub(crate) fn chosen(&self) -> Option<&Chosen> {
        match self {
            Self::Read(chosen) => Some(chosen),
            Self::None | Self::Unreadable => None,
        }
    }
}

impl From<&str> for ReleaseValues {
    fn from(text: &str) -> Self {
        Self::read(text)
    }
}

#[cfg(test)]
mod tests {
    use super::ReleaseValues;

    #[test]
    fn nothing_something_and_what_is_no_yaml_are_told_apart() {
        assert_eq!(ReleaseValues::read(" \n"), ReleaseValues::None);
        assert_eq!(ReleaseValues::read("{{"), ReleaseValues::Unreadable);
        let read =
            ReleaseValues::read("appUrl: http://a:3000 # the site's\nserver: { image: { tag: \"1\" } }\n");
        let chosen = read.chosen().unwrap();
        assert_eq!(chosen.app_url.as_deref(), Some("http://a:3000"));
        assert_eq!(chosen.server.image.tag.as_deref(), Some("1"));
    }
}
