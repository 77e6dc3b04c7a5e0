//! Containers that run scripts.

mod commands;
mod container;
mod containers;
mod network;
mod reference;
mod scripts;
