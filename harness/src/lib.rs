//! Scenario language, worlds, timeline, judge, reports and runner.

pub mod fault;
pub mod judge;
pub mod recorder;
pub mod run;
pub mod scenario;
pub mod timeline;
pub mod world;
