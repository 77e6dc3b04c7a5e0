//! Listens to `/api/events`: a status document at every change, as soon as it is there.

use std::time::Duration;

use futures::Stream;
use futures::stream::unfold;
use reqwest::{Client, Response};
use serde_json::Value;

use crate::world::World;

/// How long after a stream that broke off, or was never there, the next one is tried, in field time.
const AGAIN: Duration = Duration::from_millis(250);

/// One who listens.
pub(crate) struct Listener<'w> {
    world: &'w dyn World,
    client: Client,
    stream: Option<Response>,
    heard: Vec<u8>,
}

impl<'w> Listener<'w> {
    pub(crate) fn new(world: &'w dyn World) -> Self {
        Self { world, client: super::http::client(), stream: None, heard: Vec::new() }
    }

    /// All documents from now on.
    pub(crate) fn documents(self) -> impl Stream<Item = Value> + 'w {
        unfold(self, async |mut listener| Some((listener.next().await, listener)))
    }

    /// The next document; waits for as long as it takes.
    async fn next(&mut self) -> Value {
        loop {
            if let Some(event) = self.event()
                && let Some(document) = document(&event)
            {
                return document;
            }
            let Some(stream) = &mut self.stream else {
                self.stream = self.open().await;
                if self.stream.is_none() {
                    self.world.clock().sleep(AGAIN).await;
                }
                continue;
            };
            match stream.chunk().await {
                Ok(Some(chunk)) => self.heard.extend_from_slice(&chunk),
                Ok(None) | Err(_) => {
                    self.stream = None;
                    self.heard.clear();
                    self.world.clock().sleep(AGAIN).await;
                }
            }
        }
    }

    async fn open(&self) -> Option<Response> {
        let token = self.world.status_token().await?;
        let url = format!("{}/api/events", self.world.access().status_url);
        let response = self.client.get(url).bearer_auth(token).send().await.ok()?;
        response.status().is_success().then_some(response)
    }

    /// The first whole event of what was heard.
    fn event(&mut self) -> Option<Vec<u8>> {
        let end = self.heard.windows(2).position(|pair| pair == b"\n\n")?;
        let rest = self.heard.split_off(end + 2);
        Some(std::mem::replace(&mut self.heard, rest))
    }
}

/// The document in an event's data.
fn document(event: &[u8]) -> Option<Value> {
    let lines = event.split(|byte| *byte == b'\n');
    let data: Vec<&[u8]> = lines.filter_map(|line| line.strip_prefix(b"data:")).collect();
    serde_json::from_slice(&data.join(&b'\n')).ok()
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn a_document_may_come_in_several_lines_of_data() {
        let event = b"event: status\ndata: {\"rollup\":\ndata: {\"state\": \"installing\"}}\n\n";
        assert_eq!(document(event).unwrap()["rollup"]["state"], "installing");
        assert_eq!(document(b": a comment\n\n"), None);
    }
}
