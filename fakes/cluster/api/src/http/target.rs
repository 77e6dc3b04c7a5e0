//! What a path asks for.

use crate::Res;

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// An object, a collection or a subresource.
    Resource(Address),
    /// `/api/v1`, `/apis/GROUP/VERSION`: the resources of a group version.
    GroupVersion { group: String, version: String },
    /// Anything else.
    Path(String),
}

/// The address of an object or a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) res: Res,
    pub(super) version: String,
    /// Empty for cluster-scoped kinds and for all namespaces.
    pub(super) namespace: String,
    /// Empty for collections.
    pub(super) name: String,
    /// Empty for the object itself.
    pub(super) sub: String,
}

impl Target {
    pub(super) fn parse(path: &str) -> Self {
        let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(unescape).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match parts.as_slice() {
            ["api", version, rest @ ..] => within("", version, rest),
            ["apis", group, version, rest @ ..] => within(group, version, rest),
            _ => None,
        }
        .unwrap_or_else(|| Self::Path(path.to_owned()))
    }
}

fn within(group: &str, version: &str, rest: &[&str]) -> Option<Target> {
    let address = |plural: &str, namespace: &str, name: &str, sub: &str| {
        Some(Target::Resource(Address {
            res: Res::named(group, plural),
            version: version.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            sub: sub.to_owned(),
        }))
    };
    match rest {
        [] => Some(Target::GroupVersion { group: group.to_owned(), version: version.to_owned() }),
        ["namespaces", name, sub @ ("status" | "finalize")] => address("namespaces", "", name, sub),
        ["namespaces", namespace, plural] => address(plural, namespace, "", ""),
        ["namespaces", namespace, plural, name] => address(plural, namespace, name, ""),
        ["namespaces", namespace, plural, name, sub] => address(plural, namespace, name, sub),
        [plural] => address(plural, "", "", ""),
        [plural, name] => address(plural, "", name, ""),
        [plural, name, sub] => address(plural, "", name, sub),
        _ => None,
    }
}

/// The parameters of a query.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        let pair = |part: &str| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (unescape(&key.replace('+', " ")), unescape(&value.replace('+', " ")))
        };
        Self { pairs: text.split('&').filter(|part| !part.is_empty()).map(pair).collect() }
    }

    /// A parameter; the empty text counts as absent.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value.as_str())
            .filter(|v| !v.is_empty())
    }

    /// Every value of a parameter.
    pub(super) fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.pairs.iter().filter(move |(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is there and says yes.
    pub(super) fn says(&self, key: &str) -> bool {
        self.pairs
            .iter()
            .any(|(known, value)| known == key && matches!(value.as_str(), "" | "true" | "1" | "All"))
    }

    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.get(key)?.parse().ok()
    }
}

/// Decodes `%41`.
fn unescape(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(path: &str) -> (String, String, String, String) {
        match Target::parse(path) {
            Target::Resource(a) => (a.res.to_string(), a.namespace, a.name, a.sub),
            other => panic!("{other:?}"),
        }
    }

    fn parts(a: &str, b: &str, c: &str, d: &str) -> (String, String, String, String) {
        (a.to_owned(), b.to_owned(), c.to_owned(), d.to_owned())
    }

    #[test]
    fn paths_name_objects_collections_and_subresources() {
        assert_eq!(resource("/api/v1/pods"), parts("pods", "", "", ""));
        assert_eq!(resource("/api/v1/namespaces/a"), parts("namespaces", "", "a", ""));
        assert_eq!(resource("/api/v1/namespaces/a/finalize"), parts("namespaces", "", "a", "finalize"));
        assert_eq!(resource("/api/v1/namespaces/a/pods/b/log"), parts("pods", "a", "b", "log"));
        assert_eq!(
            resource("/apis/apps/v1/namespaces/a/deployments"),
            parts("deployments.apps", "a", "", "")
        );
        assert_eq!(Target::parse("/version"), Target::Path("/version".to_owned()));
        assert!(matches!(Target::parse("/apis/apps/v1/"), Target::GroupVersion { .. }));
    }

    #[test]
    fn queries_are_decoded() {
        let query = Query::parse("labelSelector=a%3Db%2Cc&watch=true&limit=5");
        assert_eq!(query.get("labelSelector"), Some("a=b,c"));
        assert!(query.says("watch"));
        assert_eq!(query.number("limit"), Some(5));
    }
}
