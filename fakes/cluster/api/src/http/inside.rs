//! What somebody inside of the cluster's process asks the server for in another one's name.

use super::access::{Action, authorize};
use super::target::Address;
use crate::kind::KindInfo;
use crate::tokens::Identity;
use crate::{ApiError, Store};

impl Store {
    /// Whether somebody may do something with an object, as the server decides for requests.
    ///
    /// # Errors
    /// The server's refusal.
    pub fn authorize(
        &self,
        identity: &Identity,
        verb: &str,
        info: &KindInfo,
        namespace: &str,
        name: &str,
    ) -> Result<(), ApiError> {
        let address = Address {
            res: info.res.clone(),
            version: info.version.clone(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            sub: String::new(),
        };
        authorize(self, identity, &Action::Resource { verb, address: &address })
    }
}
