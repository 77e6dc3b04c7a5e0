//! What the process says with its exit code.

use std::process::ExitCode;

use crate::judge::Verdict;

/// What the process says with its exit code; the first of 2, 3, 1, 4 that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitStatus {
    /// All passed.
    Passed = 0,
    /// A scenario failed.
    Failed = 1,
    /// Bad usage or a bad scenario file.
    Usage = 2,
    /// The harness, the host or the world is at fault.
    Broken = 3,
    /// A scenario was invalid, or nothing was run.
    Invalid = 4,
}

impl ExitStatus {
    /// What these verdicts amount to.
    pub fn of<'v>(verdicts: impl IntoIterator<Item = &'v Verdict>) -> Self {
        let (mut broken, mut failed, mut invalid, mut passed) = (false, false, false, false);
        for verdict in verdicts {
            match verdict {
                Verdict::Passed => passed = true,
                Verdict::Failed => failed = true,
                Verdict::Broken(_) => broken = true,
                Verdict::Invalid => invalid = true,
                Verdict::Skipped(_) => {}
            }
        }
        if broken {
            Self::Broken
        } else if failed {
            Self::Failed
        } else if invalid || !passed {
            Self::Invalid
        } else {
            Self::Passed
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_run_outranks_a_failed_one_and_that_an_invalid_one() {
        let broken = Verdict::Broken(String::new());
        assert_eq!(ExitStatus::of([&Verdict::Failed, &broken, &Verdict::Invalid]), ExitStatus::Broken);
        assert_eq!(ExitStatus::of([&Verdict::Invalid, &Verdict::Failed]), ExitStatus::Failed);
        assert_eq!(ExitStatus::of([&Verdict::Passed, &Verdict::Invalid]), ExitStatus::Invalid);
    }

    #[test]
    fn nothing_that_ran_is_not_a_success() {
        assert_eq!(ExitStatus::of([]), ExitStatus::Invalid);
        assert_eq!(ExitStatus::of([&Verdict::Skipped(String::new())]), ExitStatus::Invalid);
        assert_eq!(ExitStatus::of([&Verdict::Passed, &Verdict::Skipped(String::new())]), ExitStatus::Passed);
    }
}
