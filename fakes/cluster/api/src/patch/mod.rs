//! Ways of changing objects: patches and server-side apply.

mod apply;
mod fields;
mod layout;
mod merge;
mod strategic;

pub(crate) use apply::{Applier, apply, drop_nulls, record_update};
pub(crate) use strategic::strategic;
