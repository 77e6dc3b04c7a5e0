//! Functions that make keys, certificates and password hashes: known by name, so that charts that
//! mention them can be parsed, but not carried out.

use super::Function;
use super::Param::{Any, Int, Str};

macro_rules! unsupported {
    ($name:literal, [$($param:expr),*]) => {
        Function::open($name, &[$($param),*], Any, |_| {
            Err(concat!($name, " is not supported by this renderer").into())
        })
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    unsupported!("bcrypt", [Str]),
    unsupported!("htpasswd", [Str, Str]),
    unsupported!("genPrivateKey", [Str]),
    unsupported!("derivePassword", [Any, Str]),
    unsupported!("buildCustomCert", [Str, Str]),
    unsupported!("genCA", [Str, Int]),
    unsupported!("genCAWithKey", [Str, Int, Str]),
    unsupported!("genSelfSignedCert", [Str]),
    unsupported!("genSelfSignedCertWithKey", [Str]),
    unsupported!("genSignedCert", [Str]),
    unsupported!("genSignedCertWithKey", [Str]),
    unsupported!("encryptAES", [Str, Str]),
    unsupported!("decryptAES", [Str, Str]),
];
