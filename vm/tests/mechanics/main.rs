//! The mechanics of machines, with a real kernel under a real QEMU: `scripts/vm-lane.sh`.
//!
//! A test that cannot run says why, and none of them passes silently: without a lab every one is ignored with the reason, and the
//! last line says that the lane did not run.

#[cfg(test)]
mod ends;
#[cfg(test)]
mod initramfs;
#[cfg(test)]
mod lab;
#[cfg(test)]
mod leftovers;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod network;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod starts;
#[cfg(test)]
mod troubles;

use std::future::Future;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Completion, Trial};

use lab::Lab;

/// What this program does when a test starts it once more: it runs a machine until it is killed.
const HOLD: &str = "hold-a-machine";
/// Guests at once: one for each processor of a small host.
const AT_ONCE: usize = 2;

/// The lab goes with the last test that needs it.
type Shared = Arc<Mutex<Option<Arc<Lab>>>>;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(HOLD) {
        return leftovers::hold();
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let (lab, reason) = match Lab::find() {
        Ok(lab) => (Some(Arc::new(lab)), String::new()),
        Err(reason) => (None, reason),
    };
    let there = lab.is_some();
    let shared = Arc::new(Mutex::new(lab));
    let mut trials = Trials { shared: Arc::clone(&shared), reason: reason.clone(), all: Vec::new() };
    starts::list(&mut trials);
    ends::list(&mut trials);
    snapshots::list(&mut trials);
    network::list(&mut trials);
    memory::list(&mut trials);
    troubles::list(&mut trials);
    leftovers::list(&mut trials);
    let listed = arguments.list;
    let conclusion = libtest_mimic::run(&arguments, trials.all);
    // Its directory goes, and every machine that a failed test left in it.
    shared.lock().unwrap_or_else(PoisonError::into_inner).take();
    if !listed {
        let ran = conclusion.num_passed + conclusion.num_failed;
        lab::say(&if there {
            format!("lanes: vm ran {ran}")
        } else {
            format!("lanes: vm did not run ({reason})")
        });
    }
    if conclusion.has_failed() { ExitCode::from(101) } else { ExitCode::SUCCESS }
}

/// Every test, by its name.
struct Trials {
    shared: Shared,
    reason: String,
    all: Vec<Trial>,
}

impl Trials {
    fn add<F>(&mut self, name: &str, test: fn(Arc<Lab>) -> F)
    where
        F: Future<Output = ()> + 'static,
    {
        let (shared, reason) = (Arc::clone(&self.shared), self.reason.clone());
        self.all.push(Trial::ignorable_test(name, move || {
            let lab = shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let Some(lab) = lab else { return Ok(Completion::ignored_with(reason)) };
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            runtime.block_on(test(lab));
            Ok(Completion::Completed)
        }));
    }
}
