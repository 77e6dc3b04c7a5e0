//! One request at a time, in field time.

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use field_clock::{Clock, Elapsed};
use reqwest::Client;
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;

use crate::timeline::Answer;

/// A request that takes longer than this in field time has no answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The clock is held no longer than this for one look: nobody who is well needs more, and a world should not stand still for
/// who never answers.
const LONG_HOLD: Duration = Duration::from_secs(2);
/// The clock is held no longer than this, divided by the number of such requests, for an address that let the last ones wait
/// for nothing.
const SHORT_HOLD: Duration = Duration::from_millis(500);
/// What is read of an answer at most.
const MOST: usize = 8 * 1024 * 1024;

/// Asks addresses.
pub(super) struct Visitor {
    clock: Clock,
    client: Client,
}

/// A client that goes nowhere by itself.
pub(super) fn client() -> Client {
    // Another part of the program may have installed it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .no_proxy()
        // What it looks at is plain HTTP: whom this machine trusts does not matter.
        .tls_certs_only([])
        .redirect(Policy::none())
        .pool_idle_timeout(None)
        .build();
    client.expect("a client without files or proxies has nothing to fail on")
}

/// What came back.
pub(super) struct Fetch {
    pub(super) answer: Answer,
    pub(super) body: Bytes,
    timed_out: bool,
}

impl Fetch {
    /// How often there was no answer in time since the last answer, this one included.
    pub(super) fn strikes(&self, before: u32) -> u32 {
        match self.answer {
            _ if self.timed_out => before.saturating_add(1),
            // Who is not there has not shown anything.
            Answer::Nothing { .. } => before,
            Answer::Status { .. } => 0,
        }
    }

    fn nothing(problem: impl Into<String>) -> Self {
        Self { answer: Answer::Nothing { problem: problem.into() }, body: Bytes::new(), timed_out: false }
    }
}

impl Visitor {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, client: client() }
    }

    /// Asks once. The clock is held until the answer is there: host load is not charged to the appliance.
    pub(super) async fn get(&self, url: &str, token: Option<&str>, strikes: u32) -> Fetch {
        let asked = self.clock.timeout(TIMEOUT, self.ask(url, token));
        // On who has shown that he lets people wait, the machine's time is not spent again.
        let most = if strikes == 0 { LONG_HOLD } else { SHORT_HOLD / strikes };
        let answered = self.clock.hold_during("a look at the appliance", most, asked).await;
        answered
            .unwrap_or_else(|Elapsed| Fetch { timed_out: true, ..Fetch::nothing("no answer within 10 s") })
    }

    async fn ask(&self, url: &str, token: Option<&str>) -> Fetch {
        let mut request = self.client.get(url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Fetch::nothing(problem(&error)),
        };
        let code = response.status().as_u16();
        let location =
            response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= MOST => body.extend_from_slice(&chunk),
                Ok(Some(_)) => return Fetch::nothing(format!("an answer of more than {MOST} bytes")),
                Ok(None) => break,
                Err(error) => {
                    return Fetch::nothing(format!("an answer that broke off: {}", problem(&error)));
                }
            }
        }
        Fetch { answer: Answer::Status { code, location }, body: body.into(), timed_out: false }
    }
}

/// The innermost cause, which says it shortest.
fn problem(error: &reqwest::Error) -> String {
    let mut cause: Option<&dyn std::error::Error> = error.source();
    let mut text = error.to_string();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}
