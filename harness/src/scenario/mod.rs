//! The scenario language: what breaks, what the appliance must then say, what heals it.

mod nearest;
mod vocabulary;

pub use nearest::{meant, nearest};
pub use vocabulary::{Component, Milestone, Readiness, Rollup, Tier, UnknownName};
