//! Questions about access: may I, may somebody, who is this.

use http::StatusCode;
use serde_json::{Value, json};

use super::Shared;
use super::access::{Action, allows, rules};
use super::answer::{self, Answer};
use super::call::parse;
use super::target::Address;
use crate::tokens::Identity;
use crate::{Res, Store};

/// Answers a review, if the path names one.
pub(super) fn serve(
    shared: &Shared,
    who: &Identity,
    address: &Address,
    body: &[u8],
    content_type: &str,
) -> Option<Answer> {
    let review = match (&*address.res.group, &*address.res.plural) {
        ("authorization.k8s.io", "selfsubjectaccessreviews") => self_access,
        ("authorization.k8s.io", "subjectaccessreviews") => subject_access,
        ("authorization.k8s.io", "selfsubjectrulesreviews") => self_rules,
        ("authentication.k8s.io", "tokenreviews") => token,
        ("authentication.k8s.io", "selfsubjectreviews") => myself,
        _ => return None,
    };
    let asked = parse(body, content_type);
    Some(asked.map(|asked| answer::json(StatusCode::CREATED, &review(shared, who, asked))))
}

fn decide(store: &Store, who: &Identity, spec: &Value) -> Value {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let resource = &spec["resourceAttributes"];
    let allowed = if resource.is_object() {
        let address = Address {
            res: Res::named(&text(&resource["group"]), &text(&resource["resource"])),
            version: text(&resource["version"]),
            namespace: text(&resource["namespace"]),
            name: text(&resource["name"]),
            sub: text(&resource["subresource"]),
        };
        allows(store, who, &Action::Resource { verb: &text(&resource["verb"]), address: &address })
    } else {
        let path = &spec["nonResourceAttributes"];
        allows(store, who, &Action::Path { verb: &text(&path["verb"]), path: &text(&path["path"]) })
    };
    json!({"allowed": allowed})
}

fn self_access(shared: &Shared, who: &Identity, mut review: Value) -> Value {
    name_kind(&mut review, "authorization.k8s.io/v1", "SelfSubjectAccessReview");
    review["status"] = decide(&shared.store, who, &review["spec"]);
    review
}

fn subject_access(shared: &Shared, _: &Identity, mut review: Value) -> Value {
    name_kind(&mut review, "authorization.k8s.io/v1", "SubjectAccessReview");
    let groups = review["spec"]["groups"].as_array().into_iter().flatten();
    let who = Identity {
        user: review["spec"]["user"].as_str().unwrap_or("").to_owned(),
        groups: groups.filter_map(|group| group.as_str().map(str::to_owned)).collect(),
    };
    review["status"] = decide(&shared.store, &who, &review["spec"]);
    review
}

fn self_rules(shared: &Shared, who: &Identity, mut review: Value) -> Value {
    name_kind(&mut review, "authorization.k8s.io/v1", "SelfSubjectRulesReview");
    let namespace = review["spec"]["namespace"].as_str().unwrap_or("").to_owned();
    let mut all = rules(&shared.store, who, &namespace);
    if who.groups.iter().any(|group| group == "system:masters") {
        all.push(json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}));
        all.push(json!({"nonResourceURLs": ["*"], "verbs": ["*"]}));
    }
    let (paths, resources): (Vec<Value>, Vec<Value>) =
        all.into_iter().partition(|rule| rule["nonResourceURLs"].is_array());
    review["status"] = json!({"incomplete": false, "resourceRules": resources, "nonResourceRules": paths});
    review
}

fn token(shared: &Shared, _: &Identity, mut review: Value) -> Value {
    name_kind(&mut review, "authentication.k8s.io/v1", "TokenReview");
    let known = review["spec"]["token"].as_str().and_then(|token| shared.tokens.identify(token));
    review["status"] = match known {
        Some(who) => json!({"authenticated": true, "user": {"username": who.user, "groups": who.groups}}),
        None => json!({"authenticated": false, "error": "invalid bearer token"}),
    };
    review
}

fn myself(_: &Shared, who: &Identity, mut review: Value) -> Value {
    name_kind(&mut review, "authentication.k8s.io/v1", "SelfSubjectReview");
    review["status"] = json!({"userInfo": {"username": who.user, "groups": who.groups}});
    review
}

fn name_kind(review: &mut Value, api_version: &str, kind: &str) {
    if !review.is_object() {
        *review = json!({});
    }
    review["apiVersion"] = json!(api_version);
    review["kind"] = json!(kind);
    crate::object::child(review, "metadata");
}
