//! Which calls there are, and who may make them.

use http::{Request, Response};
use hyper::body::Incoming;
use tonic::body::Body;
use tonic::{Response as Answer, Status};

use crate::caller::{Addressed, Role, failed};
use crate::grpc::{Call, stream, unary};
use crate::machine::{Attempt, Machine, Stage};
use crate::resources;
use crate::visits::Visit;
use crate::wire::cosi::{Found, GetRequest, ListRequest};
use crate::wire::machine::{
    ApplyConfiguration, ApplyConfigurationRequest, Bootstrap, BootstrapRequest, DmesgRequest, FeaturesInfo,
    LogsRequest, PlatformInfo, Reboot, RebootRequest, ServiceList, Version, VersionInfo,
};
use crate::wire::reply::{Data, Reply};

/// The API of a machine, for one caller.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) machine: Machine,
    pub(crate) role: Role,
}

/// Every call that is served.
pub const METHODS: [&str; 10] = [
    "cosi.resource.State/Get",
    "cosi.resource.State/List",
    "machine.MachineService/ApplyConfiguration",
    "machine.MachineService/Bootstrap",
    "machine.MachineService/Dmesg",
    "machine.MachineService/Kubeconfig",
    "machine.MachineService/Logs",
    "machine.MachineService/Reboot",
    "machine.MachineService/ServiceList",
    "machine.MachineService/Version",
];

impl Api {
    /// Answers a call.
    pub(crate) async fn answer(self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        self.machine.visited(Visit::Called(path.trim_start_matches('/').to_owned()));
        if let Err(refusal) = self.permit(&path) {
            return refusal.into_http();
        }
        match path.as_str() {
            "/machine.MachineService/Version" => unary(request, |call| self.version(&call)).await,
            "/machine.MachineService/ApplyConfiguration" => unary(request, |call| self.apply(&call)).await,
            "/machine.MachineService/Bootstrap" => unary(request, |call| self.bootstrap(&call)).await,
            "/machine.MachineService/Reboot" => unary(request, |call| self.reboot(&call)).await,
            "/machine.MachineService/ServiceList" => unary(request, |call| self.services(&call)).await,
            "/machine.MachineService/Dmesg" => stream(request, |call| self.dmesg(&call)).await,
            "/machine.MachineService/Logs" => stream(request, |call| self.logs(&call)).await,
            "/machine.MachineService/Kubeconfig" => stream(request, |call| self.kubeconfig(&call)).await,
            "/cosi.resource.State/List" => stream(request, |call| self.list(&call)).await,
            "/cosi.resource.State/Get" => unary(request, |call| self.get(&call)).await,
            _ => Status::unimplemented(format!("unknown method {path}")).into_http(),
        }
    }

    /// In maintenance mode there are a few calls, for everybody; else each has the role that it needs.
    fn permit(&self, path: &str) -> Result<(), Status> {
        if self.machine.stage() == Stage::Maintenance {
            let known = path.starts_with("/cosi.resource.State/") || path.ends_with("/ApplyConfiguration");
            let refusal = || Status::unimplemented("API is not implemented in maintenance mode");
            return if known { Ok(()) } else { Err(refusal()) };
        }
        Ok(())
    }

    /// What a caller has to be for a call. A proxy tells a refusal as it tells every failure.
    fn needs(&self, role: Role) -> Result<(), Status> {
        if self.machine.stage() == Stage::Maintenance { Ok(()) } else { self.role.at_least(role) }
    }

    fn version(&self, call: &Call<()>) -> Result<Answer<Reply<Version>>, Status> {
        let own = || {
            self.needs(Role::Reader)?;
            let version = VersionInfo {
                tag: "v1.11.0".to_owned(),
                sha: "undefined".to_owned(),
                built: String::new(),
                go_version: "go1.26.8".to_owned(),
                os: "linux".to_owned(),
                arch: "amd64".to_owned(),
            };
            let platform = PlatformInfo { name: "metal".to_owned(), mode: "metal".to_owned() };
            Ok(Version {
                metadata: None,
                version: Some(version),
                platform: Some(platform),
                features: Some(FeaturesInfo { rbac: true }),
            })
        };
        Addressed::of(&call.metadata).reply(self.machine.address(), own)
    }

