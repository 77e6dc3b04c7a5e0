//! `machine.MachineService`.

use super::Timestamp;
use super::reply::{Metadata, Part};

/// Implements [`Part`] for messages that have their metadata where all have it.
macro_rules! parts {
    ($($name:ident),*) => {
        $(impl Part for $name {
            fn metadata(&mut self) -> &mut Option<Metadata> {
                &mut self.metadata
            }
        })*
    };
}

parts!(Version, ApplyConfiguration, Bootstrap, ServiceList, Reboot);

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Version {
    #[prost(message, optional, tag = "1")]
    pub(crate) metadata: Option<Metadata>,
    #[prost(message, optional, tag = "2")]
    pub(crate) version: Option<VersionInfo>,
    #[prost(message, optional, tag = "3")]
    pub(crate) platform: Option<PlatformInfo>,
    #[prost(message, optional, tag = "4")]
    pub(crate) features: Option<FeaturesInfo>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct VersionInfo {
    #[prost(string, tag = "1")]
    pub(crate) tag: String,
    #[prost(string, tag = "2")]
    pub(crate) sha: String,
    #[prost(string, tag = "3")]
    pub(crate) built: String,
    #[prost(string, tag = "4")]
    pub(crate) go_version: String,
    #[prost(string, tag = "5")]
    pub(crate) os: String,
    #[prost(string, tag = "6")]
    pub(crate) arch: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PlatformInfo {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) mode: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct FeaturesInfo {
    #[prost(bool, tag = "1")]
    pub(crate) rbac: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ApplyConfigurationRequest {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) data: Vec<u8>,
    #[prost(int32, tag = "4")]
    pub(crate) mode: i32,
    #[prost(bool, tag = "5")]
    pub(crate) dry_run: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ApplyConfiguration {
    #[prost(message, optional, tag = "1")]
    pub(crate) metadata: Option<Metadata>,
    #[prost(string, repeated, tag = "2")]
    pub(crate) warnings: Vec<String>,
    #[prost(int32, tag = "3")]
    pub(crate) mode: i32,
    #[prost(string, tag = "4")]
    pub(crate) mode_details: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BootstrapRequest {
    #[prost(bool, tag = "1")]
    pub(crate) recover_etcd: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Bootstrap {
    #[prost(message, optional, tag = "1")]
    pub(crate) metadata: Option<Metadata>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RebootRequest {
    #[prost(int32, tag = "1")]
    pub(crate) mode: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Reboot {
    #[prost(message, optional, tag = "1")]
    pub(crate) metadata: Option<Metadata>,
    #[prost(string, tag = "2")]
    pub(crate) actor_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ServiceList {
    #[prost(message, optional, tag = "1")]
    pub(crate) metadata: Option<Metadata>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) services: Vec<ServiceInfo>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ServiceInfo {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(string, tag = "2")]
    pub(crate) state: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) events: Option<ServiceEvents>,
    #[prost(message, optional, tag = "4")]
    pub(crate) health: Option<ServiceHealth>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ServiceEvents {
    #[prost(message, repeated, tag = "1")]
    pub(crate) events: Vec<ServiceEvent>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ServiceEvent {
    #[prost(string, tag = "1")]
    pub(crate) msg: String,
    #[prost(string, tag = "2")]
    pub(crate) state: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) ts: Option<Timestamp>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ServiceHealth {
    #[prost(bool, tag = "1")]
    pub(crate) unknown: bool,
    #[prost(bool, tag = "2")]
    pub(crate) healthy: bool,
    #[prost(string, tag = "3")]
    pub(crate) last_message: String,
    #[prost(message, optional, tag = "4")]
    pub(crate) last_change: Option<Timestamp>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DmesgRequest {
    #[prost(bool, tag = "1")]
    pub(crate) follow: bool,
    #[prost(bool, tag = "2")]
    pub(crate) tail: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct LogsRequest {
    #[prost(string, tag = "1")]
    pub(crate) namespace: String,
    #[prost(string, tag = "2")]
    pub(crate) id: String,
    #[prost(bool, tag = "4")]
    pub(crate) follow: bool,
    #[prost(int32, tag = "5")]
    pub(crate) tail_lines: i32,
}
