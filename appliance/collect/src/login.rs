//! The login page, asked as a browser would, without following.

use std::time::Duration;

use appliance_assess::ProbeFact;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::header::{HOST, LOCATION};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(5);

/// What `http://ADDRESS/` answers.
pub(crate) async fn ask(address: &str) -> ProbeFact {
    let mut fact = ProbeFact { url: format!("http://{address}/"), ..ProbeFact::default() };
    match bounded(address).await {
        Ok((status, location)) => (fact.status, fact.location) = (Some(status), location),
        Err(error) => fact.error = Some(error),
    }
    fact
}

#[expect(
    clippy::disallowed_methods,
    reason = "bounds one answer of a real socket; nothing is assessed by it"
)]
async fn bounded(address: &str) -> Result<(u16, Option<String>), String> {
    match tokio::time::timeout(PATIENCE, request(address)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

async fn request(address: &str) -> Result<(u16, Option<String>), String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let request = hyper::Request::get("/")
        .header(HOST, address)
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let location = response.headers().get(LOCATION);
        let location = location.map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
        Ok((response.status().as_u16(), location))
    };
    tokio::pin!(connection);
    tokio::pin!(answer);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        end = &mut connection => match end {
            Ok(()) => answer.await,
            Err(error) => Err(error.to_string()),
        },
    }
}
