//! A cluster as kubectl sees it, where there is a kubectl.

mod commands;
mod program;
mod tour;
