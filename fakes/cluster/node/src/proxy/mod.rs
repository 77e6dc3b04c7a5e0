//! The service network: a real listener for every cluster address, node port and host port.
//!
//! Who has no ready endpoint is not listened for: the machine's own refusal is the answer then.

mod forward;
mod host_ports;
mod services;

pub(crate) use host_ports::HostPorts;
pub(crate) use services::run;
