//! Who may do what: roles and their bindings.

use serde_json::{Value, json};

use super::target::Address;
use crate::tokens::Identity;
use crate::{ApiError, Store, kinds, object};

/// What somebody wants to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action<'a> {
    /// Something with a resource.
    Resource { verb: &'a str, address: &'a Address },
    /// Reading a path.
    Path { verb: &'a str, path: &'a str },
}

/// Refuses what nobody allowed.
pub(super) fn authorize(store: &Store, identity: &Identity, action: &Action<'_>) -> Result<(), ApiError> {
    if allows(store, identity, action) { Ok(()) } else { Err(refusal(identity, action)) }
}

/// Whether a rule allows an action.
pub(super) fn allows(store: &Store, identity: &Identity, action: &Action<'_>) -> bool {
    identity.groups.iter().any(|group| group == "system:masters")
        || rules(store, identity, namespace_of(action)).iter().any(|rule| rule_allows(rule, action))
}

fn namespace_of<'a>(action: &Action<'a>) -> &'a str {
    match action {
        // A namespace is in itself, as far as access goes.
        Action::Resource { address, .. } if address.res == kinds::NAMESPACES => &address.name,
        Action::Resource { address, .. } => &address.namespace,
        Action::Path { .. } => "",
    }
}

/// Every rule that holds for somebody in a namespace; only cluster-wide ones for an empty namespace.
pub(super) fn rules(store: &Store, identity: &Identity, namespace: &str) -> Vec<Value> {
    let mut bindings = store.list(&kinds::CLUSTER_ROLE_BINDINGS, None);
    if !namespace.is_empty() {
        bindings.extend(store.list(&kinds::ROLE_BINDINGS, Some(namespace)));
    }
    let mut rules = Vec::new();
    for binding in bindings {
        let home = object::namespace(&binding);
        let subjects = binding["subjects"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !subjects.iter().any(|subject| is_subject(subject, identity, home)) {
            continue;
        }
        let name = binding["roleRef"]["name"].as_str().unwrap_or("");
        let role = match binding["roleRef"]["kind"].as_str() {
            Some("Role") => store.get(&kinds::ROLES, home, name),
            _ => store.get(&kinds::CLUSTER_ROLES, "", name),
        };
        rules.extend(role.into_iter().flat_map(|role| role["rules"].as_array().cloned().unwrap_or_default()));
    }
    rules
}

fn is_subject(subject: &Value, identity: &Identity, home: &str) -> bool {
    let name = subject["name"].as_str().unwrap_or("");
    match subject["kind"].as_str() {
        Some("User") => identity.user == name,
        Some("Group") => identity.groups.iter().any(|group| group == name),
        Some("ServiceAccount") => {
            let namespace = subject["namespace"].as_str().unwrap_or(home);
            identity.user.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'))
                == Some((namespace, name))
        }
        _ => false,
    }
}

fn has(list: &Value, wanted: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|item| item == "*" || item == wanted))
}

fn rule_allows(rule: &Value, action: &Action<'_>) -> bool {
    match action {
        Action::Path { verb, path } => {
            has(&rule["verbs"], verb)
                && rule["nonResourceURLs"].as_array().is_some_and(|urls| {
                    urls.iter().filter_map(Value::as_str).any(|url| match url.strip_suffix('*') {
                        Some(prefix) => path.starts_with(prefix),
                        None => url == *path,
                    })
                })
        }
        Action::Resource { verb, address } => {
            has(&rule["verbs"], verb)
                && has(&rule["apiGroups"], &address.res.group)
                && has_resource(&rule["resources"], &address.res.plural, &address.sub)
                && rule["resourceNames"].as_array().is_none_or(|names| {
                    names.is_empty() || names.iter().any(|name| *name == address.name.as_str())
                })
        }
    }
}

fn has_resource(list: &Value, plural: &str, sub: &str) -> bool {
    let Some(list) = list.as_array() else { return false };
    list.iter().filter_map(Value::as_str).any(|known| match known.split_once('/') {
        _ if known == "*" => true,
        None => sub.is_empty() && known == plural,
        Some(("*", known_sub)) => known_sub == sub,
        Some((known_plural, known_sub)) => known_plural == plural && known_sub == sub,
    })
}

/// 403 in the words of Kubernetes.
pub(super) fn refusal(identity: &Identity, action: &Action<'_>) -> ApiError {
    let user = &identity.user;
    match action {
        Action::Path { verb, path } => {
            let mut error = ApiError::new(
                403,
                "Forbidden",
                format!("forbidden: User \"{user}\" cannot {verb} path \"{path}\""),
            );
            error.details = Some(Box::new(json!({})));
            error
        }
        Action::Resource { verb, address } => {
            let sub = if address.sub.is_empty() { String::new() } else { format!("/{}", address.sub) };
            let place = match namespace_of(action) {
                "" => "at the cluster scope".to_owned(),
                namespace => format!("in the namespace \"{namespace}\""),
            };
            let why = format!(
                "User \"{user}\" cannot {verb} resource \"{}{sub}\" in API group \"{}\" {place}",
                address.res.plural, address.res.group
            );
            ApiError::forbidden(&address.res, &address.name, &why)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Res;
    use field_clock::Clock;

    fn address(plural: &str, namespace: &str, name: &str, sub: &str) -> Address {
        let own = str::to_owned;
        Address {
            res: Res::named("", plural),
            version: own("v1"),
            namespace: own(namespace),
            name: own(name),
            sub: own(sub),
        }
    }

    fn watcher() -> Identity {
        Identity {
            user: "system:serviceaccount:ops:watcher".into(),
            groups: vec!["system:authenticated".into()],
        }
    }

    fn store() -> Store {
        let store = Store::new(Clock::wall());
        store.create(&kinds::NAMESPACES, json!({"metadata": {"name": "ops"}})).unwrap();
        store
            .create(
                &kinds::ROLES,
                json!({"metadata": {"name": "r", "namespace": "ops"}, "rules": [
                {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]},
                {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["one"], "verbs": ["get"]}]}),
            )
            .unwrap();
        store
            .create(&kinds::ROLE_BINDINGS, json!({"metadata": {"name": "b", "namespace": "ops"},
                "roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "ServiceAccount", "name": "watcher", "namespace": "ops"}]}))
            .unwrap();
        store
    }

    #[test]
    fn a_role_allows_in_its_namespace_and_nowhere_else() {
        let (store, who) = (store(), watcher());
        for (verb, address, allowed) in [
            ("list", address("pods", "ops", "", ""), true),
            ("get", address("pods", "ops", "x", "log"), true),
            ("get", address("pods", "ops", "x", "exec"), false),
            ("list", address("pods", "", "", ""), false),
            ("delete", address("pods", "ops", "x", ""), false),
            ("get", address("secrets", "ops", "one", ""), true),
            ("get", address("secrets", "ops", "two", ""), false),
        ] {
            assert_eq!(
                allows(&store, &who, &Action::Resource { verb, address: &address }),
                allowed,
                "{verb} {address:?}"
            );
        }
        assert!(allows(&store, &who, &Action::Path { verb: "get", path: "/apis/apps" }));
    }

    #[test]
    fn a_refusal_says_who_may_not_do_what_where() {
        let error = authorize(
            &store(),
            &watcher(),
            &Action::Resource { verb: "list", address: &address("pods", "", "", "") },
        )
        .unwrap_err();
        assert_eq!(
            error.message,
            "pods is forbidden: User \"system:serviceaccount:ops:watcher\" cannot list resource \"pods\" in API group \"\" \
             at the cluster scope"
        );
    }
}