    fn apply(
        &self,
        call: &Call<ApplyConfigurationRequest>,
    ) -> Result<Answer<Reply<ApplyConfiguration>>, Status> {
        let attempt = if call.message.dry_run { Attempt::Dry } else { Attempt::Real };
        let own = || {
            self.needs(Role::Admin)?;
            let told = self.machine.configure(&call.message.data, attempt)?;
            let mode = call.message.mode;
            Ok(ApplyConfiguration { mode, mode_details: told.to_owned(), ..Default::default() })
        };
        Addressed::of(&call.metadata).reply(self.machine.address(), own)
    }

    fn bootstrap(&self, call: &Call<BootstrapRequest>) -> Result<Answer<Reply<Bootstrap>>, Status> {
        let own = || {
            self.needs(Role::Admin)?;
            self.machine.bootstrap().map(|()| Bootstrap::default())
        };
        Addressed::of(&call.metadata).reply(self.machine.address(), own)
    }

    fn reboot(&self, call: &Call<RebootRequest>) -> Result<Answer<Reply<Reboot>>, Status> {
        let own = || {
            self.needs(Role::Operator)?;
            self.machine.leave_in_order();
            Ok(Reboot { actor_id: "fake".to_owned(), ..Default::default() })
        };
        Addressed::of(&call.metadata).reply(self.machine.address(), own)
    }

    fn services(&self, call: &Call<()>) -> Result<Answer<Reply<ServiceList>>, Status> {
        let own = || {
            self.needs(Role::Reader)?;
            Ok(ServiceList { metadata: None, services: self.machine.services().list() })
        };
        Addressed::of(&call.metadata).reply(self.machine.address(), own)
    }

    fn dmesg(&self, call: &Call<DmesgRequest>) -> Result<Vec<Data>, Status> {
        self.pieces(call, Role::Reader, |machine| {
            Ok(machine.console().into_iter().map(String::into_bytes).collect())
        })
    }

    fn logs(&self, call: &Call<LogsRequest>) -> Result<Vec<Data>, Status> {
        self.pieces(call, Role::Reader, |machine| match machine.services().state(&call.message.id) {
            Some(_) => Ok(Vec::new()),
            None => Err(Status::unknown(format!("log {:?} was not registered", call.message.id))),
        })
    }

    fn kubeconfig(&self, call: &Call<()>) -> Result<Vec<Data>, Status> {
        self.pieces(call, Role::Admin, |machine| {
            let archive = archive("kubeconfig", machine.kubeconfig().as_bytes());
            archive.map(|it| vec![it]).map_err(|error| Status::internal(error.to_string()))
        })
    }

    /// Pieces of a stream; through the proxy a failure is a piece, too.
    fn pieces<Q>(
        &self,
        call: &Call<Q>,
        role: Role,
        own: impl Fn(&Machine) -> Result<Vec<Vec<u8>>, Status>,
    ) -> Result<Vec<Data>, Status> {
        let addressed = Addressed::of(&call.metadata);
        let outcome = self.needs(role).and_then(|()| own(&self.machine));
        let mut pieces: Vec<Data> = match (outcome, addressed.name()) {
            (Ok(list), _) => list.into_iter().map(|bytes| Data { metadata: None, bytes }).collect(),
            (Err(status), None) => return Err(status),
            (Err(status), Some(_)) => vec![failed(&status)],
        };
        if let Some(name) = addressed.name() {
            for piece in &mut pieces {
                name.clone_into(&mut piece.metadata.get_or_insert_default().hostname);
            }
        }
        Ok(pieces)
    }

    fn list(&self, call: &Call<ListRequest>) -> Result<Vec<Found>, Status> {
        self.needs(Role::Reader)?;
        let now = self.machine.clock().now();
        let found = resources::list(&call.message.r#type, self.machine.told(), now)?;
        Ok(found.into_iter().map(|it| Found { resource: Some(it) }).collect())
    }

    fn get(&self, call: &Call<GetRequest>) -> Result<Answer<Found>, Status> {
        self.needs(Role::Reader)?;
        let now = self.machine.clock().now();
        let GetRequest { namespace, r#type, id } = &call.message;
        let found = resources::list(r#type, self.machine.told(), now)?;
        let resource = found.into_iter().find(|it| it.metadata.as_ref().is_some_and(|it| it.id == *id));
        let missing =
            || Status::not_found(format!("resource {type}({namespace}/{id}@undefined) doesn't exist"));
        resource.map(|it| Answer::new(Found { resource: Some(it) })).ok_or_else(missing)
    }
}

/// A file as the machine hands it out: packed, and alone in its archive.
fn archive(name: &str, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let mut builder = tar::Builder::new(packed);
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o600);
    builder.append_data(&mut header, name, bytes)?;
    builder.into_inner()?.finish()
}
