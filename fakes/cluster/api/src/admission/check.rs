//! What makes an object invalid.

use serde_json::{Value, json};

use super::{containers, names};
use crate::error::Cause;
use crate::kind::KindInfo;
use crate::{kinds, object, selector};

/// What is wrong with a new object.
pub(crate) fn check_create(info: &KindInfo, value: &Value) -> Vec<Cause> {
    let mut causes = names::check(info, value);
    causes.extend(check_content(info, value));
    causes
}

/// What is wrong with a change.
pub(crate) fn check_update(info: &KindInfo, old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = check_content(info, new);
    causes.extend(check_immutable(info, old, new));
    causes
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn check_content(info: &KindInfo, value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    names::labels(value, &mut causes);
    let res = &info.res;
    if *res == kinds::PODS {
        pod_spec(&value["spec"], "spec", &[], &mut causes);
    } else if [kinds::DEPLOYMENTS, kinds::REPLICA_SETS, kinds::STATEFUL_SETS, kinds::DAEMON_SETS]
        .contains(res)
    {
        workload(value, &mut causes);
    } else if *res == kinds::JOBS {
        job(value, &mut causes);
    } else if *res == kinds::SERVICES {
        service(value, &mut causes);
    } else if *res == kinds::PERSISTENT_VOLUME_CLAIMS {
        claim(value, &mut causes);
    } else if *res == kinds::STORAGE_CLASSES && value["provisioner"].as_str().is_none_or(str::is_empty) {
        causes.push(Cause::required("provisioner", ""));
    } else if *res == kinds::CRDS {
        definition(value, &mut causes);
    } else if *res == kinds::ROLE_BINDINGS || *res == kinds::CLUSTER_ROLE_BINDINGS {
        if value["roleRef"]["name"].as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required("roleRef.name", ""));
        }
    } else if info.custom
        && let Some(schema) = info.served(&info.version).and_then(|served| served.schema.as_deref())
    {
        causes.extend(crate::schema::check(value, schema));
    }
    causes
}

/// `claimed` are names of volumes that come from elsewhere: the claims of a StatefulSet.
fn pod_spec(spec: &Value, path: &str, claimed: &[&Value], causes: &mut Vec<Cause>) {
    if list(&spec["containers"]).is_empty() {
        causes.push(Cause::required(format!("{path}.containers"), ""));
    }
    let volumes: Vec<&Value> = list(&spec["volumes"]).iter().map(|volume| &volume["name"]).collect();
    for (at, volume) in list(&spec["volumes"]).iter().enumerate() {
        self::volume(volume, &format!("{path}.volumes[{at}]"), causes);
    }
    for (at, name) in volumes.iter().enumerate() {
        if volumes[..at].contains(name) {
            causes.push(Cause::duplicate(format!("{path}.volumes[{at}].name"), name));
        }
    }
    let volumes: Vec<&Value> = volumes.into_iter().chain(claimed.iter().copied()).collect();
    let mut seen: Vec<&Value> = Vec::new();
    for field in ["initContainers", "containers"] {
        for (at, container) in list(&spec[field]).iter().enumerate() {
            let path = format!("{path}.{field}[{at}]");
            if seen.contains(&&container["name"]) {
                causes.push(Cause::duplicate(format!("{path}.name"), &container["name"]));
            }
            seen.push(&container["name"]);
            self::container(container, &path, &volumes, causes);
        }
    }
    let policy = &spec["restartPolicy"];
    if !matches!(policy.as_str(), Some("Always" | "OnFailure" | "Never")) {
        causes.push(Cause::unsupported(
            format!("{path}.restartPolicy"),
            policy,
            &["Always", "OnFailure", "Never"],
        ));
    }
}

