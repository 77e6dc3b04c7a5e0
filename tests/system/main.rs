//! The whole system from outside: the real binaries, used as people use them.
//!
//! Each test has directories of its own for reports, worlds and scenario files, so that they run side by side, and beside
//! whatever else runs on the machine. A test that needs a program which is not everywhere says so in a line that begins with
//! `lanes:`.

mod api;
mod components;
mod confined;
mod daily;
mod described;
mod empty;
mod engineless;
mod fidelity;
mod kept;
mod killed;
mod lanes;
mod lying;
mod matrix;
mod mistakes;
mod program;
mod recorded;
mod reported;
mod reset;
mod restarted;
mod services;
mod side_by_side;
mod smoke;
mod talos;
mod variants;
mod verdicts;
mod world;
mod worlds;
