//! Documents, printed when somebody asks first and handed out as often as anybody asks.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use appliance_assess::{Knowledge, Memory, assess, flux_summary, says_the_same, unknown};
use appliance_status_model::{Diagnostics, FluxSummary, Overview, StatusDocument};
use axum::body::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::watch;

/// One assessment in all its printed forms.
#[derive(Debug)]
pub(crate) struct Edition {
    pub(crate) document: StatusDocument,
    status: OnceLock<Bytes>,
    overview: OnceLock<Bytes>,
    flux: FluxSummary,
}

impl Edition {
    fn new(document: StatusDocument, flux: FluxSummary) -> Self {
        Self { document, status: OnceLock::new(), overview: OnceLock::new(), flux }
    }

    /// Whether anything was looked at for it: a document of which nothing is known has no time.
    fn is_assessed(&self) -> bool {
        self.document.timestamp.is_some()
    }

    /// The whole document.
    pub(crate) fn status(&self) -> Bytes {
        self.status.get_or_init(|| json(&self.document)).clone()
    }

    /// What fits on a screen.
    pub(crate) fn overview(&self) -> Bytes {
        self.overview.get_or_init(|| json(&Overview::from(&self.document))).clone()
    }

    /// Printed on demand: few ask for it.
    pub(crate) fn diagnostics(&self) -> Bytes {
        let bundle = [("command".to_owned(), "appliance support-bundle".to_owned())];
        json(&Diagnostics {
            status: self.document.clone(),
            flux: self.flux.clone(),
            support_bundle: bundle.into(),
        })
    }
}

fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).map(Bytes::from).unwrap_or_default()
}

/// Where editions come from.
#[derive(Debug)]
pub(crate) struct Press {
    memory: Memory,
    newest: watch::Sender<Arc<Edition>>,
    news: watch::Sender<Arc<Edition>>,
}

/// Where readers find them.
#[derive(Clone, Debug)]
pub(crate) struct Readers {
    newest: watch::Receiver<Arc<Edition>>,
    news: watch::Receiver<Arc<Edition>>,
}

impl Readers {
    /// The newest edition; while nothing was looked at yet, the first for which something was, unless patience ends before.
    pub(crate) async fn newest(&self, patience: impl Future<Output = ()>) -> Arc<Edition> {
        let mut newest = self.newest.clone();
        let looked = async { newest.wait_for(|edition| edition.is_assessed()).await.is_ok() };
        tokio::select! {
            biased;
            _ = looked => {}
            () = patience => {}
        }
        self.newest.borrow().clone()
    }

    /// The newest edition that said something new, and those that come.
    pub(crate) fn news(&self) -> watch::Receiver<Arc<Edition>> {
        self.news.clone()
    }
}

impl Press {
    /// A press whose first edition says that nothing is known.
    pub(crate) fn new(site: &appliance_assess::Site) -> (Self, Readers) {
        let known = Knowledge { site: site.clone(), ..Knowledge::default() };
        let first = Arc::new(Edition::new(unknown(&known), FluxSummary::default()));
        let press = Self {
            memory: Memory::default(),
            newest: watch::Sender::new(first.clone()),
            news: watch::Sender::new(first),
        };
        let readers = Readers { newest: press.newest.subscribe(), news: press.news.subscribe() };
        (press, readers)
    }

    /// Says which reads are awaited.
    pub(crate) fn begin(&mut self, known: &Knowledge) {
        self.print(Edition::new(unknown(known), FluxSummary::default()));
    }

    /// Assesses and prints; says when to look again although nothing has happened.
    pub(crate) fn look(&mut self, known: &Knowledge, now: Timestamp) -> BTreeSet<Timestamp> {
        let document = assess(known, &mut self.memory, now);
        self.print(Edition::new(document, flux_summary(known)));
        self.memory.dues().clone()
    }

    fn print(&mut self, edition: Edition) {
        let edition = Arc::new(edition);
        let new = !says_the_same(&self.news.borrow().document, &edition.document);
        self.newest.send_replace(edition.clone());
        if new {
            self.news.send_replace(edition);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use appliance_assess::{Knowledge, Site};
    use jiff::Timestamp;

    use super::Press;

    #[tokio::test]
    async fn who_asks_before_the_first_look_is_answered_with_it() {
        let (mut press, readers) = Press::new(&Site::default());
        press.begin(&Knowledge::default());
        let look = async {
            tokio::task::yield_now().await;
            press.look(&Knowledge::default(), Timestamp::UNIX_EPOCH);
        };
        let (edition, ()) = tokio::join!(readers.newest(pending()), look);
        assert!(edition.is_assessed());
    }

    #[tokio::test]
    async fn who_has_no_patience_hears_that_nothing_is_known() {
        let (mut press, readers) = Press::new(&Site::default());
        press.begin(&Knowledge::default());
        let edition = readers.newest(ready(())).await;
        assert!(!edition.is_assessed());
    }
}
