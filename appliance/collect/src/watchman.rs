//! Notices that the API is gone, also where it takes connections and says nothing, and that it is there although no node
//! renews its lease.

use std::sync::Arc;
use std::time::Duration;

use http::header::DATE;
use http::{Request, Response};
use jiff::Timestamp;
use kube::Client;
use kube::client::Body;
use tokio::sync::{Notify, mpsc, watch};

use crate::clock::{Alarm, Clock};
use crate::follow::{Change, Contact, words};
use crate::kinds::Leases;

/// Leases are renewed every ten seconds; who hears nothing for half of that asks.
const QUIET: Duration = Duration::from_secs(5);
/// Who asks waits this long for the answer, and asks again after it.
const ANSWER: Duration = Duration::from_secs(5);

/// Asks the API whether it is there whenever nothing was heard for a while, or a watch has broken off.
pub(crate) async fn keep_watch(
    client: Client,
    clock: Clock,
    changes: mpsc::UnboundedSender<Change>,
    mut pulse: watch::Receiver<u64>,
    broken: Arc<Notify>,
) {
    let mut alarm = Alarm::of(clock);
    while !changes.is_closed() {
        alarm.set(QUIET).await;
        tokio::select! {
            changed = pulse.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
            () = broken.notified() => {}
            () = alarm.rings() => {}
        }
        ask_on(&client, &mut alarm, &changes).await;
    }
}

/// Asks until there is an answer, and tells for how long there was none.
async fn ask_on(client: &Client, alarm: &mut Alarm, changes: &mpsc::UnboundedSender<Change>) {
    let mut silence = Duration::ZERO;
    while !changes.is_closed() {
        alarm.set(ANSWER).await;
        let answer = tokio::select! {
            answer = ask(client) => answer,
            () = alarm.rings() => {
                silence += ANSWER;
                Err(format!("no answer within {} s", ANSWER.as_secs()))
            }
        };
        match answer {
            Ok(time) => return tell(changes, time, Contact::Answered),
            Err(error) => {
                tell(changes, None, Contact::Silent { error: error.clone(), seconds: silence.as_secs() });
                alarm.set(ANSWER).await;
                alarm.rings().await;
                silence += ANSWER;
                tell(changes, None, Contact::Silent { error, seconds: silence.as_secs() });
            }
        }
    }
}

fn tell(changes: &mpsc::UnboundedSender<Change>, newest: Option<Timestamp>, contact: Contact) {
    // Whoever collects may have ended.
    let _ = changes.send(Change { read: Leases::READ, apply: Box::new(|_| {}), newest, contact });
}

/// The API's time, where it answers at all; what it answers does not matter.
async fn ask(client: &Client) -> Result<Option<Timestamp>, String> {
    let request = Request::get("/version").body(Body::empty()).map_err(|error| error.to_string())?;
    match client.send(request).await {
        Ok(response) => Ok(time_of(&response)),
        Err(kube::Error::Api(_)) => Ok(None),
        Err(error) => Err(words(&error)),
    }
}

fn time_of<B>(response: &Response<B>) -> Option<Timestamp> {
    let text = response.headers().get(DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(text).ok().map(|it| it.timestamp())
}

#[cfg(test)]
mod tests {
    use super::time_of;
    use http::Response;

    #[test]
    fn the_date_of_an_answer_is_the_apis_time() {
        let dated = |date: &str| time_of(&Response::builder().header("date", date).body(()).unwrap());
        assert_eq!(dated("Sun, 06 Nov 1994 08:49:37 GMT").unwrap().to_string(), "1994-11-06T08:49:37Z");
        assert_eq!(dated("soon"), None);
    }
}
