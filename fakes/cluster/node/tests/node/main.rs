//! A node against a real registry, real name servers and small programs, in field time.

#[cfg(test)]
mod ceiling;
#[cfg(test)]
mod containers;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod network;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod pulls;
#[cfg(test)]
mod scheduling;
#[cfg(test)]
mod stub;
#[cfg(test)]
mod volumes;
#[cfg(test)]
mod world;
