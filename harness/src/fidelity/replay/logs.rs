//! Asks for the logs of every container at the seconds at which the recorder did.

use std::time::Duration;

use field_clock::Clock;
use jiff::Timestamp;

use crate::fidelity::case::Case;
use crate::recording::{Api, Look, Notes, look_at};

/// What a snapshot of ten kinds takes.
const SNAPSHOT_TAKES: Duration = Duration::from_millis(2500);
/// What one kubectl takes on a loaded machine.
const KUBECTL_TAKES: Duration = Duration::from_millis(200);

pub(super) async fn look(case: &Case, api: &Api, notes: &Notes, clock: &Clock, began: Timestamp) {
    for second in case.looks() {
        clock.sleep_until(began + Duration::from_secs(u64::from(second))).await;
        // The recorder asks for every kind of object first.
        clock.sleep(SNAPSHOT_TAKES).await;
        for namespace in &case.namespaces {
            let look = Look { second, takes: KUBECTL_TAKES };
            look_at(api, notes, namespace, look).await;
        }
    }
}
