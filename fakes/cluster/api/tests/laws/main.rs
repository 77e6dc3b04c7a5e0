//! The laws of the API, over HTTP, with random histories.

#[cfg(test)]
mod applying;
#[cfg(test)]
mod watching;
#[cfg(test)]
mod world;
#[cfg(test)]
mod writers;
