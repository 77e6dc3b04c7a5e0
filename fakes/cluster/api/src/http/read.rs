//! Getting and listing.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::call::Call;
use crate::selector::{FieldQuery, LabelQuery};
use crate::store::Stored;
use crate::{ApiError, Res, Store, object};

/// Which objects of a collection.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    labels: LabelQuery,
    fields: FieldQuery,
}

impl Filter {
    pub(super) fn parse(call: &Call) -> Result<Self, ApiError> {
        let labels = LabelQuery::parse(call.query.get("labelSelector").unwrap_or(""))?;
        let fields = FieldQuery::parse(call.query.get("fieldSelector").unwrap_or(""))?;
        if let Some(field) = fields.fields().find(|field| !is_selectable(&call.address.res, field)) {
            let group_version = call.address.res.api_version(&call.address.version);
            let group_version =
                if group_version.contains('/') { group_version } else { format!("/{group_version}") };
            return Err(ApiError::bad_request(format!(
                "Unable to find \"{group_version}, Resource={}\" that match label selector \"{}\", field selector \"{}\": \
                 field label not supported: {field}",
                call.address.res.plural,
                call.query.get("labelSelector").unwrap_or(""),
                call.query.get("fieldSelector").unwrap_or(""),
            )));
        }
        Ok(Self { labels, fields })
    }

    pub(super) fn matches(&self, value: &Value) -> bool {
        self.labels.matches(object::labels(value)) && self.fields.matches(value)
    }
}

/// The fields that may select, by kind.
fn is_selectable(res: &Res, field: &str) -> bool {
    if matches!(field, "metadata.name" | "metadata.namespace") {
        return true;
    }
    let known: &[&str] = match (&*res.group, &*res.plural) {
        ("", "pods") => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        ("", "events") => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        ("", "secrets") => &["type"],
        ("", "namespaces") => &["status.phase"],
        ("", "nodes") => &["spec.unschedulable"],
        ("", "services") => &["spec.clusterIP", "spec.type"],
        ("apps", "replicasets") => &["status.replicas"],
        ("batch", "jobs") => &["status.successful"],
        _ => &[],
    };
    known.contains(&field)
}

/// GET of one object.
pub(super) fn get(store: &Store, call: &Call) -> Answer {
    let address = &call.address;
    let stored = store
        .get_stored(&address.res, &address.namespace, &address.name)
        .ok_or_else(|| ApiError::not_found(&address.res, &address.name))?;
    Ok(answer::bytes(StatusCode::OK, answer::JSON, call.lens(store).one(&stored)))
}

/// GET of a collection.
pub(super) fn list(store: &Store, call: &Call) -> Answer {
    let filter = Filter::parse(call)?;
    let namespace = Some(call.address.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    let (version, mut items) = store.list_stored(&call.address.res, namespace);
    check_version(call, version)?;
    items.retain(|stored| filter.matches(&stored.value));
    let (items, meta) = page(call, items, version)?;
    Ok(answer::bytes(StatusCode::OK, answer::JSON, call.lens(store).many(&items, &meta)))
}

fn check_version(call: &Call, current: u64) -> Result<(), ApiError> {
    let Some(text) = call.query.get("resourceVersion") else { return Ok(()) };
    let Ok(asked) = text.parse::<u64>() else {
        return Err(ApiError::bad_request(format!("invalid resource version: {text}")));
    };
    if asked > current {
        let message = format!("Too large resource version: {asked}, current: {current}");
        return Err(ApiError::new(504, "Timeout", message));
    }
    if call.query.get("resourceVersionMatch") == Some("Exact") && asked > 0 && asked < current {
        return Err(ApiError::new(
            410,
            "Expired",
            format!("The provided resource version {asked} is too old"),
        ));
    }
    Ok(())
}

/// One page of a list, and the list's metadata.
fn page(call: &Call, items: Vec<Arc<Stored>>, version: u64) -> Result<(Vec<Arc<Stored>>, Value), ApiError> {
    let mut items = items;
    let mut version = version;
    if let Some(token) = call.query.get("continue") {
        let place = Place::parse(token)?;
        version = place.version;
        items.retain(|stored| position(&stored.value) > (place.namespace.as_str(), place.name.as_str()));
    }
    let mut meta = json!({"resourceVersion": version.to_string()});
    if let Some(limit) = call.query.number("limit").and_then(|limit| usize::try_from(limit).ok())
        && limit > 0
        && items.len() > limit
    {
        let rest = items.len() - limit;
        items.truncate(limit);
        if let Some(last) = items.last() {
            let (namespace, name) = position(&last.value);
            let place = Place { version, namespace: namespace.to_owned(), name: name.to_owned() };
            meta["continue"] = json!(place.token());
            meta["remainingItemCount"] = json!(rest);
        }
    }
    Ok((items, meta))
}

fn position(value: &Value) -> (&str, &str) {
    (object::namespace(value), object::name(value))
}

/// Where a paged list goes on.
struct Place {
    version: u64,
    namespace: String,
    name: String,
}

impl Place {
    fn token(&self) -> String {
        let text = json!({"v": "meta.k8s.io/v1", "rv": self.version, "start": [self.namespace, self.name]})
            .to_string();
        URL_SAFE_NO_PAD.encode(text)
    }

    fn parse(token: &str) -> Result<Self, ApiError> {
        let invalid = || ApiError::bad_request("continue key is not valid");
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
        let text = |at: usize| value["start"][at].as_str().map(str::to_owned).ok_or_else(invalid);
        Ok(Self { version: value["rv"].as_u64().ok_or_else(invalid)?, namespace: text(0)?, name: text(1)? })
    }
}
