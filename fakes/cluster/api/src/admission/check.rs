//! What makes an object invalid.

use serde_json::Value;

use crate::error::Cause;
use crate::kind::KindInfo;

/// What is wrong with a new object.
pub(crate) fn check_create(_info: &KindInfo, _value: &Value) -> Vec<Cause> {
    Vec::new()
}

/// What is wrong with a change.
pub(crate) fn check_update(_info: &KindInfo, _old: &Value, _new: &Value) -> Vec<Cause> {
    Vec::new()
}
