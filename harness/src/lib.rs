//! Scenario language, worlds, timeline, judge, reports and runner.

pub mod fault;
pub mod scenario;
pub mod world;
