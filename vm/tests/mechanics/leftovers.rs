//! Nothing is left: no process, no file.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use field_clock::Clock;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use smoke_vm::{Accelerator, Boot, Host, Machine, UserNetwork, Wish, sweep};

use crate::lab::{Lab, SOON};
use crate::{HOLD, Trials};

pub(crate) fn list(trials: &mut Trials) {
    trials.add("a_machine_that_is_dropped_leaves_nothing", dropped);
    trials.add("a_process_that_is_killed_leaves_no_machine", killed);
    trials.add("a_process_that_is_interrupted_leaves_no_machine", interrupted);
    trials.add("what_was_left_with_its_guard_is_swept", swept);
}

async fn dropped(lab: Arc<Lab>) {
    let machine = lab.resume("dropped", UserNetwork::new()).await;
    let (directory, pid) = (machine.directory().to_owned(), machine.pid());
    assert!(lives(pid) && directory.exists());
    drop(machine);
    gone(&lab, pid, &directory).await;
}

async fn killed(lab: Arc<Lab>) {
    ended_by(&lab, "killed", Signal::SIGKILL).await;
}

async fn interrupted(lab: Arc<Lab>) {
    ended_by(&lab, "interrupted", Signal::SIGINT).await;
}

async fn ended_by(lab: &Lab, name: &str, signal: Signal) {
    let mut held = Held::start(lab, name);
    assert!(lives(held.pid) && held.directory.exists());
    kill(Pid::from_raw(held.process.id().cast_signed()), signal).unwrap();
    let ended = lab.host().clock.timeout(SOON, held.ended(&lab.host().clock)).await;
    assert!(ended.is_ok(), "the process that held it does not end");
    gone(lab, held.pid, &held.directory).await;
}

async fn swept(lab: Arc<Lab>) {
    let mut held = Held::start(&lab, "swept");
    let guard = parent(held.pid);
    // The guard and its watcher end without a chance to act, and before their owner does.
    let clock = &lab.host().clock;
    for pid in group(guard).into_iter().filter(|pid| *pid != held.pid) {
        kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).unwrap();
        let gone = async {
            while lives(pid) {
                clock.sleep(Duration::from_millis(20)).await;
            }
        };
        clock.timeout(SOON, gone).await.unwrap();
    }
    held.process.kill().unwrap();
    held.process.wait().unwrap();
    assert!(lives(held.pid) && held.directory.exists(), "nobody was left to clear up");
    let swept = sweep(held.directory.parent().unwrap()).unwrap();
    assert_eq!((swept.directories, swept.groups), (1, 1));
    gone(&lab, held.pid, &held.directory).await;
}

/// Another process with a machine.
struct Held {
    process: Child,
    pid: u32,
    directory: PathBuf,
}

impl Held {
    fn start(lab: &Lab, name: &str) -> Self {
        let base = lab.file(&format!("held-{name}"));
        let mut process = Command::new(std::env::current_exe().unwrap())
            .arg(HOLD)
            .arg(&base)
            .args(lab.boots_from())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (pid, directory) = line.trim().split_once(' ').expect("a process id and a directory");
        Self { process, pid: pid.parse().unwrap(), directory: directory.into() }
    }
}

impl Held {
    async fn ended(&mut self, clock: &Clock) {
        while self.process.try_wait().unwrap().is_none() {
            clock.sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // All of it is gone already where the test came to its end.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if lives(self.pid) {
            let _ = kill(Pid::from_raw(self.pid.cast_signed()), Signal::SIGKILL);
        }
    }
}

/// Runs a machine in the directory and from the files that the command line names, and says which, until this process is ended or interrupted.
pub(crate) fn hold() -> ExitCode {
    let words: Vec<PathBuf> = std::env::args_os().skip(2).map(PathBuf::from).collect();
    let [base, kernel, initrd] = words.as_slice() else {
        panic!("a directory, a kernel, a first root: {words:?}")
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let host = Host { base: base.clone(), accelerator: Accelerator::Tcg, clock: Clock::wall() };
        let wish = Wish::new("held", Boot::kernel(kernel, "console=ttyS0").initrd(initrd));
        let machine = Machine::start(wish.specify().unwrap(), &host).await.unwrap();
        println!("{} {}", machine.pid(), machine.directory().display());
        // As a harness does: the machine is dropped. Who is killed never comes to that.
        tokio::signal::ctrl_c().await.unwrap();
    });
    ExitCode::SUCCESS
}

fn status(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

fn lives(pid: u32) -> bool {
    status(pid).is_some_and(|fields| fields[0] != "Z" && fields[0] != "X")
}

fn parent(pid: u32) -> u32 {
    status(pid).unwrap()[1].parse().unwrap()
}

/// Every process of a group.
fn group(leader: u32) -> Vec<u32> {
    let pids =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| status(*pid).is_some_and(|fields| fields[2] == leader.to_string())).collect()
}

async fn gone(lab: &Lab, pid: u32, directory: &Path) {
    let clock = &lab.host().clock;
    let gone = async {
        while lives(pid) || directory.exists() {
            clock.sleep(Duration::from_millis(20)).await;
        }
    };
    let ended = clock.timeout(SOON, gone).await;
    assert!(
        ended.is_ok(),
        "QEMU {pid} lives: {}, {}: {}",
        lives(pid),
        directory.display(),
        directory.exists()
    );
}
