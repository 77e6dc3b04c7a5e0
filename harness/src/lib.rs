//! Scenario language, worlds, timeline, judge, reports and runner.
//!
//! ```text
//!   scenario/  what breaks and what must then be said        world/     where it happens, behind one interface
//!   fault/     the table of faults and heals                 recorder/  looks, as users do
//!   timeline/  everything that happened, append-only         judge/     a pure function of that
//!   run/       threads, controls, directories, verdicts      report/    for people and machines
//!   matrix/    fault × blocker, from timelines alone
//!   diagnosis/ from complete evidence to the right blocker
//!   recording/ what a cluster said while a scenario was played in it
//!   fidelity/  how true the simulated cluster is to recordings of a real one
//!   cli/       `smoke`                                        suite      `cargo test --test smoke`
//! ```
//! The system under test is a black box: nothing here knows how the appliance works, only what its contract says.

mod chain;
pub mod cli;
pub mod diagnosis;
pub mod fault;
pub mod fidelity;
pub mod judge;
pub mod matrix;
pub mod recorder;
pub mod recording;
pub mod report;
pub mod run;
pub mod scenario;
pub mod suite;
pub mod timeline;
pub mod world;
