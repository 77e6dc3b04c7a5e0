//! Why the API did not write something, as far as anybody asks.

use cluster_api::ApiError;

use super::WorldError;

/// Whether an object was not made since one of its name is there.
pub(super) fn is_there_already(error: &WorldError) -> bool {
    says(error, "AlreadyExists")
}

/// Whether there is no such object, or none any more.
pub(super) fn is_missing(error: &WorldError) -> bool {
    says(error, "NotFound")
}

fn says(error: &WorldError, reason: &str) -> bool {
    let simulated = error.downcast_ref::<ApiError>().is_some_and(|refusal| refusal.reason == reason);
    let real = error.downcast_ref::<kube::Error>();
    simulated || real.is_some_and(|it| matches!(it, kube::Error::Api(refusal) if refusal.reason == reason))
}
