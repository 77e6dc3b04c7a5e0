//! The programs together, over real sockets.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests may fail as tests do")]

mod application;
mod bootstrap;
mod database;
mod full;
mod result;
mod temporal;
mod world;
