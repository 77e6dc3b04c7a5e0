//! The images that there are: busybox, and two of one program each.

mod dialer;
mod go_duration;

use cluster_node::ContainerSpec;
use futures::future::BoxFuture;

use crate::applets;
use crate::process::Process;
use crate::signal::{Disposition, Signal};

const SLEEPER: &str = "/usr/local/bin/sleeper";
const DIALER: &str = "/usr/local/bin/dialer";

/// What is in a container's root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Image {
    Busybox,
    Sleeper,
    Dialer,
}

impl Image {
    /// By the entry point, else by the name of the image; all else has busybox in it.
    pub(crate) fn of(spec: &ContainerSpec) -> Self {
        let name = spec.image.rsplit('/').next().unwrap_or("");
        let name = name.split(['@', ':']).next().unwrap_or("");
        let entry = spec.image_config.entrypoint.first().and_then(|path| path.rsplit('/').next());
        match entry.unwrap_or(name) {
            "sleeper" => Self::Sleeper,
            "dialer" => Self::Dialer,
            _ => Self::Busybox,
        }
    }

    /// What runs when neither the pod nor the image's config names a command.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Busybox => "/bin/sh",
            Self::Sleeper => SLEEPER,
            Self::Dialer => DIALER,
        }
    }

    /// The programs in it, the file before its links.
    pub(crate) fn programs(self) -> Vec<String> {
        match self {
            Self::Sleeper => vec![SLEEPER.into()],
            Self::Dialer => vec![DIALER.into()],
            Self::Busybox => {
                let names = applets::NAMES.iter().chain(&applets::MORE_NAMES);
                let links = names.map(|name| format!("/bin/{name}"));
                std::iter::once("/bin/busybox".to_owned()).chain(links).collect()
            }
        }
    }
}

pub(crate) fn is_program(path: &str) -> bool {
    path == SLEEPER || path == DIALER
}

/// Runs the program of an image.
pub(crate) fn run(process: Process, name: String, argv: Vec<String>) -> BoxFuture<'static, i32> {
    if name == "dialer" {
        return Box::pin(async move { dialer::run(&process, argv.get(1..).unwrap_or_default()).await });
    }
    // Its handlers are there before anybody can ask it to end.
    for signal in [Signal::TERM, Signal::INT] {
        process.signals.set(signal, Some(Disposition::Catch));
    }
    Box::pin(async move { sleeper(&process).await })
}

/// Waits for the signal to end.
async fn sleeper(process: &Process) -> i32 {
    // Without anybody to read it, nothing is said.
    let _ = process.out("sleeping\n").await;
    process.signals.caught().await;
    0
}
