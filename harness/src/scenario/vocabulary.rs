//! The words of the appliance's contract that scenarios may use.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Declares a closed set of names with its text form.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// All of them, in the contract's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// Their names.
            pub const NAMES: &'static [&'static str] = &[$($text),+];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;
            fn from_str(text: &str) -> Result<Self, UnknownName> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(UnknownName { what: $what, given: text.to_owned(), known: Self::NAMES }),
                }
            }
        }
    };
}

/// A name that is not in the vocabulary.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no {what} is named `{given}`{}", super::meant(.given, .known))]
pub struct UnknownName {
    /// What kind of name.
    pub what: &'static str,
    /// What was given.
    pub given: String,
    /// What could have been given.
    pub known: &'static [&'static str],
}

names! {
    /// A moment of an install that people wait for.
    Milestone, "milestone" {
        /// The status page answered for the first time.
        StatusPage = "status-page",
        /// The application answered for the first time.
        App = "app",
        /// The status document said for the first time that people can log in.
        LoginReady = "login-ready",
        /// The status document said for the first time that everything is there.
        FullyHealthy = "fully-healthy",
        /// The status document named the first of the blockers that the scenario expects.
        Blocker = "blocker",
        /// After the heal, what `recovers` asks for held for the first time.
        Recovered = "recovered",
    }
}

names! {
    /// The state of the whole.
    Rollup, "rollup state" {
        /// Nothing is wrong and it is not done.
        Installing = "installing",
        /// Somebody must do something before anybody can log in.
        FailedActionRequired = "failed_action_required",
        /// People can log in, and something else failed.
        ReadyWithBackgroundIssues = "ready_with_background_issues",
        /// People can log in; the rest is not there yet.
        ReadyToLogIn = "ready_to_log_in",
        /// Everything is there.
        FullyHealthy = "fully_healthy",
    }
}

names! {
    /// A tier of the appliance.
    Tier, "tier" {
        /// Kubernetes, DNS, storage, source.
        Platform = "platform",
        /// Database, cache, pool.
        Core = "core",
        /// The database was filled.
        Bootstrap = "bootstrap",
        /// People can log in.
        Login = "login",
        /// Workers and mail.
        Background = "background",
        /// All of it at the selected release.
        FullHealth = "fullHealth",
    }
}

names! {
    /// A component of the appliance.
    Component, "component" {
        /// The application.
        AlgaCore = "alga-core",
        /// PostgreSQL.
        Db = "db",
        /// Redis.
        Redis = "redis",
        /// The connection pool.
        Pgbouncer = "pgbouncer",
        /// The workflow engine.
        Temporal = "temporal",
        /// Its pages.
        TemporalUi = "temporal-ui",
        /// Runs workflows.
        WorkflowWorker = "workflow-worker",
        /// Sends and receives mail.
        EmailService = "email-service",
        /// Runs the engine's activities.
        TemporalWorker = "temporal-worker",
    }
}

names! {
    /// What goes on for a component.
    Operation, "operation" {
        /// Its image is on its way.
        PullingImage = "pulling_image",
        /// Flux works on its release.
        Reconciling = "reconciling",
    }
}

names! {
    /// Whether a tier or a component is said to be ready.
    Readiness, "readiness" {
        /// `ready: true`
        Ready = "ready",
        /// `ready: false`
        NotReady = "not-ready",
    }
}
