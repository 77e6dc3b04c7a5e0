//! Writing a timeline, and reading it back.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use field_clock::Clock;
use jiff::Timestamp;
use tokio::sync::watch;

use super::event::{Event, Header, Phase, What};

/// A timeline could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum TimelineError {
    /// The file.
    #[error("use timeline {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A line of it.
    #[error("read timeline {}, line {line}", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// Events in order.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// All of them.
    pub events: Vec<Event>,
}

impl Timeline {
    /// Reads a timeline that was written before.
    ///
    /// # Errors
    /// When the file cannot be read or a line of it is no event.
    pub fn read(path: &Path) -> Result<Self, TimelineError> {
        let failed = |source| TimelineError::File { path: path.to_owned(), source };
        let mut events = Vec::new();
        for (index, line) in BufReader::new(File::open(path).map_err(failed)?).lines().enumerate() {
            let line = line.map_err(failed)?;
            let event = serde_json::from_str(&line).map_err(|source| TimelineError::Line {
                path: path.to_owned(),
                line: index + 1,
                source,
            })?;
            events.push(event);
        }
        Ok(Self { events })
    }

    /// Whose it is.
    pub fn header(&self) -> Option<&Header> {
        self.events.iter().find_map(|event| match &event.what {
            What::Header(header) => Some(header),
            _ => None,
        })
    }

    /// When a phase began.
    pub fn phase(&self, wanted: Phase) -> Option<Timestamp> {
        self.events
            .iter()
            .find(|event| matches!(&event.what, What::Phase { phase } if *phase == wanted))
            .map(|event| event.at)
    }

    /// When the install began, or the first event where it never did.
    pub fn start(&self) -> Timestamp {
        let first = || self.events.first().map(|event| event.at);
        self.phase(Phase::Install).or_else(first).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// When the last thing happened.
    pub fn end(&self) -> Timestamp {
        self.events.last().map_or(Timestamp::UNIX_EPOCH, |event| event.at)
    }
}

/// The pen: everybody who takes part in a run notes here. Clones write the same timeline.
#[derive(Clone)]
pub struct Journal {
    inner: Rc<Inner>,
}

struct Inner {
    clock: Clock,
    state: RefCell<State>,
    looks: watch::Sender<u64>,
}

struct State {
    timeline: Timeline,
    path: PathBuf,
    file: File,
    failure: Option<TimelineError>,
}

impl Journal {
    /// Begins a timeline on disk.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path, clock: Clock, header: Header) -> Result<Self, TimelineError> {
        let file =
            File::create(path).map_err(|source| TimelineError::File { path: path.to_owned(), source })?;
        let state = State { timeline: Timeline::default(), path: path.to_owned(), file, failure: None };
        let inner = Inner { clock, state: RefCell::new(state), looks: watch::Sender::new(0) };
        let journal = Self { inner: Rc::new(inner) };
        journal.note(What::Header(header));
        Ok(journal)
    }

    /// Appends what happens now.
    ///
    /// A failure to write is kept for [`Journal::finish`], so that nobody in the middle has to care.
    pub fn note(&self, what: What) {
        self.append(Event { at: self.inner.clock.now(), what });
        self.looked();
    }

    fn append(&self, event: Event) {
        let mut state = self.inner.state.borrow_mut();
        if state.failure.is_none() {
            let mut line = serde_json::to_vec(&event).unwrap_or_default();
            line.push(b'\n');
            if let Err(source) = state.file.write_all(&line) {
                state.failure = Some(TimelineError::File { path: state.path.clone(), source });
            }
        }
        state.timeline.events.push(event);
    }

    /// Appends what happened before, at its own time.
    pub fn recall(&self, past: &Timeline) {
        for event in &past.events {
            self.append(event.clone());
        }
        self.looked();
    }

    /// Somebody looked, whether or not anything was different.
    pub fn looked(&self) {
        self.inner.looks.send_modify(|count| *count += 1);
    }

    /// Ticks at every look and every event.
    pub fn looks(&self) -> watch::Receiver<u64> {
        self.inner.looks.subscribe()
    }

    /// Calls `see` with every event from `*next` on, and moves `*next` behind them.
    pub fn since(&self, next: &mut usize, mut see: impl FnMut(&Event)) {
        let state = self.inner.state.borrow();
        for event in &state.timeline.events[*next..] {
            see(event);
        }
        *next = state.timeline.events.len();
    }

    /// The timeline so far.
    ///
    /// # Errors
    /// When a line could not be written.
    pub fn finish(&self) -> Result<Timeline, TimelineError> {
        let mut state = self.inner.state.borrow_mut();
        match state.failure.take() {
            Some(error) => Err(error),
            None => Ok(state.timeline.clone()),
        }
    }
}
