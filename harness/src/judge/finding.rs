//! One thing that is not as expected.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which rule of a scenario it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// `eventually`, except its blockers.
    Eventually,
    /// `eventually.blockers`.
    Blockers,
    /// A blocker that the scenario does not list.
    Unlisted,
    /// A blocker that is not said as the contract says it.
    Contract,
    /// `always`.
    Always,
    /// `never`.
    Never,
    /// `once`
    Once,
    /// `order`.
    Order,
    /// `within`.
    Within,
    /// `operator`.
    Operator,
    /// `recovers`.
    Recovers,
    /// A fault's receipt is missing.
    Receipt,
    /// The control shows what only the fault may cause.
    Control,
}

/// One thing that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which rule it breaks.
    pub rule: Rule,
    /// What was expected.
    pub expected: String,
    /// What was last seen, or seen at the wrong moment.
    pub seen: String,
    /// Since when, in field time: `since +4m10s (for 36m)`, `at +12s`; empty where nothing was ever seen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub when: String,
}

impl Finding {
    /// The recovery was never tried although nothing stood in its way.
    pub(super) fn untried(history: &super::History) -> Self {
        Self {
            rule: Rule::Recovers,
            expected: "the heal to be tried".to_owned(),
            seen: "no heal phase".to_owned(),
            when: format!("until {}", history.offset(history.end)),
        }
    }
}

impl Rule {
    fn name(self) -> &'static str {
        match self {
            Self::Eventually => "eventually",
            Self::Blockers => "blockers",
            Self::Unlisted => "unlisted blocker",
            Self::Contract => "contract",
            Self::Always => "always",
            Self::Never => "never",
            Self::Once => "once",
            Self::Order => "order",
            Self::Within => "within",
            Self::Operator => "operator",
            Self::Recovers => "recovers",
            Self::Receipt => "receipt",
            Self::Control => "control",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}; last seen {}", self.rule, self.expected, self.seen)?;
        if self.when.is_empty() { Ok(()) } else { write!(f, ", {}", self.when) }
    }
}
