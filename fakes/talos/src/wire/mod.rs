//! Messages as they are on the wire: the part of the protocol that `talosctl` uses on the way to a cluster. Names and numbers
//! are those of Talos v1.11 (`machine`, `common`) and of the COSI runtime (`cosi.resource`).

pub(crate) mod cosi;
pub(crate) mod machine;
pub(crate) mod reply;

/// A moment.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(crate) nanos: i32,
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(at: jiff::Timestamp) -> Self {
        Self { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
    }
}
