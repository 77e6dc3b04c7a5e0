//! Start and end of the process.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use appliance_assess::Site;
use appliance_collect::{Clock, Collector, InCluster};
use axum::serve::ListenerExt;
use clap::Parser;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::publish::Press;
use crate::routes;
use crate::sign_in::SignIn;

/// Says how the appliance is doing, over HTTP.
#[derive(Clone, Debug, Parser)]
#[command(name = "appliance-status", version)]
pub struct Cli {
    /// Token that admits readers; an empty one admits nobody.
    #[arg(long, env = "STATUS_TOKEN", default_value = "", hide_env_values = true, hide_default_value = true)]
    token: String,
    /// Address of the node.
    #[arg(long, env = "HOST_IP")]
    host_ip: Option<IpAddr>,
    /// Address to listen on.
    #[arg(long, env = "STATUS_LISTEN", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// Host of the Kubernetes API.
    #[arg(long, env = "KUBERNETES_SERVICE_HOST", default_value = "kubernetes.default.svc")]
    kubernetes_host: String,
    /// Port of the Kubernetes API.
    #[arg(long, env = "KUBERNETES_SERVICE_PORT", default_value_t = 443)]
    kubernetes_port: u16,
    /// Directory of the service account: `token`, `ca.crt`, `namespace`.
    #[arg(
        long,
        env = "SERVICE_ACCOUNT_DIR",
        default_value = "/var/run/secrets/kubernetes.io/serviceaccount"
    )]
    service_account: PathBuf,
    /// Who tells how time passes while the API does not: `machine`, or the address of a clock.
    #[arg(long, env = "STATUS_CLOCK", default_value = "machine")]
    clock: Clock,
    /// Name of the site.
    #[arg(long, env = "SITE_ID")]
    site_id: Option<String>,
}

/// What the service needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// Token that admits readers.
    pub token: String,
    /// Address to listen on.
    pub listen: SocketAddr,
    /// The way to the API.
    pub api: InCluster,
    /// What is told about the site.
    pub site: Site,
    /// Who tells how time passes while the API does not.
    pub clock: Clock,
}

impl From<Cli> for Options {
    fn from(cli: Cli) -> Self {
        let host = cli.host_ip.or_else(|| Some(cli.listen.ip()).filter(|ip| !ip.is_unspecified()));
        let status_url = host.map(|ip| format!("http://{}", SocketAddr::new(ip, cli.listen.port())));
        Self {
            clock: cli.clock,
            token: cli.token.trim().to_owned(),
            listen: cli.listen,
            api: InCluster {
                host: cli.kubernetes_host,
                port: cli.kubernetes_port,
                service_account: cli.service_account,
            },
            site: Site { site_id: cli.site_id, host_ip: host.map(|ip| ip.to_string()), status_url },
        }
    }
}

/// Why the service cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The address is taken or not ours.
    #[error("listen on {address}")]
    Listen {
        /// Address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is no way to the API.
    #[error("connect to the Kubernetes API")]
    Connect(#[source] appliance_collect::ConnectError),
    /// Connections cannot be taken any more.
    #[error("serve on {address}")]
    Serve {
        /// Address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Listens, then watches, until told to stop.
///
/// # Errors
/// When the address cannot be listened on or no client can be made. An API that does not answer is no error.
pub async fn run(options: Options, shutdown: CancellationToken) -> Result<(), RunError> {
    let address = options.listen;
    let listener = TcpListener::bind(address).await.map_err(|source| RunError::Listen { address, source })?;
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let (press, readers) = Press::new(&options.site);
    let router = routes::router(readers, SignIn::new(&options.token), options.clock);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, service).await });
    let abort = server.abort_handle();
    let watching = watch(&options, press);
    let outcome = tokio::select! {
        () = shutdown.cancelled() => Ok(()),
        served = server => match served {
            Ok(Err(source)) => Err(RunError::Serve { address, source }),
            _ => Ok(()),
        },
        failed = watching => failed,
    };
    abort.abort();
    outcome
}

async fn watch(options: &Options, mut press: Press) -> Result<(), RunError> {
    let client = appliance_collect::client(&options.api).map_err(RunError::Connect)?;
    let mut collector = Collector::start(client, options.site.clone(), options.clock);
    press.begin(collector.known());
    collector.run(|known, now| press.look(known, now)).await;
    Ok(())
}

/// The whole process: options from the command line and the environment, an end at SIGTERM or SIGINT.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::WARN).init();
    // Another provider that is already there serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("start the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        let shutdown = CancellationToken::new();
        tokio::spawn(stop_on_signal(shutdown.clone()));
        run(cli.into(), shutdown).await
    });
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", chain(&error));
            ExitCode::FAILURE
        }
    }
}

async fn stop_on_signal(shutdown: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    shutdown.cancel();
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
