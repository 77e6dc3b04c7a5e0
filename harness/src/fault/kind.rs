//! The columns of the table.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::world::Capability;

/// One kind of fault.
#[derive(Debug)]
pub struct FaultKind {
    /// `<where>.<what>`.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// The heal verbs that take it away.
    pub healed_by: &'static [&'static str],
    /// What proves that it happened to somebody.
    pub receipt: &'static str,
    /// The blocker that the appliance must then name.
    pub leads_to: LeadsTo,
    /// Where the site sees it.
    pub shows: Shows,
    /// What a world needs for it.
    pub needs: Capability,
}

/// One kind of heal step.
#[derive(Debug)]
pub struct HealKind {
    /// `<where>.<verb>`.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// What a world needs for it.
    pub needs: Capability,
}

/// A named parameter.
#[derive(Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: ParamKind,
    /// Whether it must be given.
    pub needed: Need,
    /// What it means.
    pub doc: &'static str,
}

/// Whether a parameter must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It must.
    Required,
    /// It may be left out.
    Optional,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    /// One of the release's images, by component or by the last part of its repository.
    Image,
    /// A host name.
    Host,
    /// An HTTP status that says no: 400 to 599.
    HttpStatus,
    /// A length of field time.
    Duration,
    /// The name of an object that somebody adds.
    ObjectName,
    /// A label's key or value, as Kubernetes permits it.
    Label,
    /// The name of a file or a package, without folders.
    FileName,
    /// A number from one to another; `what` says of what.
    Count {
        /// What is counted.
        what: &'static str,
        /// The least.
        from: u64,
        /// The most.
        to: u64,
    },
    /// IP addresses, separated by commas.
    Addresses,
    /// One of these names; `what` says of what.
    OneOf {
        /// What is named.
        what: &'static str,
        /// The names.
        names: &'static [&'static str],
    },
}

/// A parameter's value, checked against its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamValue {
    /// A name.
    Text(String),
    /// A number.
    Number(u64),
    /// A length of field time.
    Duration(Duration),
}

/// Values by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(pub BTreeMap<&'static str, ParamValue>);

impl Params {
    /// A name, if it was given.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(ParamValue::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A length of field time, if it was given.
    pub fn duration(&self, name: &str) -> Option<Duration> {
        match self.0.get(name) {
            Some(ParamValue::Duration(duration)) => Some(*duration),
            _ => None,
        }
    }

    /// A number, if it was given.
    pub fn number(&self, name: &str) -> Option<u64> {
        match self.0.get(name) {
            Some(ParamValue::Number(number)) => Some(*number),
            _ => None,
        }
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        f.write_str("(")?;
        for (index, (name, value)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name}: {value}")?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Duration(duration) => write!(f, "{duration:?}"),
        }
    }
}

/// What the appliance must make of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeadsTo {
    /// One of these blockers; which one depends on the fault's parameters and on its moment.
    Blocker(&'static [&'static str]),
    /// No blocker, because.
    Nothing(&'static str),
}

impl LeadsTo {
    /// Whether this blocker may come of it.
    pub fn may_be(self, code: &str) -> bool {
        matches!(self, Self::Blocker(codes) if codes.contains(&code))
    }
}

impl fmt::Display for LeadsTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocker(codes) => write!(f, "`{}`", codes.join("` or `")),
            Self::Nothing(reason) => write!(f, "no blocker: {reason}"),
        }
    }
}

/// Where the site sees a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// In the status document and on its page.
    Status,
    /// In what the operator's command prints.
    Operator,
}
