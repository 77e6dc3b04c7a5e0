//! A Go program that dials addresses, in turn and for ever.

use std::time::Duration;

use cluster_node::dns::DialError;

use super::go_duration::go_duration;

use crate::process::Process;

/// What the nearest address takes.
const DIALLING_TAKES: Duration = Duration::from_micros(1_700);
/// How long it waits after a round.
const PAUSE: Duration = Duration::from_secs(4);
/// How long one attempt may take, its lookup included.
const WITHIN: Duration = Duration::from_secs(30);

/// Dials each target; with `-once` it leaves with the first error.
pub(super) async fn run(process: &Process, args: &[String]) -> i32 {
    let once = args.first().is_some_and(|arg| arg == "-once" || arg == "--once");
    let targets = if once { &args[1..] } else { args };
    loop {
        for target in targets {
            let began = process.clock().now();
            // To dial takes a moment, however near it is.
            process.clock().sleep(DIALLING_TAKES).await;
            let result = dial(process, target).await;
            let took = Duration::try_from(process.clock().now().duration_since(began)).unwrap_or_default();
            let after = go_duration(took);
            let (line, failed) = match result {
                Ok(address) => (format!("{target}: connected to {address} after {after}\n"), false),
                Err(error) => (format!("{target}: error after {after}: {error}\n"), true),
            };
            if process.out(line).await.is_err() || (once && failed) {
                return 1;
            }
        }
        process.clock().sleep(PAUSE).await;
    }
}

async fn dial(process: &Process, target: &str) -> Result<String, String> {
    let Some((host, port)) = target.rsplit_once(':') else {
        return Err(format!("dial tcp: address {target}: missing port in address"));
    };
    let Ok(port) = port.parse::<u16>() else {
        return Err(format!("dial tcp: lookup tcp/{port}: unknown port"));
    };
    let attempt = process.world.network.dial_known(host, port);
    match process.clock().timeout(WITHIN, attempt).await {
        Ok(Ok((_, address))) => Ok(address.to_string()),
        Ok(Err(error @ (DialError::Lookup(_) | DialError::Connect { .. } | DialError::Timeout { .. }))) => {
            Err(error.to_string())
        }
        Err(_) => Err(format!("dial tcp: lookup {host}: i/o timeout")),
    }
}
