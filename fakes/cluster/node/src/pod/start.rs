//! Starting a container: back-off, image, config, process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::instance::{Event, Instance, Life, Terminated, hold_until_it_listens, supervise};
use super::spec;
use super::sync::TryAgain;
use super::worker::Worker;
use crate::go_time::duration_text;
use crate::pod_logs::Run;
use crate::probes::{Probed, watch_over};
use crate::pull::Image;
use crate::runtime::{Container, ContainerSpec};

/// What stands before every error of a process that cannot be started.
const RUNC: &str = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: \
    unable to start container process: error during container init: ";

impl Worker {
    /// Starts a container, or notes why it waits.
    pub(super) async fn start_container(&mut self, container: &Value, list: &str) -> Result<(), TryAgain> {
        let name = spec::name(container).to_owned();
        let say = self.node.recorder.at(&format!("{list}{{{name}}}"));
        self.back_off(&name, &say)?;
        let image = match self.ensure_image(container).await {
            None => return Ok(()),
            Some(Ok(image)) => image,
            Some(Err(none)) => {
                say.warning(&self.pod, "Failed", &format!("Error: {}", none.reason));
                return Err(self.wait(&name, none.reason, none.message));
            }
        };
        let (made, last_words) = match self.container_spec(container, &image) {
            Ok(made) => made,
            Err(error) => {
                say.warning(&self.pod, "Failed", &format!("Error: {error}"));
                return Err(self.wait(&name, "CreateContainerConfigError", error.to_string()));
            }
        };
        say.normal(&self.pod, "Created", &format!("Created container: {name}"));
        let log = made.log.clone();
        let hold = self.node.clock.hold("a container starts");
        let address = made.ports.first().map(|port| SocketAddr::new(made.ip, *port));
        let started = self.node.runtime.start(made.clone()).await;
        let run = self.new_run(&name, &image, log, last_words);
        match started {
            Ok(process) => {
                if let (Some(_), Some(address)) = (process.pid(), address) {
                    tokio::spawn(hold_until_it_listens(
                        self.node.clock.clone(),
                        hold,
                        address,
                        run.ended.clone(),
                    ));
                }
                say.normal(&self.pod, "Started", &format!("Started container {name}"));
                self.began(container, list, run, process, &made);
                Ok(())
            }
            Err(error) => {
                let text = format!("{RUNC}{error}");
                say.warning(&self.pod, "Failed", &format!("Error: {text}"));
                self.failed_to_start(&name, run, text.clone());
                Err(self.wait(&name, "RunContainerError", text))
            }
        }
    }

    /// A container that ended not long ago waits; each time twice as long.
    fn back_off(&mut self, name: &str, say: &cluster_api::events::Recorder) -> Result<(), TryAgain> {
        let now = self.node.clock.now();
        let record = self.records.entry(name.to_owned()).or_default();
        let Some(finished) = record.waits_from() else { return Ok(()) };
        let Some(wait) = record.backoff.running_since(finished, now) else {
            record.backoff.next(finished, now);
            return Ok(());
        };
        let pod = format!("{}_{}({})", self.name, self.namespace, self.uid);
        say.warning(
            &self.pod,
            "BackOff",
            &format!("Back-off restarting failed container {name} in pod {pod}"),
        );
        let text = format!("back-off {} restarting failed container={name} pod={pod}", duration_text(wait));
        let is_first = record.restarts == 1 && record.waiting.is_none();
        let again = self.wait(name, "CrashLoopBackOff", text);
        if is_first {
            self.look_soon();
        }
        Err(again)
    }

    fn wait(&mut self, name: &str, reason: &str, message: String) -> TryAgain {
        self.records.entry(name.to_owned()).or_default().waiting = Some((reason.to_owned(), message));
        TryAgain
    }

    fn new_run(
        &mut self,
        name: &str,
        image: &Arc<Image>,
        log: crate::LogSink,
        termination_file: PathBuf,
    ) -> NewRun {
        self.runs += 1;
        let id = self.node.store.chance().id();
        let ended = CancellationToken::new();
        self.node.logs.begin(&self.uid, &self.namespace, &self.name, name, Run::new(&id, &log, &ended));
        let (stop, asked_to_stop) = mpsc::unbounded_channel();
        let instance = Instance {
            number: self.runs,
            id,
            image: Arc::clone(image),
            life: Life::Running { since: self.node.clock.now() },
            log,
            stop,
            ended: ended.clone(),
            termination_file,
        };
        NewRun { ended, instance, asked_to_stop }
    }

    fn began(
        &mut self,
        container: &Value,
        list: &str,
        run: NewRun,
        process: Box<dyn Container>,
        made: &ContainerSpec,
    ) {
        let name = spec::name(container).to_owned();
        let number = run.instance.number;
        self.watch_probes(container, list, number, &run.ended, process.pid(), made);
        let record = self.take_over(&name, run.instance);
        record.waiting = None;
        record.started = !container["startupProbe"].is_object();
        record.ready = !container["readinessProbe"].is_object();
        self.anew &= list != "spec.containers";
        let (report, clock, asked) = (self.report.clone(), self.node.clock.clone(), run.asked_to_stop);
        tokio::spawn(async move {
            let exit = supervise(process, asked).await;
            // Nobody listens when the worker is gone.
            let _ = report.send(Event::Ended { container: name, number, exit, at: clock.now() });
        });
        self.look_soon();
    }

    fn watch_probes(
        &self,
        container: &Value,
        list: &str,
        number: u64,
        ended: &CancellationToken,
        pid: Option<u32>,
        made: &ContainerSpec,
    ) {
        let (report, name) = (self.report.clone(), made.container.clone());
        let probed = Probed {
            pod: Arc::clone(&self.pod),
            recorder: self.node.recorder.at(&format!("{list}{{{name}}}")),
            spec: made.clone(),
            from: self.node.ip,
            wire: self.node.wire.clone(),
            runtime: Arc::clone(&self.node.runtime),
            kubelet: self.node.process.clone(),
            store: self.node.store.clone(),
            pid,
            ended: ended.clone(),
        };
        watch_over(probed, container, move |change| {
            // Nobody listens when the worker is gone.
            let _ = report.send(Event::Probe { container: name.clone(), number, change });
        });
    }

    fn failed_to_start(&mut self, name: &str, mut run: NewRun, message: String) {
        let now = self.node.clock.now();
        let ended = Terminated {
            id: run.instance.id.clone(),
            code: 128,
            reason: "StartError",
            message,
            started: now,
            finished: now,
        };
        run.ended.cancel();
        run.instance.life = Life::Ended(ended);
        self.take_over(name, run.instance);
        self.look_soon();
    }

    /// The new run takes the place of the old one.
    fn take_over(&mut self, name: &str, instance: Instance) -> &mut super::instance::Record {
        let record = self.records.entry(name.to_owned()).or_default();
        if let Some(ended) = record.ended().cloned() {
            record.last = Some(ended);
            record.restarts += 1;
        }
        record.current = Some(instance);
        record
    }
}

struct NewRun {
    instance: Instance,
    ended: CancellationToken,
    asked_to_stop: mpsc::UnboundedReceiver<std::time::Duration>,
}
