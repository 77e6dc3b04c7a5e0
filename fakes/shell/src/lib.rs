//! A container runtime for a simulated cluster: the commands of busybox, a sleeper and a dialer.
//!
//! [`ShellRuntime`] runs what `kindlab/busybox:1` would run: a shell that reads scripts as busybox does, and its
//! commands. A container has a root directory of its own, fresh at every start; mounts lead to directories of the
//! host. Processes are tasks: they have numbers, parents, signals, pipes and exit statuses, and nothing outlives the
//! container. Output goes line by line to the container's log.
//!
//! Why the commands run in here and not as processes: they sleep, ask for the time and wait for connections, and all
//! of that is field time, which jumps as soon as nobody has anything to do. A process outside would have to be
//! watched by the clock at every step, would run at the machine's speed and differ from run to run. In here nothing
//! needs root, no path leads out of the container's directory, and the same script does the same every time.
//!
//! What it does not do: there is one user, root, and what it owns is not kept; no terminal, so no job control and no
//! line editing; memory is what commands declare (`tail /dev/zero`, variables, files in `/dev/shm`), not what they
//! take of the machine; `awk` knows fields, patterns, `BEGIN` and `END`, no arrays.

mod applets;
mod descriptor;
mod escapes;
mod files;
mod images;
mod memory;
mod pipe;
mod process;
mod programs;
mod runtime;
mod shell;
mod signal;
mod syntax;

pub use runtime::ShellRuntime;

use std::io;

use descriptor::Descriptor;
use files::Open;
use process::Process;

/// Opens what a path names: a file, or one of the process's own descriptors.
pub(crate) fn shell_descriptor(process: &Process, path: &str, how: Open) -> io::Result<Descriptor> {
    shell::open_named(&process.descriptors, path)
        .unwrap_or_else(|| process.files().open(&process.cwd, path, how, process.umask))
}
