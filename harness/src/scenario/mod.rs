//! The scenario language: what breaks, what the appliance must then say, what heals it.
//!
//! ```text
//!   file ─ tree (every key and value with its place) ─ fields ─ model
//!                                     problems: file:line:column, the line, a caret, what was meant
//! ```
//! Start at [`read`]; [`Scenario`] is what comes out.

mod catalogue;
mod codes;
mod expectations;
mod fields;
mod folder;
mod hash;
mod model;
mod nearest;
mod problem;
mod read;
mod schema;
mod steps;
mod tree;
mod vocabulary;

pub use catalogue::catalogue;
pub use codes::{BlockerCode, CODES, code_names, codes_of};
pub use folder::{BadFiles, FolderError, choose, load};
pub use hash::{expectation_hash, file_hash};
pub use model::{
    AfterHeal, Blocker, Bootstrap, Consequence, Document, Exit, Expect, Operator, Pattern, Scenario,
    Transient,
};
pub use nearest::{meant, nearest};
pub use problem::{BadScenario, Place, Problem};
pub use read::{DEFAULT_PROFILE, DEFAULT_RELEASE, read};
pub use schema::schema;
pub use vocabulary::{Component, Milestone, Operation, Readiness, Rollup, Tier, UnknownName};
