//! What tracked processes do, as the system's process table shows it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One look at all tracked processes, their children and their threads.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Activity {
    awake: usize,
    /// Per thread: nanoseconds computed, and how often it was given a processor.
    turns: Vec<(u32, u64, u64)>,
}

impl Activity {
    /// Looks at these processes; one that is gone does nothing.
    pub(crate) fn look(processes: &BTreeSet<u32>) -> Self {
        let mut seen = Self::default();
        let mut open: Vec<u32> = processes.iter().copied().collect();
        let mut known: BTreeSet<u32> = processes.clone();
        while let Some(pid) = open.pop() {
            for child in seen.look_at(pid) {
                if known.insert(child) {
                    open.push(child);
                }
            }
        }
        seen
    }

    /// Nobody computes or waits for a processor or a disk.
    pub(crate) fn asleep(&self) -> bool {
        self.awake == 0
    }

    /// How long all of them together computed since `earlier`.
    pub(crate) fn computed_since(&self, earlier: &Self) -> Duration {
        let sum = |a: &Self| a.turns.iter().map(|(_, ran, _)| *ran).sum::<u64>();
        Duration::from_nanos(sum(self).saturating_sub(sum(earlier)))
    }

    /// Adds one process; returns its children.
    fn look_at(&mut self, pid: u32) -> Vec<u32> {
        let mut children = Vec::new();
        let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return children };
        for task in tasks.flatten() {
            let path = task.path();
            let Some(thread) = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.parse().ok()) else {
                continue;
            };
            self.look_at_thread(thread, &path);
            if let Ok(text) = fs::read_to_string(path.join("children")) {
                children.extend(text.split_whitespace().filter_map(|c| c.parse::<u32>().ok()));
            }
        }
        children
    }

    fn look_at_thread(&mut self, thread: u32, path: &Path) {
        if fs::read_to_string(path.join("stat")).is_ok_and(|stat| is_awake(&stat)) {
            self.awake += 1;
        }
        if let Ok(text) = fs::read_to_string(path.join("schedstat")) {
            let mut numbers = text.split_whitespace().map(|n| n.parse().unwrap_or(0));
            let ran = numbers.next().unwrap_or(0);
            let turns = numbers.nth(1).unwrap_or(0);
            self.turns.push((thread, ran, turns));
        }
    }
}

/// `R` runs or could run, `D` waits for a disk; everything else waits for an event.
fn is_awake(stat: &str) -> bool {
    stat.rsplit_once(')')
        .and_then(|(_, rest)| rest.trim_start().chars().next())
        .is_some_and(|c| c == 'R' || c == 'D')
}

/// One thread of this process, as the system knows it.
#[derive(Debug, Clone)]
pub(crate) struct OwnThread {
    stat: PathBuf,
}

impl OwnThread {
    /// The calling thread.
    pub(crate) fn current() -> Self {
        let place = fs::read_link("/proc/thread-self").unwrap_or_default();
        Self { stat: Path::new("/proc").join(place).join("stat") }
    }

    /// It sleeps, and nobody has woken it: a thread that was woken and waits for a processor still looks parked to the program.
    pub(crate) fn asleep(&self) -> bool {
        fs::read_to_string(&self.stat).map_or(true, |stat| !is_awake(&stat))
    }
}

pub(crate) fn visible() -> bool {
    Path::new("/proc/self/task").is_dir()
}

#[cfg(test)]
mod tests {
    use super::{Activity, is_awake};

    #[test]
    fn a_running_thread_is_awake_and_a_sleeping_one_is_not() {
        assert!(is_awake("12 (a ) b) R 1 2 3"));
        assert!(is_awake("12 (x) D 1"));
        assert!(!is_awake("12 (R) S 1"));
    }

    #[test]
    fn a_process_that_is_gone_sleeps() {
        assert!(Activity::look(&[u32::MAX].into()).asleep());
    }
}
