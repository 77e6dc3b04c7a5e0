//! `cosi.resource.State`.

use super::Timestamp;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GetRequest {
    #[prost(string, tag = "1")]
    pub(crate) namespace: String,
    #[prost(string, tag = "2")]
    pub(crate) r#type: String,
    #[prost(string, tag = "3")]
    pub(crate) id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ListRequest {
    #[prost(string, tag = "1")]
    pub(crate) namespace: String,
    #[prost(string, tag = "2")]
    pub(crate) r#type: String,
}

/// What both are answered with: one resource, or one of a stream.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Found {
    #[prost(message, optional, tag = "1")]
    pub(crate) resource: Option<Resource>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Resource {
    #[prost(message, optional, tag = "1")]
    pub(crate) metadata: Option<Metadata>,
    #[prost(message, optional, tag = "2")]
    pub(crate) spec: Option<Spec>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Metadata {
    #[prost(string, tag = "1")]
    pub(crate) namespace: String,
    #[prost(string, tag = "2")]
    pub(crate) r#type: String,
    #[prost(string, tag = "3")]
    pub(crate) id: String,
    #[prost(string, tag = "4")]
    pub(crate) version: String,
    #[prost(string, tag = "5")]
    pub(crate) owner: String,
    #[prost(string, tag = "6")]
    pub(crate) phase: String,
    #[prost(message, optional, tag = "7")]
    pub(crate) created: Option<Timestamp>,
    #[prost(message, optional, tag = "8")]
    pub(crate) updated: Option<Timestamp>,
}

/// The same in two forms: the program reads definitions in the first and shows the rest in the second.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Spec {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) proto_spec: Vec<u8>,
    #[prost(string, tag = "2")]
    pub(crate) yaml_spec: String,
}

/// `cosi.resource.meta.ResourceDefinitionSpec`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DefinitionSpec {
    #[prost(string, tag = "1")]
    pub(crate) resource_type: String,
    #[prost(string, tag = "2")]
    pub(crate) display_type: String,
    #[prost(string, tag = "3")]
    pub(crate) default_namespace: String,
    #[prost(string, repeated, tag = "4")]
    pub(crate) aliases: Vec<String>,
    #[prost(string, repeated, tag = "5")]
    pub(crate) all_aliases: Vec<String>,
    #[prost(message, repeated, tag = "6")]
    pub(crate) print_columns: Vec<PrintColumn>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PrintColumn {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) json_path: String,
}
