//! Keys, certificates and password hashes. What they give is new every time.
//!
//! Keys are of elliptic curves where Helm makes RSA keys, which nobody waits for.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

use super::Param::{Any, Int, Str};
use super::{Function, Outcome, World, int, text};
use crate::template::failure::Failure;
use crate::value::{Map, MapKind, Value, convert, display};

macro_rules! unsupported {
    ($name:literal, [$($param:expr),*]) => {
        Function::new($name, &[$($param),*], |_| {
            Err(concat!($name, " is not supported by this renderer").into())
        })
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("bcrypt", &[Str], |values| Ok(hash(text(&values[0])).into())),
    Function::new("htpasswd", &[Str, Str], |values| {
        let name = text(&values[0]);
        if name.contains(':') {
            return Ok(format!("invalid username: {name}").into());
        }
        Ok(format!("{name}:{}", hash(text(&values[1]))).into())
    }),
    Function::new("genPrivateKey", &[Str], |values| match text(&values[0]) {
        "" | "rsa" | "dsa" | "ecdsa" => Ok(new_key()?.serialize_pem().into()),
        "ed25519" => Ok(KeyPair::generate_for(&rcgen::PKCS_ED25519).map_err(failed)?.serialize_pem().into()),
        other => Ok(format!("Unknown type {other}").into()),
    }),
    Function::new("buildCustomCert", &[Str, Str], custom),
    Function::world("genCA", &[Str, Int], |world, values| authority(world, values, new_key()?)),
    Function::world("genCAWithKey", &[Str, Int, Str], |world, values| {
        authority(world, values, given_key(text(&values[2]))?)
    }),
    Function::world("genSelfSignedCert", &[Str, Any, Any, Int], |world, values| {
        self_signed(world, values, new_key()?)
    }),
    Function::world("genSelfSignedCertWithKey", &[Str, Any, Any, Int, Str], |world, values| {
        self_signed(world, values, given_key(text(&values[4]))?)
    }),
    Function::world("genSignedCert", &[Str, Any, Any, Int, Any], |world, values| {
        signed(world, values, new_key()?)
    }),
    Function::world("genSignedCertWithKey", &[Str, Any, Any, Int, Any, Str], |world, values| {
        signed(world, values, given_key(text(&values[5]))?)
    }),
    unsupported!("derivePassword", [Any, Str, Str, Str, Str]),
    unsupported!("encryptAES", [Str, Str]),
    unsupported!("decryptAES", [Str, Str]),
];

/// How much work a hash is, as a power of two.
const COST: u32 = 10;

fn hash(password: &str) -> String {
    bcrypt::hash_with_result(password, COST).map_or_else(
        |error| format!("failed to encrypt string with bcrypt: {error}"),
        |parts| parts.format_for_version(bcrypt::Version::TwoA),
    )
}

fn failed(error: rcgen::Error) -> Failure {
    error.to_string().into()
}

fn new_key() -> Result<KeyPair, Failure> {
    KeyPair::generate().map_err(failed)
}

fn given_key(pem: &str) -> Result<KeyPair, Failure> {
    KeyPair::from_pem(pem).map_err(|error| format!("parsing private key: {error}").into())
}

fn pair(cert: String, key: String) -> Value {
    let pair = Map::new(MapKind::Strings, [("Cert".into(), cert.into()), ("Key".into(), key.into())].into());
    pair.into()
}

/// A certificate and key from elsewhere, both in base64.
fn custom(values: &[Value]) -> Outcome {
    let decode = |value: &Value, what: &str| -> Result<String, Failure> {
        let bytes =
            STANDARD.decode(text(value)).map_err(|error| format!("unable to decode {what}: {error}"))?;
        Ok(crate::value::text::from_bytes(&bytes))
    };
    let (cert, key) = (decode(&values[0], "certificate")?, decode(&values[1], "private key")?);
    if der_of(&cert).is_none() {
        return Err("unable to decode certificate".into());
    }
    Ok(pair(cert, key))
}

/// The first arguments of every function that makes certificates.
fn base(world: &World<'_>, name: &str, days: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(name);
    let now = u64::try_from(world.now.timestamp.as_second()).unwrap_or(0);
    params.not_before = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(now);
    params.not_after = params.not_before + Duration::from_secs(86_400 * u64::try_from(days).unwrap_or(0));
    params.key_usages = vec![KeyUsagePurpose::KeyEncipherment, KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.is_ca = IsCa::ExplicitNoCa;
    params
}

fn named(name: &str) -> rcgen::DistinguishedName {
    let mut names = rcgen::DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

fn authority(world: &World<'_>, values: &[Value], key: KeyPair) -> Outcome {
    let mut params = base(world, text(&values[0]), int(&values[1]));
    params.key_usages.push(KeyUsagePurpose::KeyCertSign);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let cert = params.self_signed(&key).map_err(failed)?;
    Ok(pair(cert.pem(), key.serialize_pem()))
}

/// Name, addresses, other names and days.
fn leaf(world: &World<'_>, values: &[Value]) -> Result<CertificateParams, Failure> {
    let mut params = base(world, text(&values[0]), int(&values[3]));
    for address in values[1].elements().unwrap_or_default() {
        let Value::Str(address) = &address else {
            return Err(format!("error parsing ip: {} is not a string", display::plain(&address)).into());
        };
        let parsed: IpAddr = address.parse().map_err(|_| format!("error parsing ip: {address}"))?;
        params.subject_alt_names.push(SanType::IpAddress(parsed));
    }
    for name in values[2].elements().unwrap_or_default() {
        let Value::Str(name) = &name else {
            return Err(format!(
                "error processing alternate dns name: {} is not a string",
                display::plain(&name)
            )
            .into());
        };
        let name = name.as_ref().try_into().map_err(failed)?;
        params.subject_alt_names.push(SanType::DnsName(name));
    }
    Ok(params)
}

fn self_signed(world: &World<'_>, values: &[Value], key: KeyPair) -> Outcome {
    let cert = leaf(world, values)?.self_signed(&key).map_err(failed)?;
    Ok(pair(cert.pem(), key.serialize_pem()))
}

fn signed(world: &World<'_>, values: &[Value], key: KeyPair) -> Outcome {
    let part = |name: &str| match &values[4] {
        Value::Map(authority) => authority.get(name).map(|part| convert::to_text(&part)).unwrap_or_default(),
        _ => String::new(),
    };
    let Some(der) = der_of(&part("Cert")) else {
        return Err("unable to decode certificate".into());
    };
    let signer =
        KeyPair::from_pem(&part("Key")).map_err(|error| format!("error parsing private key: {error}"))?;
    let mut issuer = CertificateParams::default();
    issuer.distinguished_name = named(&common_name(&der));
    let cert = leaf(world, values)?.signed_by(&key, &Issuer::new(issuer, signer)).map_err(failed)?;
    Ok(pair(cert.pem(), key.serialize_pem()))
}

fn der_of(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let body: String = body.split_whitespace().collect();
    STANDARD.decode(body).ok()
}

/// The last common name in a certificate, which is its subject's.
fn common_name(der: &[u8]) -> String {
    const IDENTIFIER: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];
    let Some(start) = der.windows(IDENTIFIER.len()).rposition(|window| window == IDENTIFIER) else {
        return String::new();
    };
    // A tag and a length stand before the name.
    let rest = der.get(start + IDENTIFIER.len() + 1..).unwrap_or_default();
    match rest.split_first() {
        Some((length, name)) => {
            String::from_utf8_lossy(name.get(..usize::from(*length)).unwrap_or_default()).into_owned()
        }
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashMap;

    use super::{authority, common_name, der_of, new_key, signed};
    use crate::functions::World;
    use crate::functions::time::Moment;
    use crate::lookup::NoCluster;
    use crate::value::Value;

    #[test]
    fn a_certificate_is_signed_in_the_name_of_its_authority() {
        let world = World {
            now: Moment::from_unix(1_700_000_000),
            lookup: &NoCluster,
            included: RefCell::new(HashMap::new()),
        };
        let key = || new_key().expect("a key");
        let ca = authority(&world, &["the-ca".into(), Value::Int(365)], key()).expect("an authority");
        let names = Value::list(vec!["svc.example.org".into()]);
        let addresses = Value::list(vec!["10.0.0.1".into()]);
        let arguments = ["svc".into(), addresses, names, Value::Int(10), ca];
        let Value::Map(pair) = signed(&world, &arguments, key()).expect("a certificate") else {
            panic!("no pair");
        };
        let Some(Value::Str(cert)) = pair.get("Cert") else {
            panic!("no certificate");
        };
        let der = der_of(&cert).expect("a certificate in base64");
        assert_eq!(common_name(&der), "svc");
        assert!(der.windows(6).any(|window| window == b"the-ca"), "no issuer");
        assert!(der.windows(15).any(|window| window == b"svc.example.org"), "no other name");
    }
}
