//! What tracked processes do, as the system's process table shows it.
//!
//! A look is taken at every jump, so its cost is the cost of a jump: files are opened once and read again, and the lists of
//! threads and children are read only when somebody ran who could have made one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::table::TableFile;

/// One look at all tracked processes, their children and their threads.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Activity {
    awake: usize,
    /// Per thread: nanoseconds computed, and how often it was given a processor.
    turns: Vec<(u32, Turns)>,
}

/// Nanoseconds computed, and how often it was given a processor.
type Turns = (u64, u64);

impl Activity {
    /// Nobody computes or waits for a processor or a disk.
    pub(crate) fn asleep(&self) -> bool {
        self.awake == 0
    }

    /// How long all of them together computed since `earlier`.
    pub(crate) fn computed_since(&self, earlier: &Self) -> Duration {
        let sum = |a: &Self| a.turns.iter().map(|(_, (ran, _))| *ran).sum::<u64>();
        Duration::from_nanos(sum(self).saturating_sub(sum(earlier)))
    }
}

/// The processes that were looked at, with their files open.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    known: BTreeMap<u32, Process>,
}

impl Processes {
    /// Looks at these processes and all that they started; one that is gone does nothing.
    pub(crate) fn look(&mut self, tracked: &BTreeSet<u32>) -> Activity {
        let mut seen = Activity::default();
        let mut reached = tracked.clone();
        let mut open: Vec<u32> = tracked.iter().copied().collect();
        while let Some(pid) = open.pop() {
            let process = self.known.entry(pid).or_insert_with(|| Process::of(pid));
            process.look(&mut seen);
            open.extend(process.children.iter().copied().filter(|child| reached.insert(*child)));
        }
        if self.known.len() > reached.len() {
            self.known.retain(|pid, _| reached.contains(pid));
        }
        seen
    }
}

#[derive(Debug)]
struct Process {
    pid: u32,
    threads: Vec<Thread>,
    children: Vec<u32>,
    /// Whether the lists are those of now, as far as can be known.
    listed: bool,
}

#[derive(Debug)]
struct Thread {
    id: u32,
    stat: TableFile,
    schedstat: TableFile,
    last: Option<Turns>,
}

impl Process {
    fn of(pid: u32) -> Self {
        Self { pid, threads: Vec::new(), children: Vec::new(), listed: false }
    }

    fn look(&mut self, seen: &mut Activity) {
        if self.threads.is_empty() {
            self.list();
        }
        let (awake, ran) = self.read();
        // Who ran may have started a thread or a child, or ended one; while somebody is seen awake, that can wait.
        self.listed &= !ran;
        if self.listed || awake > 0 {
            seen.awake += awake;
        } else {
            self.list();
            let (awake, ran_since) = self.read();
            seen.awake += awake;
            // What runs may start somebody before anybody looks; so may have done what ran between the list and this reading.
            self.listed = awake == 0 && !ran_since;
        }
        seen.turns.extend(self.threads.iter().filter_map(|thread| Some((thread.id, thread.last?))));
    }

    /// How many threads are awake, and whether any of them ran since it was read last, or is gone.
    fn read(&mut self) -> (usize, bool) {
        let (mut awake, mut ran) = (0, false);
        for thread in &mut self.threads {
            match thread.stat.with(is_awake) {
                Some(true) => awake += 1,
                Some(false) => {}
                None => ran = true,
            }
            let now = thread.schedstat.with(turns).flatten();
            ran |= now != thread.last || now.is_none();
            thread.last = now;
        }
        (awake, ran)
    }

    fn list(&mut self) {
        let place = format!("/proc/{}/task", self.pid);
        let Ok(tasks) = fs::read_dir(&place) else {
            self.threads.clear();
            self.children.clear();
            return;
        };
        let ids: BTreeSet<u32> =
            tasks.flatten().filter_map(|task| task.file_name().to_str()?.parse().ok()).collect();
        self.threads.retain(|thread| ids.contains(&thread.id));
        let mut children = BTreeSet::new();
        for id in ids {
            let folder = format!("{place}/{id}");
            if !self.threads.iter().any(|thread| thread.id == id) {
                let (stat, schedstat) = (format!("{folder}/stat"), format!("{folder}/schedstat"));
                if let (Some(stat), Some(schedstat)) = (TableFile::open(&stat), TableFile::open(&schedstat)) {
                    self.threads.push(Thread { id, stat, schedstat, last: None });
                }
            }
            if let Ok(text) = fs::read_to_string(format!("{folder}/children")) {
                children.extend(text.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
            }
        }
        self.children = children.into_iter().collect();
        self.listed = true;
    }
}

fn turns(text: &str) -> Option<Turns> {
    let mut numbers = text.split_whitespace().map(|n| n.parse().unwrap_or(0));
    let ran = numbers.next()?;
    Some((ran, numbers.nth(1)?))
}

/// `R` runs or could run, `D` waits for a disk; everything else waits for an event.
fn is_awake(stat: &str) -> bool {
    stat.rsplit_once(')')
        .and_then(|(_, rest)| rest.trim_start().chars().next())
        .is_some_and(|c| c == 'R' || c == 'D')
}

/// One thread of this process, as the system knows it.
#[derive(Debug)]
pub(crate) struct OwnThread {
    stat: Option<TableFile>,
}

impl OwnThread {
    /// The calling thread.
    pub(crate) fn current() -> Self {
        let place = fs::read_link("/proc/thread-self").unwrap_or_default();
        let stat = Path::new("/proc").join(place).join("stat");
        Self { stat: stat.to_str().and_then(TableFile::open) }
    }

    /// It sleeps, and nobody has woken it: a thread that was woken and waits for a processor still looks parked to the program.
    pub(crate) fn asleep(&self) -> bool {
        self.stat.as_ref().and_then(|stat| stat.with(is_awake)).is_none_or(|awake| !awake)
    }
}

pub(crate) fn visible() -> bool {
    Path::new("/proc/self/task").is_dir()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Processes, is_awake};

    #[test]
    fn a_running_thread_is_awake_and_a_sleeping_one_is_not() {
        assert!(is_awake("12 (a ) b) R 1 2 3"));
        assert!(is_awake("12 (x) D 1"));
        assert!(!is_awake("12 (R) S 1"));
    }

    #[test]
    fn a_process_that_is_gone_sleeps() {
        assert!(Processes::default().look(&[u32::MAX].into()).asleep());
    }

    #[test]
    fn a_child_that_was_started_after_the_first_look_is_seen() {
        let script = "read go; (while :; do :; done) & wait";
        let mut shell =
            Command::new("sh").args(["-c", script]).stdin(std::process::Stdio::piped()).spawn().unwrap();
        let mut processes = Processes::default();
        let tracked = [shell.id()].into();
        while !processes.look(&tracked).asleep() {}
        drop(shell.stdin.take());
        // The shell sleeps in `wait` while its child computes; before that it is awake itself.
        let child = (0..2_000_000).find_map(|_| {
            let awake = !processes.look(&tracked).asleep();
            processes.known[&shell.id()].children.first().copied().filter(|_| awake)
        });
        let computed = (0..100).filter(|_| !processes.look(&tracked).asleep()).count();
        for child in child.iter().map(u32::to_string).chain([shell.id().to_string()]) {
            Command::new("kill").arg(child).status().unwrap();
        }
        shell.wait().unwrap();
        assert!(child.is_some(), "the child was never seen");
        assert_eq!(computed, 100, "looks that saw somebody compute");
    }
}
