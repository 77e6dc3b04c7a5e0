//! Getting and listing.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::call::Call;
use crate::error::Cause;
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

    fn selects_all(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
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
    check_options(call)?;
    let (version, start, mut items) = snapshot(store, call)?;
    items.retain(|stored| filter.matches(&stored.value));
    if let Some((namespace, name)) = start {
        items.retain(|stored| position(&stored.value) > (namespace.as_str(), name.as_str()));
    }
    let (items, meta) = page(call, &filter, items, version);
    Ok(answer::bytes(StatusCode::OK, answer::JSON, call.lens(store).many(&items, &meta)))
}

/// What may not be asked together.
fn check_options(call: &Call) -> Result<(), ApiError> {
    let query = &call.query;
    let mut causes = Vec::new();
    let mut forbid = |field: &str, why: &str| causes.push(Cause::forbidden(field, why));
    let field = "resourceVersionMatch";
    let version = query.get("resourceVersion");
    if let Some(wanted) = query.get(field) {
        if version.is_none() {
            forbid(field, "resourceVersionMatch is forbidden unless resourceVersion is provided");
        }
        if query.get("continue").is_some() {
            forbid(field, "resourceVersionMatch is forbidden when continue is provided");
        }
        if wanted == "Exact" && version == Some("0") {
            forbid(field, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
        if !matches!(wanted, "Exact" | "NotOlderThan") {
            causes.push(Cause::unsupported(field, &json!(wanted), &["Exact", "NotOlderThan", ""]));
        }
    }
    if query.get("sendInitialEvents").is_some() {
        causes.push(Cause::forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
    }
    if causes.is_empty() { Ok(()) } else { Err(ApiError::invalid("ListOptions.meta.k8s.io", "", &causes)) }
}

type Snapshot = (u64, Option<(String, String)>, Vec<Arc<Stored>>);

/// The collection of the moment that is asked for, and where to go on in it.
fn snapshot(store: &Store, call: &Call) -> Result<Snapshot, ApiError> {
    let res = &call.address.res;
    let namespace = Some(call.address.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    let (current, items) = store.list_stored(res, namespace);
    let asked = call.query.get("resourceVersion");
    if let Some(token) = call.query.get("continue") {
        if asked.is_some_and(|version| version != "0") {
            return Err(ApiError::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        let place = Place::parse(token)?;
        let start = Some((place.namespace.clone(), place.name.clone()));
        if place.version == INCONSISTENT {
            return Ok((current, start, items));
        }
        let version = place.version;
        let items = store.list_at(res, namespace, version).map_err(|_| place.expired())?;
        return Ok((version, start, items));
    }
    let Some(text) = asked else { return Ok((current, None, items)) };
    let version: u64 =
        text.parse().map_err(|_| ApiError::bad_request(format!("invalid resource version: {text}")))?;
    if version > current {
        let message = format!("Too large resource version: {version}, current: {current}");
        let mut error = ApiError::new(504, "Timeout", message);
        error.details = Some(Box::new(json!({"retryAfterSeconds": 1,
            "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]})));
        return Err(error);
    }
    if call.query.get("resourceVersionMatch") == Some("Exact") {
        let items =
            store.list_at(res, namespace, version).map_err(|oldest| ApiError::expired(version, oldest))?;
        return Ok((version, None, items));
    }
    Ok((current, None, items))
}

/// One page of a list, and the list's metadata.
fn page(call: &Call, filter: &Filter, items: Vec<Arc<Stored>>, version: u64) -> (Vec<Arc<Stored>>, Value) {
    let mut items = items;
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
            // How many more a selector would find is not counted.
            if filter.selects_all() {
                meta["remainingItemCount"] = json!(rest);
            }
        }
    }
    (items, meta)
}

fn position(value: &Value) -> (&str, &str) {
    (object::namespace(value), object::name(value))
}

/// The version of a place from where a list goes on with whatever is there then.
const INCONSISTENT: u64 = 0;

/// Where a paged list goes on.
struct Place {
    version: u64,
    namespace: String,
    name: String,
}

impl Place {
    /// 410, with a token that gives the rest without its moment.
    fn expired(self) -> ApiError {
        let mut error = ApiError::new(
            410,
            "Expired",
            "The provided continue parameter is too old to display a consistent list result. You can start a new list without \
             the continue parameter, or use the continue token in this response to retrieve the remainder of the results. \
             Continuing with the provided token results in an inconsistent list - objects that were created, modified, or \
             deleted between the time the first chunk was returned and now may show up in the list.",
        );
        error.go_on = Some(Self { version: INCONSISTENT, ..self }.token());
        error
    }

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
