//! Events live for an hour.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::kinds::EVENTS;
use crate::{Store, object};

/// How long an event lives after it was last written.
const LIFE: Duration = Duration::from_secs(3600);

/// Removes events as they grow old.
pub(super) async fn expire_events(store: Store) {
    loop {
        let now = store.clock().now();
        let mut next = now + LIFE;
        for event in store.list(&EVENTS, None) {
            match end(&event) {
                Some(end) if end > now => next = next.min(end),
                Some(_) => store.remove(&EVENTS, object::namespace(&event), object::name(&event)),
                None => {}
            }
        }
        store.clock().sleep_until(next).await;
    }
}

fn end(event: &Value) -> Option<Timestamp> {
    let seen = [&event["lastTimestamp"], &event["eventTime"], &event["metadata"]["creationTimestamp"]];
    let last: Timestamp = seen.into_iter().find_map(Value::as_str)?.parse().ok()?;
    Some(last + LIFE)
}
