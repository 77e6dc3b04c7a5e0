//! Real clients against the fakes.

#[cfg(test)]
mod clients;
#[cfg(test)]
mod closed_ports;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod dns;
#[cfg(test)]
mod dns_faults;
#[cfg(test)]
mod field_time;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod pull;
#[cfg(test)]
mod push;
#[cfg(test)]
mod registry_faults;
#[cfg(test)]
mod remote;
#[cfg(test)]
mod resolver;
#[cfg(test)]
mod setup;
