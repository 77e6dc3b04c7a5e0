//! A shell and a sleeper for simulated containers.
