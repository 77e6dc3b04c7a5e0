//! Scenario language, worlds, timeline, judge, reports and runner.

pub mod fault;
pub mod recorder;
pub mod scenario;
pub mod timeline;
pub mod world;
