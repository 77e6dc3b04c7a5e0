//! A specification becomes a machine that runs.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use nix::unistd::Pid;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::life::{Life, Supervisor};
use super::start_error::{CALL, LONGEST_SOCKET, StartError};
use super::{Host, Machine, Tag};
use crate::console::Console;
use crate::directory::MachineDirectory;
use crate::images;
use crate::network::{Network, Wire, WireEnds};
use crate::process::{End, Guarded, NOT_FOUND, last_words};
use crate::qmp::{Qmp, QmpError};
use crate::specification::{Layout, Specification};

/// A QEMU that hangs up ends soon.
const FAREWELL: Duration = Duration::from_secs(2);

impl Machine {
    /// Boots a machine. It belongs to the current tokio runtime.
    ///
    /// # Errors
    /// Something is missing, or QEMU does not take it; nothing is left then.
    pub async fn start(specification: Specification, host: &Host) -> Result<Self, StartError> {
        let machine = Self::still(specification, host).await?;
        machine.resumed().await?;
        Ok(machine)
    }

    /// Makes a machine go on where a snapshot was taken, from the disks that hold it. It must have been specified as the one that was
    /// saved, network included, and run under the same accelerator.
    ///
    /// # Errors
    /// As [`Machine::start`]; also where there is no such snapshot.
    pub async fn start_from(
        specification: Specification,
        tag: &Tag,
        host: &Host,
    ) -> Result<Self, StartError> {
        let machine = Self::still(specification, host).await?;
        if let Err(source) = machine.restore(tag).await {
            return Err(StartError::Snapshot { machine: machine.specification.name().to_owned(), source });
        }
        machine.resumed().await?;
        Ok(machine)
    }

    async fn resumed(&self) -> Result<(), StartError> {
        let machine = || self.specification.name().to_owned();
        self.go_on().await.map_err(|source| StartError::Monitor { machine: machine(), source })
    }

    /// A machine whose processors have not begun.
    async fn still(specification: Specification, host: &Host) -> Result<Self, StartError> {
        let machine = specification.name().to_owned();
        let missing = specification.files().into_iter().find(|file| !file.is_file());
        if let Some(path) = missing {
            return Err(StartError::Missing { machine, path: path.to_owned() });
        }
        let directory = MachineDirectory::create(&host.base)
            .map_err(|source| StartError::Directory { machine: machine.clone(), source })?;
        let layout = Layout { directory: directory.path().to_owned() };
        let longest = layout.outside_wire();
        if longest.as_os_str().len() > LONGEST_SOCKET {
            return Err(StartError::LongPath { machine, path: longest });
        }
        let image = |source| StartError::Image { machine: machine.clone(), source };
        images::prepare(&specification, &layout, &host.clock).await.map_err(image)?;
        let starting = Starting { specification, layout, host };
        starting.run(directory).await
    }
}

struct Starting<'a> {
    specification: Specification,
    layout: Layout,
    host: &'a Host,
}

/// QEMU's calls.
struct Calls {
    monitor: UnixStream,
    console: UnixStream,
    wire: Option<WireEnds>,
}

