//! The node of such a machine: what is done to a node in other worlds is done to the machine here, or not at all.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::world::machine::{ApiGuard, ApiTrouble, Done, Encounter, Killer, Machine, MachineError};

/// A node that nobody has a shell on.
pub(super) struct TalosNode;

fn no_shell<T>() -> Done<T> {
    let why = "nobody has a shell on a machine of Talos";
    Err(MachineError::Impossible { why: why.to_owned() })
}

#[async_trait(?Send)]
impl Machine for TalosNode {
    fn node(&self) -> &str {
        "node"
    }

    async fn stop_kubelet(&self) -> Done {
        no_shell()
    }

    async fn start_kubelet(&self) -> Done {
        no_shell()
    }

    async fn leave_memory(&self, _left: Option<u64>) -> Done {
        no_shell()
    }

    async fn reboot(&self, _takes: Duration) -> Done {
        no_shell()
    }

    async fn started(&self) -> Done<Option<Timestamp>> {
        Ok(None)
    }

    async fn remove_image(&self, _reference: &str) -> Done {
        no_shell()
    }

    async fn trouble_api(&self, _trouble: ApiTrouble) -> Done<Box<dyn ApiGuard>> {
        no_shell()
    }

    async fn expire_watches(&self, _user: &'static str) -> Done {
        no_shell()
    }

    async fn encounters(&self) -> Done<Vec<Encounter>> {
        Ok(Vec::new())
    }

    async fn burden(&self, _takes: Duration, _lasts: Option<Duration>) -> Done {
        no_shell()
    }

    async fn unburden(&self) -> Done {
        no_shell()
    }

    async fn burdened(&self) -> Done<Vec<Timestamp>> {
        Ok(Vec::new())
    }

    fn killer(&self) -> Done<Box<dyn Killer>> {
        no_shell()
    }
}
