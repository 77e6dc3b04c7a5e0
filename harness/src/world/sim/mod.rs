//! The simulated world: a Kubernetes in this process, on real protocols, in field time.

use super::{BootError, BootRequest, Capability, Play, WorldFactory};

/// Makes simulated worlds.
pub fn factory() -> Box<dyn WorldFactory> {
    Box::new(Sim)
}

struct Sim;

impl WorldFactory for Sim {
    fn name(&self) -> &'static str {
        "sim"
    }

    fn about(&self) -> &'static str {
        "a simulated Kubernetes in this process; needs nothing"
    }

    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::Dns, Capability::Registry, Capability::Flux]
    }

    fn play(&self, _request: &BootRequest, _play: Play<'_>) -> Result<(), BootError> {
        Err(BootError::Unavailable { world: "sim", reason: "not wired up yet".into() })
    }
}