impl Starting<'_> {
    async fn run(self, directory: MachineDirectory) -> Result<Machine, StartError> {
        let name = || self.specification.name().to_owned();
        let io = |source| StartError::Io { machine: name(), source };
        let lines = self.lines().map_err(io)?;
        let arguments = self.specification.arguments(&self.layout, self.host.accelerator);
        let program = self.specification.wish().architecture.program();
        let mut process =
            Guarded::start(program, &arguments, directory.path(), &self.layout.words()).map_err(io)?;
        let killer = process.killer();
        let calls = self.called(&mut process, lines).await?;
        let clock = &self.host.clock;
        let console = Console::over(calls.console, self.layout.recording(), clock.clone());
        let (qmp, reached) = match self.talk(calls.monitor).await {
            Ok(talked) => talked,
            Err(source) => return Err(self.no_talk(&mut process, source).await),
        };
        let wire = match (&self.specification.wish().network, calls.wire) {
            (Network::User(network), Some(ends)) => Some(Wire::open(ends, network.clone(), clock.clone())),
            (Network::User(_) | Network::None, _) => None,
        };
        let pid = read_pid(directory.path()).map_err(io)?;
        killer.aim(pid);
        let (life, watched) = watch::channel(Life::Running);
        let supervisor = Supervisor {
            process,
            events: qmp.events(),
            console: console.clone(),
            words: self.layout.words(),
            clock: clock.clone(),
            life,
        };
        Ok(Machine {
            clock: clock.clone(),
            console,
            qmp,
            life: watched,
            supervisor: tokio::spawn(supervisor.follow()),
            killer,
            reached,
            pid: pid.as_raw().unsigned_abs(),
            _wire: wire,
            directory,
            specification: self.specification,
        })
    }

    /// Listens where QEMU will call.
    fn lines(&self) -> io::Result<Vec<UnixListener>> {
        let mut paths = vec![self.layout.qmp(), self.layout.console()];
        if matches!(self.specification.wish().network, Network::User(_)) {
            paths.extend([self.layout.guest_wire(), self.layout.outside_wire()]);
        }
        paths.into_iter().map(UnixListener::bind).collect()
    }

    async fn called(&self, process: &mut Guarded, lines: Vec<UnixListener>) -> Result<Calls, StartError> {
        let name = || self.specification.name().to_owned();
        let io = |source| StartError::Io { machine: name(), source };
        let said = || last_words(&self.layout.words());
        let calls = futures::future::try_join_all(lines.iter().map(UnixListener::accept));
        let called = tokio::select! {
            calls = self.host.clock.timeout(CALL, calls) => calls,
            end = process.wait() => return Err(self.ended(end.map_err(io)?, said())),
        };
        let calls = called.map_err(|_| StartError::Silent { machine: name(), said: said() })?.map_err(io)?;
        let mut calls = calls.into_iter().map(|(stream, _)| stream);
        let (Some(monitor), Some(console)) = (calls.next(), calls.next()) else {
            return Err(StartError::Silent { machine: name(), said: said() });
        };
        let wire = calls.next().zip(calls.next()).map(|(guest, outside)| WireEnds { guest, outside });
        Ok(Calls { monitor, console, wire })
    }

    async fn talk(&self, monitor: UnixStream) -> Result<(Qmp, BTreeMap<u16, SocketAddr>), QmpError> {
        let qmp = Qmp::over(monitor, self.host.clock.clone()).await?;
        let reached = self.reached(&qmp).await?;
        Ok((qmp, reached))
    }

    /// QEMU calls before it looks at disks: most often a monitor that is gone again is a QEMU that has ended, and says why.
    async fn no_talk(&self, process: &mut Guarded, source: QmpError) -> StartError {
        match self.host.clock.timeout(FAREWELL, process.wait()).await {
            Ok(Ok(end)) => self.ended(end, last_words(&self.layout.words())),
            Ok(Err(_)) | Err(_) => {
                StartError::Monitor { machine: self.specification.name().to_owned(), source }
            }
        }
    }

    fn ended(&self, end: End, said: String) -> StartError {
        let machine = self.specification.name().to_owned();
        let architecture = self.specification.wish().architecture;
        if end == NOT_FOUND {
            let (program, package) = (architecture.program(), architecture.package());
            return StartError::NoProgram { machine, program, package };
        }
        StartError::Ended { machine, end, said }
    }

    /// Where the guest's ports are reached. The kernel chose free ones when QEMU bound them; only QEMU knows which.
    async fn reached(&self, qmp: &Qmp) -> Result<BTreeMap<u16, SocketAddr>, QmpError> {
        match &self.specification.wish().network {
            Network::User(network) if !network.forwards.is_empty() => {
                Ok(forwards(&qmp.ask("info usernet").await?))
            }
            Network::User(_) | Network::None => Ok(BTreeMap::new()),
        }
    }
}

/// Reads QEMU's table: protocol and state, descriptor, address and port of the host, address and port of the guest, queues.
fn forwards(table: &str) -> BTreeMap<u16, SocketAddr> {
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["TCP[HOST_FORWARD]", _, host, port, _, guest_port, ..] = words[..] else { return None };
        let host: Ipv4Addr = host.parse().ok()?;
        Some((guest_port.parse().ok()?, SocketAddr::from((host, port.parse().ok()?))))
    };
    table.lines().filter_map(row).collect()
}

fn read_pid(directory: &Path) -> io::Result<Pid> {
    let text = std::fs::read_to_string(directory.join("pid"))?;
    let pid = text.trim().parse().map_err(|_| io::Error::other("the guard wrote no process id"))?;
    Ok(Pid::from_raw(pid))
}

#[cfg(test)]
mod tests {
    use super::forwards;

    #[test]
    fn the_ports_that_the_kernel_chose_are_read_from_qemus_table() {
        let table = "Hub 0 (outside):\r\n  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r\n  \
            TCP[HOST_FORWARD]   9       127.0.0.1 40189       10.0.2.15    22     0     0\r\n  \
            TCP[ESTABLISHED]   11       127.0.0.1 40190       10.0.2.15    22     0     0\r\n  \
            TCP[HOST_FORWARD]   8       127.0.0.1 45721       10.0.2.15 50000     0     0\r\n";
        let found = forwards(table);
        assert_eq!(found.len(), 2);
        assert_eq!(found[&22], "127.0.0.1:40189".parse().unwrap());
        assert_eq!(found[&50000], "127.0.0.1:45721".parse().unwrap());
    }
}