/// What a volume may be; it is one of these.
fn volume(volume: &Value, path: &str, causes: &mut Vec<Cause>) {
    let name = volume["name"].as_str().unwrap_or("");
    if name.is_empty() {
        causes.push(Cause::required(format!("{path}.name"), ""));
    } else if !names::is_label(name) {
        causes.push(Cause::invalid(format!("{path}.name"), &json!(name), names::LABEL));
    }
    let sources = volume.as_object().into_iter().flatten().filter(|(key, _)| *key != "name");
    for (source, _) in sources.skip(1) {
        causes.push(Cause::forbidden(format!("{path}.{source}"), "may not specify more than 1 volume type"));
    }
}

fn container(container: &Value, path: &str, volumes: &[&Value], causes: &mut Vec<Cause>) {
    for field in ["name", "image"] {
        if container[field].as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required(format!("{path}.{field}"), ""));
        }
    }
    containers::check(container, path, causes);
    for (at, mount) in list(&container["volumeMounts"]).iter().enumerate() {
        if !volumes.contains(&&mount["name"]) {
            causes.push(Cause::not_found(format!("{path}.volumeMounts[{at}].name"), &mount["name"]));
        }
        if mount["mountPath"].as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required(format!("{path}.volumeMounts[{at}].mountPath"), ""));
        }
    }
    for (at, port) in list(&container["ports"]).iter().enumerate() {
        let number = port["containerPort"].as_i64().unwrap_or(0);
        if !(1..=65_535).contains(&number) {
            let field = format!("{path}.ports[{at}].containerPort");
            causes.push(Cause::invalid(field, &json!(number), "must be between 1 and 65535, inclusive"));
        }
    }
    for (at, variable) in list(&container["env"]).iter().enumerate() {
        if variable["name"].as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required(format!("{path}.env[{at}].name"), ""));
        }
        if variable["valueFrom"].is_object()
            && variable["value"].as_str().is_some_and(|text| !text.is_empty())
        {
            let field = format!("{path}.env[{at}].valueFrom");
            causes.push(Cause::invalid(field, &json!(""), "may not be specified when `value` is not empty"));
        }
    }
}

