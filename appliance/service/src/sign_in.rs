//! Who may read.

use std::collections::HashMap;

use axum::extract::Query;
use axum::http::{HeaderMap, Uri, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const COOKIE: &str = "alga_appliance_session";

/// The token, known by its hash alone.
#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    token: Option<[u8; 32]>,
    session: String,
}

/// How a request identifies itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Nothing was shown.
    None,
    /// Something was shown, and it is wrong.
    Wrong,
    /// A bearer token or a session.
    Header,
    /// The token stood in the address.
    Address,
}

impl SignIn {
    pub(crate) fn new(token: &str) -> Self {
        let session = Sha256::digest(format!("alga-appliance-session:{token}").as_bytes());
        let session = session.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { token: (!token.is_empty()).then(|| hash(token)), session }
    }

    /// How a request identifies itself.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Proof {
        let mut wrong = false;
        if let Some(shown) = bearer(headers) {
            if self.is_token(shown) {
                return Proof::Header;
            }
            wrong = true;
        }
        if let Some(shown) = from_query(uri) {
            if self.is_token(&shown) {
                return Proof::Address;
            }
            wrong = true;
        }
        if self.token.is_some() && cookies(headers).any(|it| same(it.as_bytes(), self.session.as_bytes())) {
            return Proof::Header;
        }
        if wrong { Proof::Wrong } else { Proof::None }
    }

    /// Whether that is the token; takes the same time whatever it is.
    pub(crate) fn is_token(&self, shown: &str) -> bool {
        let shown = hash(shown);
        self.token.is_some_and(|token| same(&token, &shown))
    }

    /// The header that begins a session.
    pub(crate) fn set_cookie(&self) -> String {
        format!("{COOKIE}={}; HttpOnly; SameSite=Strict; Path=/", self.session)
    }

    /// The header that ends one.
    pub(crate) fn clear_cookie() -> String {
        format!("{COOKIE}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0")
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn from_query(uri: &Uri) -> Option<String> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).ok()?;
    pairs.into_iter().collect::<HashMap<_, _>>().remove("token")
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(';'))
        .filter_map(|it| it.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Uri};

    use super::{Proof, SignIn};

    fn check(sign_in: &SignIn, uri: &str, header: Option<(&'static str, &str)>) -> Proof {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = header {
            headers.insert(name, value.parse().unwrap());
        }
        sign_in.check(&uri.parse::<Uri>().unwrap(), &headers)
    }

    #[test]
    fn the_token_is_taken_as_bearer_and_in_the_address() {
        let sign_in = SignIn::new("abc");
        assert_eq!(check(&sign_in, "/", Some(("authorization", "Bearer abc"))), Proof::Header);
        assert_eq!(check(&sign_in, "/?x=1&token=abc", None), Proof::Address);
        assert_eq!(check(&sign_in, "/?token=abd", None), Proof::Wrong);
        assert_eq!(check(&sign_in, "/?%", None), Proof::None);
    }

    #[test]
    fn a_session_lasts_until_the_token_changes() {
        let cookie = SignIn::new("abc").set_cookie();
        let cookie = cookie.split(';').next().unwrap();
        assert_eq!(check(&SignIn::new("abc"), "/", Some(("cookie", cookie))), Proof::Header);
        assert_eq!(check(&SignIn::new("new"), "/", Some(("cookie", cookie))), Proof::None);
    }

    #[test]
    fn an_empty_token_admits_nobody() {
        let sign_in = SignIn::new("");
        assert_eq!(check(&sign_in, "/?token=", None), Proof::Wrong);
        assert_eq!(check(&sign_in, "/", Some(("authorization", "Bearer "))), Proof::Wrong);
        let cookie = sign_in.set_cookie();
        assert_eq!(check(&sign_in, "/", Some(("cookie", cookie.split(';').next().unwrap()))), Proof::None);
    }
}
