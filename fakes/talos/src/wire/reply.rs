//! What every reply has: one part for each machine that was asked, and in each who says it, or why it says nothing.

/// `google.rpc.Status`, without details.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Status {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
}

/// Who says it, or why nothing is said.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Metadata {
    #[prost(string, tag = "1")]
    pub(crate) hostname: String,
    #[prost(string, tag = "2")]
    pub(crate) error: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) status: Option<Status>,
}

/// A part of a reply.
pub(crate) trait Part: prost::Message + Default + std::fmt::Debug + 'static {
    /// Who says it.
    fn metadata(&mut self) -> &mut Option<Metadata>;
}

/// A whole reply: a part for each machine.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Reply<P: Part + std::fmt::Debug> {
    #[prost(message, repeated, tag = "1")]
    pub(crate) messages: Vec<P>,
}

/// A piece of a stream.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Data {
    #[prost(message, optional, tag = "1")]
    pub(crate) metadata: Option<Metadata>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) bytes: Vec<u8>,
}

impl Part for Data {
    fn metadata(&mut self) -> &mut Option<Metadata> {
        &mut self.metadata
    }
}
