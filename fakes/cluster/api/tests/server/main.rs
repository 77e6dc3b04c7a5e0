//! The server as its clients see it.

mod client;
mod kubectl;
mod outage;
mod world;
