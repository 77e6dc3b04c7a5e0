//! What a machine tells of itself as resources. A program that asks for a kind asks for all definitions first.

use jiff::Timestamp;
use prost::Message as _;
use tonic::Status;

use crate::wire::cosi::{DefinitionSpec, Metadata, PrintColumn, Resource, Spec};

/// A kind of resource.
struct Kind {
    r#type: &'static str,
    display: &'static str,
    namespace: &'static str,
    aliases: &'static [&'static str],
    columns: &'static [(&'static str, &'static str)],
}

const DEFINITIONS: &str = "ResourceDefinitions.meta.cosi.dev";
pub(crate) const MACHINE_STATUSES: &str = "MachineStatuses.runtime.talos.dev";
pub(crate) const DISKS: &str = "Disks.block.talos.dev";

/// Every kind that is served.
const KINDS: [Kind; 3] = [
    Kind {
        r#type: DEFINITIONS,
        display: "ResourceDefinition",
        namespace: "meta",
        aliases: &["resourcedefinition", "resourcedefinitions", "rd", "rds"],
        columns: &[("Aliases", "{.aliases[:]}")],
    },
    Kind {
        r#type: MACHINE_STATUSES,
        display: "MachineStatus",
        namespace: "runtime",
        aliases: &["machinestatus", "machinestatuses", "ms"],
        columns: &[("Stage", "{.stage}"), ("Ready", "{.status.ready}")],
    },
    Kind {
        r#type: DISKS,
        display: "Disk",
        namespace: "runtime",
        aliases: &["disk", "disks"],
        columns: &[("Size", "{.pretty_size}"), ("Read Only", "{.readonly}"), ("Transport", "{.transport}")],
    },
];

/// A resource of a machine, before anybody has asked for it.
pub(crate) struct Told {
    pub(crate) r#type: &'static str,
    pub(crate) id: String,
    pub(crate) owner: &'static str,
    pub(crate) version: u64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) yaml: String,
}

impl Told {
    fn resource(self) -> Resource {
        let metadata = Metadata {
            namespace: "runtime".to_owned(),
            r#type: self.r#type.to_owned(),
            id: self.id,
            version: self.version.to_string(),
            owner: self.owner.to_owned(),
            phase: "running".to_owned(),
            created: Some(self.created.into()),
            updated: Some(self.updated.into()),
        };
        Resource {
            metadata: Some(metadata),
            spec: Some(Spec { proto_spec: Vec::new(), yaml_spec: self.yaml }),
        }
    }
}

/// The resources of a type, out of all that a machine tells.
///
/// # Errors
/// A type that is not served.
pub(crate) fn list(r#type: &str, told: Vec<Told>, now: Timestamp) -> Result<Vec<Resource>, Status> {
    if r#type == DEFINITIONS {
        return Ok(KINDS.iter().map(|kind| definition(kind, now)).collect());
    }
    if !KINDS.iter().any(|kind| kind.r#type == r#type) {
        return Err(Status::not_found(format!("resource type {type:?} is not served by this machine")));
    }
    Ok(told.into_iter().filter(|it| it.r#type == r#type).map(Told::resource).collect())
}

fn definition(kind: &Kind, now: Timestamp) -> Resource {
    let own = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let columns = kind.columns.iter();
    let spec = DefinitionSpec {
        resource_type: kind.r#type.to_owned(),
        display_type: kind.display.to_owned(),
        default_namespace: kind.namespace.to_owned(),
        aliases: own(kind.aliases),
        all_aliases: own(kind.aliases),
        print_columns: columns
            .map(|(name, path)| PrintColumn { name: (*name).to_owned(), json_path: (*path).to_owned() })
            .collect(),
    };
    let metadata = Metadata {
        namespace: "meta".to_owned(),
        r#type: DEFINITIONS.to_owned(),
        id: kind.r#type.to_lowercase(),
        version: "1".to_owned(),
        owner: String::new(),
        phase: "running".to_owned(),
        created: Some(now.into()),
        updated: Some(now.into()),
    };
    let yaml_spec = format!(
        "type: {}\ndisplayType: {}\naliases: [{}]\nallAliases: [{}]\nprintColumns: []\ndefaultNamespace: {}\n",
        kind.r#type,
        kind.display,
        kind.aliases.join(", "),
        kind.aliases.join(", "),
        kind.namespace,
    );
    Resource { metadata: Some(metadata), spec: Some(Spec { proto_spec: spec.encode_to_vec(), yaml_spec }) }
}
