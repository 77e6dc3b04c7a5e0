//! Reading the environment.

use std::time::Duration;

use crate::context::Context;

/// The environment lacks something, or holds what cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// A variable that must be there is not.
    #[error("environment variable {0} is not set")]
    Missing(&'static str),
    /// A variable that must hold a number does not.
    #[error("environment variable {name} is not a number: {value:?}")]
    NotANumber {
        /// Its name.
        name: &'static str,
        /// What it holds.
        value: String,
    },
    /// A variable that is written into a configuration file as a number is none; said as a YAML reader says it, which cuts long
    /// texts after seven letters.
    #[error("yaml: unmarshal errors: cannot unmarshal !!str `{}` into int", cut(.0))]
    Unmarshal(String),
}

fn cut(value: &str) -> String {
    if value.chars().count() > 10 {
        format!("{}...", value.chars().take(7).collect::<String>())
    } else {
        value.to_owned()
    }
}

impl Context {
    /// A variable that is set and not empty.
    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(crate) fn required(&self, name: &'static str) -> Result<String, SettingError> {
        self.var(name).map(str::to_owned).ok_or(SettingError::Missing(name))
    }

    pub(crate) fn text(&self, name: &str, otherwise: &str) -> String {
        self.var(name).unwrap_or(otherwise).to_owned()
    }

    pub(crate) fn number<T: std::str::FromStr>(
        &self,
        name: &'static str,
        otherwise: T,
    ) -> Result<T, SettingError> {
        let Some(value) = self.var(name) else { return Ok(otherwise) };
        value.parse().map_err(|_| SettingError::NotANumber { name, value: value.to_owned() })
    }

    /// A number that reaches the program by way of a YAML file.
    pub(crate) fn yaml_number<T: std::str::FromStr>(
        &self,
        name: &'static str,
        otherwise: T,
    ) -> Result<T, SettingError> {
        let Some(value) = self.var(name) else { return Ok(otherwise) };
        value.parse().map_err(|_| SettingError::Unmarshal(value.to_owned()))
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.var(name).is_some_and(|value| value == "true" || value == "1")
    }

    /// How long to wait between two tries of anything.
    pub(crate) fn retry_interval(&self) -> Result<Duration, SettingError> {
        Ok(Duration::from_secs(self.number("RETRY_INTERVAL_SECONDS", 2_u64)?.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::SettingError;

    #[test]
    fn a_service_link_is_quoted_as_a_yaml_reader_quotes_it() {
        let error = SettingError::Unmarshal("tcp://10.96.14.3:8080".to_owned());
        assert_eq!(error.to_string(), "yaml: unmarshal errors: cannot unmarshal !!str `tcp://1...` into int");
    }
}