fn workload(value: &Value, causes: &mut Vec<Cause>) {
    let spec = &value["spec"];
    let claims = list(&spec["volumeClaimTemplates"]);
    let claimed: Vec<&Value> = claims.iter().map(|claim| &claim["metadata"]["name"]).collect();
    pod_spec(&spec["template"]["spec"], "spec.template.spec", &claimed, causes);
    if let Some(replicas) = spec["replicas"].as_i64().filter(|replicas| *replicas < 0) {
        let message = "must be greater than or equal to 0";
        causes.push(Cause::invalid("spec.replicas", &json!(replicas), message));
    }
    let labels = object::labels(&spec["template"]);
    if !spec["selector"].is_object() {
        causes.push(Cause::required("spec.selector", ""));
    } else if !selector::matches(&spec["selector"], labels) {
        let message = "`selector` does not match template `labels`";
        causes.push(Cause::invalid("spec.template.metadata.labels", labels, message));
    }
    let rolling = &spec["strategy"]["rollingUpdate"];
    let nothing = |field: &str| rolling[field] == 0 || rolling[field] == "0%";
    if rolling.is_object() && nothing("maxSurge") && nothing("maxUnavailable") {
        let field = "spec.strategy.rollingUpdate.maxUnavailable";
        causes.push(Cause::invalid(field, &rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0"));
    }
    let policy = &spec["template"]["spec"]["restartPolicy"];
    if *policy != "Always" {
        causes.push(Cause::unsupported("spec.template.spec.restartPolicy", policy, &["Always"]));
    }
}

fn job(value: &Value, causes: &mut Vec<Cause>) {
    for field in
        ["parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"]
    {
        if let Some(number) = value["spec"][field].as_i64().filter(|number| *number < 0) {
            let message = "must be greater than or equal to 0";
            causes.push(Cause::invalid(format!("spec.{field}"), &json!(number), message));
        }
    }
    let template = &value["spec"]["template"]["spec"];
    pod_spec(template, "spec.template.spec", &[], causes);
    let policy = &template["restartPolicy"];
    if *policy == "Always" {
        let cause =
            Cause::required("spec.template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"");
        causes.push(cause);
    }
}

fn service(value: &Value, causes: &mut Vec<Cause>) {
    let spec = &value["spec"];
    let kind = spec["type"].as_str().unwrap_or("");
    let kinds = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    if !kinds.contains(&kind) {
        causes.push(Cause::unsupported("spec.type", &spec["type"], &kinds));
    }
    let ports = list(&spec["ports"]);
    if ports.is_empty() && spec["clusterIP"] != "None" && kind != "ExternalName" {
        causes.push(Cause::required("spec.ports", ""));
    }
    for (at, port) in ports.iter().enumerate() {
        if ports.len() > 1 && port["name"].as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required(format!("spec.ports[{at}].name"), ""));
        }
        if ports.len() > 1 && ports[..at].iter().any(|other| other["name"] == port["name"]) {
            causes.push(Cause::duplicate(format!("spec.ports[{at}].name"), &port["name"]));
        }
        let node_port = port["nodePort"].as_i64().unwrap_or(0);
        if node_port != 0 && !(30_000..=32_767).contains(&node_port) {
            let message = "provided port is not in the valid range. The range of valid ports is 30000-32767";
            causes.push(Cause::invalid(format!("spec.ports[{at}].nodePort"), &json!(node_port), message));
        }
        let number = port["port"].as_i64().unwrap_or(0);
        if !(1..=65_535).contains(&number) {
            let field = format!("spec.ports[{at}].port");
            causes.push(Cause::invalid(field, &json!(number), "must be between 1 and 65535, inclusive"));
        }
    }
}

fn claim(value: &Value, causes: &mut Vec<Cause>) {
    let spec = &value["spec"];
    if list(&spec["accessModes"]).is_empty() {
        causes.push(Cause::required("spec.accessModes", "at least 1 access mode is required"));
    }
    let known = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
    for mode in
        list(&spec["accessModes"]).iter().filter(|mode| !mode.as_str().is_some_and(|m| known.contains(&m)))
    {
        causes.push(Cause::unsupported("spec.accessModes", mode, &known));
    }
    let size = &spec["resources"]["requests"]["storage"];
    if size.is_null() {
        causes.push(Cause::required("spec.resources[storage]", ""));
    } else if containers::quantity(size) <= 0.0 {
        causes.push(Cause::invalid("spec.resources[storage]", size, "must be greater than zero"));
    }
}

fn definition(value: &Value, causes: &mut Vec<Cause>) {
    let spec = &value["spec"];
    for field in ["group", "scope"] {
        if spec[field].as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required(format!("spec.{field}"), ""));
        }
    }
    for field in ["plural", "kind"] {
        if spec["names"][field].as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required(format!("spec.names.{field}"), ""));
        }
    }
    let expected = format!(
        "{}.{}",
        spec["names"]["plural"].as_str().unwrap_or(""),
        spec["group"].as_str().unwrap_or("")
    );
    if object::name(value) != expected {
        let message = "must be spec.names.plural+\".\"+spec.group";
        causes.push(Cause::invalid("metadata.name", &json!(object::name(value)), message));
    }
    let stored = list(&spec["versions"]).iter().filter(|version| version["storage"] == true).count();
    if stored != 1 {
        let message = "must have exactly one version marked as storage version";
        causes.push(Cause::invalid("spec.versions", &spec["versions"], message));
    }
}

