//! One wait: it looks again and again, gives up early where what it waits for can never come, and says what it last saw.

use std::time::Duration;

use appliance_collect::Clock;

use crate::failure::{Failure, Layer};

/// Between two looks.
const AGAIN: Duration = Duration::from_secs(3);

/// What a look has shown.
pub(super) enum Seen<T> {
    /// What was waited for.
    Met(T),
    /// Not yet, and why.
    NotYet(String),
    /// Never, and why.
    Never(Failure),
}

/// Something to wait for.
pub(super) struct Waiting {
    pub(super) clock: Clock,
    /// What comes, as in `Timed out waiting for …`.
    pub(super) subject: String,
    pub(super) within: Duration,
    /// What helps where it does not.
    pub(super) remedy: &'static str,
}

impl Waiting {
    /// Looks until it is met.
    ///
    /// # Errors
    /// When it can never be met, and when it was not within its time.
    pub(super) async fn until<T>(self, mut look: impl AsyncFnMut() -> Seen<T>) -> Result<T, Failure> {
        let mut last = None;
        let looking = async {
            loop {
                match look().await {
                    Seen::Met(it) => return Ok(it),
                    Seen::Never(failure) => return Err(failure),
                    Seen::NotYet(why) => last = Some(why),
                }
                self.clock.sleep(AGAIN).await;
            }
        };
        tokio::select! {
            biased;
            outcome = looking => return outcome,
            () = self.clock.sleep(self.within) => {}
        }
        let seen = last.unwrap_or_else(|| "nothing has answered yet".to_owned());
        let cause =
            format!("Timed out waiting for {} after {} s: {seen}", self.subject, self.within.as_secs());
        Err(Failure::new(Layer::Host, format!("waiting for {}", self.subject), self.remedy).because(cause))
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::time::Duration;

    use appliance_collect::Clock;

    use super::{Seen, Waiting};
    use crate::failure::{Failure, Layer};

    fn waiting() -> Waiting {
        Waiting {
            clock: Clock::Machine,
            subject: "Talos maintenance API on 10.0.0.9".to_owned(),
            within: Duration::from_millis(20),
            remedy: "Look at the console.",
        }
    }

    #[tokio::test]
    async fn a_wait_in_vain_says_what_was_seen_last() {
        let failure =
            waiting().until(async || Seen::<()>::NotYet("connection refused".to_owned())).await.unwrap_err();
        assert_eq!(
            failure.source().unwrap().to_string(),
            "Timed out waiting for Talos maintenance API on 10.0.0.9 after 0 s: connection refused"
        );
        assert_eq!(failure.layer, Layer::Host);
    }

    #[tokio::test]
    async fn what_can_never_come_is_not_waited_for() {
        let never = || Failure::new(Layer::Refused, "other secrets", "");
        let mut looks = 0;
        let look = async || {
            looks += 1;
            Seen::<()>::Never(never())
        };
        let failure = waiting().until(look).await.unwrap_err();
        assert_eq!((failure.operation.as_str(), looks), ("other secrets", 1));
    }
}
