//! Who calls, whom they mean, and how they are answered.
//!
//! With `nodes` a call goes through the machine's proxy, which answers for each of them: a call that failed is answered well,
//! and the failure stands in its part of the reply. With `node`, or neither, it fails as any call does.

use std::net::IpAddr;

use tonic::metadata::MetadataMap;
use tonic::{Code, Response, Status};

use crate::wire::reply::{Metadata, Part, Reply, Status as Told};

/// What a caller's certificate permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// No certificate: whoever comes by in maintenance mode.
    Nobody,
    /// `os:reader`: may look.
    Reader,
    /// `os:operator`: may also restart things.
    Operator,
    /// `os:admin`: may do everything.
    Admin,
}

impl Role {
    /// The highest of the roles that a certificate's organisations name.
    pub(crate) fn of<'a>(organisations: impl Iterator<Item = &'a str>) -> Self {
        let role = |name: &str| match name {
            "os:admin" => Self::Admin,
            "os:operator" => Self::Operator,
            "os:reader" => Self::Reader,
            _ => Self::Nobody,
        };
        organisations
            .map(role)
            .fold(Self::Nobody, |one, other| if other.rank() > one.rank() { other } else { one })
    }

    fn rank(self) -> u8 {
        match self {
            Self::Nobody => 0,
            Self::Reader => 1,
            Self::Operator => 2,
            Self::Admin => 3,
        }
    }

    /// Refuses who may less than that.
    pub(crate) fn at_least(self, needed: Self) -> Result<(), Status> {
        if self.rank() >= needed.rank() { Ok(()) } else { Err(Status::permission_denied("not authorized")) }
    }
}

/// Whom a call means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Addressed {
    /// The machine that was called.
    Here,
    /// These, each of which has its part of the reply.
    Each(Vec<String>),
}

impl Addressed {
    pub(crate) fn of(metadata: &MetadataMap) -> Self {
        let nodes: Vec<String> = metadata
            .get_all("nodes")
            .iter()
            .filter_map(|it| it.to_str().ok())
            .flat_map(|it| it.split(','))
            .map(|it| it.trim().to_owned())
            .filter(|it| !it.is_empty())
            .collect();
        if nodes.is_empty() { Self::Here } else { Self::Each(nodes) }
    }

    /// The reply with the parts of all who were meant; `own` is asked for this machine's.
    pub(crate) fn reply<P: Part>(
        &self,
        address: IpAddr,
        own: impl Fn() -> Result<P, Status>,
    ) -> Result<Response<Reply<P>>, Status> {
        let Self::Each(nodes) = self else {
            return Ok(Response::new(Reply { messages: vec![own()?] }));
        };
        let mut messages = Vec::new();
        for node in nodes {
            let outcome = if is_here(node, address) { own() } else { Err(unreachable(node)) };
            let mut part = match outcome {
                Ok(part) => part,
                Err(status) => failed(&status),
            };
            part.metadata().get_or_insert_default().hostname.clone_from(node);
            messages.push(part);
        }
        Ok(Response::new(Reply { messages }))
    }

    /// By what name the proxy calls this machine in the pieces of a stream.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Here => None,
            Self::Each(nodes) => nodes.first().map(String::as_str),
        }
    }
}

/// A part that says why there is none.
pub(crate) fn failed<P: Part>(status: &Status) -> P {
    let mut part = P::default();
    let words = format!("rpc error: code = {} desc = {}", name(status.code()), status.message());
    let told = Told { code: status.code().into(), message: status.message().to_owned() };
    *part.metadata() = Some(Metadata { hostname: String::new(), error: words, status: Some(told) });
    part
}

/// A machine knows itself by its own address, and by those that mean whoever is asked.
fn is_here(node: &str, address: IpAddr) -> bool {
    let node = node
        .rsplit_once(':')
        .map_or(node, |(host, port)| if port.parse::<u16>().is_ok() { host } else { node });
    node.parse::<IpAddr>().is_ok_and(|node| node == address || node.is_loopback())
}

fn unreachable(node: &str) -> Status {
    let words = format!(
        "connection error: desc = \"transport: Error while dialing: dial tcp {node}:50000: connect: no route to host\""
    );
    Status::unavailable(words)
}

/// A code as a Go program writes it.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "Canceled",
        Code::Unknown => "Unknown",
        Code::InvalidArgument => "InvalidArgument",
        Code::DeadlineExceeded => "DeadlineExceeded",
        Code::NotFound => "NotFound",
        Code::AlreadyExists => "AlreadyExists",
        Code::PermissionDenied => "PermissionDenied",
        Code::ResourceExhausted => "ResourceExhausted",
        Code::FailedPrecondition => "FailedPrecondition",
        Code::Aborted => "Aborted",
        Code::OutOfRange => "OutOfRange",
        Code::Unimplemented => "Unimplemented",
        Code::Internal => "Internal",
        Code::Unavailable => "Unavailable",
        Code::DataLoss => "DataLoss",
        Code::Unauthenticated => "Unauthenticated",
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use tonic::Status;
    use tonic::metadata::MetadataMap;

    use super::{Addressed, Role};
    use crate::wire::machine::Bootstrap;

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 9));

    fn addressed(nodes: &[&'static str]) -> Addressed {
        let mut metadata = MetadataMap::new();
        for node in nodes {
            metadata.append("nodes", node.parse().unwrap());
        }
        Addressed::of(&metadata)
    }

    fn early() -> Result<Bootstrap, Status> {
        Err(Status::failed_precondition("bootstrap is not available yet"))
    }

    #[test]
    fn a_call_without_nodes_fails_as_any_call_does() {
        assert_eq!(addressed(&[]).reply(ADDRESS, early).unwrap_err().code(), tonic::Code::FailedPrecondition);
    }

    #[test]
    fn with_nodes_a_failure_is_a_part_of_a_reply_that_is_well() {
        let reply = addressed(&["10.0.0.9"]).reply(ADDRESS, early).unwrap().into_inner();
        let metadata = reply.messages[0].metadata.as_ref().unwrap();
        assert_eq!(metadata.hostname, "10.0.0.9");
        assert_eq!(
            metadata.error,
            "rpc error: code = FailedPrecondition desc = bootstrap is not available yet"
        );
        assert_eq!(metadata.status.as_ref().unwrap().code, 9);
    }

    #[test]
    fn a_node_that_is_somebody_else_cannot_be_reached_and_the_others_answer() {
        let well = || Ok(Bootstrap::default());
        let reply = addressed(&["10.0.0.9", "10.0.0.10"]).reply(ADDRESS, well).unwrap().into_inner();
        let errors: Vec<&str> =
            reply.messages.iter().map(|it| it.metadata.as_ref().unwrap().error.as_str()).collect();
        assert!(errors[0].is_empty() && errors[1].contains("dial tcp 10.0.0.10:50000"), "{errors:?}");
    }

    #[test]
    fn the_highest_role_counts_and_no_role_permits_nothing() {
        assert_eq!(Role::of(["os:reader", "os:admin"].into_iter()), Role::Admin);
        assert!(Role::of(["os:reader"].into_iter()).at_least(Role::Admin).is_err());
        assert!(Role::of(["system:masters"].into_iter()).at_least(Role::Reader).is_err());
    }
}