/// Fields that never change, by kind.
fn check_immutable(info: &KindInfo, old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut fixed = |field: &str| {
        let read = |value: &Value| field.split('.').fold(value.clone(), |value, part| value[part].clone());
        let (before, after) = (read(old), read(new));
        if before != after {
            causes.push(Cause::invalid(field, &after, "field is immutable"));
        }
    };
    let res = &info.res;
    if [kinds::DEPLOYMENTS, kinds::REPLICA_SETS, kinds::DAEMON_SETS].contains(res) {
        fixed("spec.selector");
    } else if *res == kinds::JOBS {
        fixed("spec.selector");
        fixed("spec.completions");
        if old["spec"]["suspend"] != true {
            fixed("spec.template");
        }
    } else if *res == kinds::STORAGE_CLASSES {
        fixed("provisioner");
        fixed("parameters");
        fixed("volumeBindingMode");
    } else if *res == kinds::SECRETS {
        fixed("type");
        causes.extend(frozen(old, new, &["data"]));
    } else if *res == kinds::STATEFUL_SETS {
        causes.extend(stateful_set(old, new));
    } else if *res == kinds::PODS {
        causes.extend(pod(old, new));
    } else if *res == kinds::PERSISTENT_VOLUME_CLAIMS {
        causes.extend(bound_claim(old, new));
    } else if *res == kinds::SERVICES {
        causes.extend(service_address(old, new));
    } else if *res == kinds::ROLE_BINDINGS || *res == kinds::CLUSTER_ROLE_BINDINGS {
        if old["roleRef"] != new["roleRef"] {
            causes.push(Cause::invalid("roleRef", &new["roleRef"], "cannot change roleRef"));
        }
    } else if *res == kinds::CONFIG_MAPS {
        causes.extend(frozen(old, new, &["data", "binaryData"]));
    }
    causes
}

/// What an immutable ConfigMap or Secret keeps.
fn frozen(old: &Value, new: &Value, fields: &[&str]) -> Vec<Cause> {
    if old["immutable"] != true {
        return Vec::new();
    }
    let message = "field is immutable when `immutable` is set";
    let changed = fields.iter().filter(|field| old.get(**field) != new.get(**field)).copied();
    let thawed = (new["immutable"] != true).then_some("immutable");
    thawed.into_iter().chain(changed).map(|field| Cause::forbidden(field, message)).collect()
}

/// A field's copy without some of its fields.
fn without(value: &Value, fields: &[&str]) -> Value {
    let mut value = value.clone();
    if let Some(map) = value.as_object_mut() {
        map.retain(|key, _| !fields.contains(&key.as_str()));
    }
    value
}

fn stateful_set(old: &Value, new: &Value) -> Option<Cause> {
    let free = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    let differs = without(&old["spec"], &free) != without(&new["spec"], &free);
    differs.then(|| {
        Cause::forbidden(
            "spec",
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', \
             'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        )
    })
}

fn pod(old: &Value, new: &Value) -> Option<Cause> {
    let mutable = [
        "activeDeadlineSeconds",
        "tolerations",
        "terminationGracePeriodSeconds",
        "nodeName",
        "schedulingGates",
    ];
    let strip = |spec: &Value| {
        let mut spec = without(spec, &mutable);
        for field in ["containers", "initContainers"] {
            for container in object::items_mut(&mut spec, &[field]) {
                container.as_object_mut().map(|map| map.shift_remove("image"));
            }
        }
        spec
    };
    (strip(&old["spec"]) != strip(&new["spec"])).then(|| {
        Cause::forbidden(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,\
             `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),\
             `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        )
    })
}

fn bound_claim(old: &Value, new: &Value) -> Option<Cause> {
    let strip =
        |value: &Value| without(&value["spec"], &["resources", "volumeName", "volumeAttributesClassName"]);
    let unset = old["spec"]["storageClassName"].is_null();
    let (mut before, mut after) = (strip(old), strip(new));
    if unset {
        before = without(&before, &["storageClassName"]);
        after = without(&after, &["storageClassName"]);
    }
    (before != after).then(|| {
        Cause::forbidden(
            "spec",
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
        )
    })
}

fn service_address(old: &Value, new: &Value) -> Option<Cause> {
    let address = |value: &Value| value["spec"]["clusterIP"].as_str().unwrap_or("").to_owned();
    let (before, after) = (address(old), address(new));
    let fixed = new["spec"]["type"] != "ExternalName" && !before.is_empty() && before != after;
    fixed.then(|| Cause::invalid("spec.clusterIPs[0]", &json!([after]), "may not change once set"))
}
