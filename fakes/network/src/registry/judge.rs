//! Which faults an answer meets.

use std::num::NonZeroU64;

use bytes::Bytes;
use http::{StatusCode, header};
use serde_json::{Value, json};

use super::answer::{Answer, Content, ErrorCode};
use super::fault::{Effect, RegistryFault, Target};
use super::name::{Digest, Repository};
use super::receipt::OpenReceipt;
use super::route::Route;
use super::serve::Ask;
use super::store::Store;
use super::{RemovedTag, Said};
use crate::fault::FaultId;

/// The answer of a fault that lets nothing through.
pub(crate) fn refuse(said: &mut Said, ask: &Ask, receipt: &OpenReceipt) -> Option<Answer> {
    let Said { faults, store, .. } = said;
    let (id, effect) = faults.strike(|fault| {
        let refuses = match fault.effect {
            Effect::Unauthorized | Effect::Forbidden | Effect::RateLimited { .. } | Effect::Error { .. } => {
                true
            }
            Effect::MissingTag
            | Effect::Slow { .. }
            | Effect::Cut { .. }
            | Effect::BadDigest
            | Effect::Unreachable => false,
        };
        (refuses && concerns(fault, ask, store)).then(|| fault.effect.clone())
    })?;
    receipt.struck(id, effect.name());
    Some(match effect {
        Effect::Unauthorized => unauthorized(ask),
        Effect::Forbidden => Answer::error(ErrorCode::Denied, Value::Null),
        Effect::RateLimited { retry_after } => Answer::error(ErrorCode::TooManyRequests, Value::Null)
            .with(header::RETRY_AFTER, retry_after.to_string()),
        Effect::Error { status } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Answer::error(ErrorCode::Failed(status), Value::Null)
        }
        _ => Answer::error(ErrorCode::Failed(StatusCode::INTERNAL_SERVER_ERROR), Value::Null),
    })
}

/// Names the token service, except when it is asked itself.
fn unauthorized(ask: &Ask) -> Answer {
    if matches!(ask.route, Route::Token { .. }) {
        return Answer::error(ErrorCode::Unauthorized, Value::Null);
    }
    let authority = &ask.authority;
    let mut challenge = format!("Bearer realm=\"https://{authority}/token\",service=\"{}\"", ask.host);
    let mut detail = Value::Null;
    if let Some(repository) = ask.route.repository() {
        challenge = format!("{challenge},scope=\"repository:{repository}:pull\"");
        detail = json!([{ "Type": "repository", "Class": "", "Name": repository, "Action": "pull" }]);
    }
    Answer::error(ErrorCode::Unauthorized, detail).with(header::WWW_AUTHENTICATE, challenge)
}

/// Whether a fault is about what is asked.
fn concerns(fault: &RegistryFault, ask: &Ask, store: &Store) -> bool {
    let Target { host, repository, reference } = &fault.target;
    let path = ask.route.repository();
    if !host.matches(&ask.host) || !path.map_or(repository.is_any(), |path| repository.matches(path)) {
        return false;
    }
    if reference.is_any() {
        return true;
    }
    match (ask.route.reference(), path) {
        (Some(asked), Some(path)) => {
            reference.matches(asked)
                || Digest::parse(asked).is_some_and(|digest| {
                    let repository = Repository { host: ask.host.clone(), path: path.to_owned() };
                    store.reaches(&repository, reference, &digest)
                })
        }
        // A client that may not read one tag gets no token for its repository.
        _ => matches!((&ask.route, &fault.effect), (Route::Token { .. }, Effect::Unauthorized)),
    }
}

/// How a transfer goes wrong.
#[derive(Default)]
pub(crate) struct Spoiled {
    pub(crate) slow: Option<NonZeroU64>,
    /// How many bytes of this answer still come.
    pub(crate) cut: Option<u64>,
}

pub(crate) fn spoil(said: &mut Said, ask: &Ask, content: &mut Content, receipt: &OpenReceipt) -> Spoiled {
    let mut spoiled = Spoiled::default();
    if matches!(content, Content::Words(_)) {
        return spoiled;
    }
    let Said { faults, store, .. } = said;
    let mut strike = |pick: &dyn Fn(&Effect) -> Option<u64>| {
        let (id, (effect, value)) = faults.strike(|fault| {
            let value = pick(&fault.effect)?;
            concerns(fault, ask, store).then_some((fault.effect.name(), value))
        })?;
        receipt.struck(id, effect);
        Some(value)
    };
    let rate = strike(&|effect| match effect {
        Effect::Slow { bytes_per_second } => Some(bytes_per_second.get()),
        _ => None,
    });
    spoiled.slow = rate.and_then(NonZeroU64::new);
    if let Content::Blob { bytes, offset } = content {
        let end = *offset + bytes.len() as u64;
        spoiled.cut = strike(&|effect| match effect {
            Effect::Cut { after } if end > *after => Some(after.saturating_sub(*offset)),
            _ => None,
        });
        if strike(&|effect| (*effect == Effect::BadDigest).then_some(0)).is_some() {
            *bytes = altered(bytes);
        }
    }
    spoiled
}

/// The same bytes but for the last one.
fn altered(bytes: &Bytes) -> Bytes {
    let mut bytes = bytes.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 0xff;
    }
    bytes.into()
}

/// Faults that took tags away.
impl Said {
    /// The fault by which a tag is gone.
    pub(crate) fn taken_by(&self, repository: &Repository, tag: &str) -> Option<FaultId> {
        let takes = |removed: &RemovedTag| removed.is(repository, tag);
        self.taken.iter().find(|(_, removed)| removed.iter().any(takes)).map(|(id, _)| *id)
    }
}
