//! When a call is made again.
//!
//! Every call of the API only reads, so that a second one does no harm. Only
//! `UNAVAILABLE` is tried again: for anything else the same question gets the same
//! answer, or adds to what is too much already.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::errors::Error;

/// How often and when a call is made again.
///
/// The wait before the n-th repetition is random between half and all of `first_wait`
/// doubled n - 1 times, at most `longest_wait`. `budget` bounds repetitions while a
/// server is away: each takes one away, each call that succeeds gives `earned` back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// How often a call is made at most, the first time too.
    pub attempts: u32,
    /// The longest wait before the first repetition.
    pub first_wait: Duration,
    /// The longest wait before any.
    pub longest_wait: Duration,
    /// How many repetitions all calls together may make before one succeeds.
    pub budget: f64,
    /// How much of a repetition a call that succeeds gives back.
    pub earned: f64,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 4,
            first_wait: Duration::from_millis(20),
            longest_wait: Duration::from_millis(500),
            budget: 20.0,
            earned: 0.1,
        }
    }
}

impl Retry {
    /// How long to wait before the repetition of this number, from 1.
    fn wait(&self, number: u32) -> Duration {
        let doubled = self
            .first_wait
            .saturating_mul(1 << number.saturating_sub(1).min(30));
        let most = doubled.min(self.longest_wait);
        most.mul_f64(0.5 + 0.5 * fastrand::f64())
    }
}

/// What is left for repetitions, of all calls of one client.
pub(crate) struct Budget {
    retry: Retry,
    left: Mutex<f64>,
}

impl Budget {
    pub(crate) fn new(retry: Retry) -> Self {
        let left = Mutex::new(retry.budget);
        Self { retry, left }
    }

    /// A call succeeded.
    pub(crate) fn earn(&self) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = (*left + self.retry.earned).min(self.retry.budget);
    }

    /// Takes one away; says whether there was one.
    fn spend(&self) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let is_left = *left >= 1.0;
        if is_left {
            *left -= 1.0;
        }
        is_left
    }
}

/// The attempts of one call until its deadline.
pub(crate) struct Attempts<'b> {
    budget: &'b Budget,
    deadline: Instant,
    number: u32,
}

impl<'b> Attempts<'b> {
    pub(crate) fn new(budget: &'b Budget, deadline: Instant) -> Self {
        Self {
            budget,
            deadline,
            number: 0,
        }
    }

    /// How much time the next attempt has; an error when none is left.
    pub(crate) fn remaining(&self) -> Result<Duration, Error> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::deadline());
        }
        Ok(left)
    }

    /// How long to wait before the next attempt; the error when there is to be none.
    pub(crate) fn wait_after(&mut self, error: Error) -> Result<Duration, Error> {
        self.number += 1;
        let wait = self.budget.retry.wait(self.number);
        if !matches!(error, Error::Unavailable(_))
            || self.number >= self.budget.retry.attempts
            || Instant::now() + wait >= self.deadline
            || !self.budget.spend()
        {
            return Err(error);
        }
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use tonic::Status;

    use super::*;

    fn away() -> Error {
        Error::of(&Status::unavailable("away"))
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn what_is_unavailable_is_asked_as_often_as_set() {
        let budget = Budget::new(Retry::default());
        let mut attempts = Attempts::new(&budget, soon());

        let waits = (0..4).map(|_| attempts.wait_after(away()).is_ok());

        assert_eq!(vec![true, true, true, false], waits.collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn nothing_else_is_asked_again() {
        let budget = Budget::new(Retry::default());
        for error in [
            Error::deadline(),
            Error::protocol("odd"),
            Error::of(&Status::resource_exhausted("much")),
            Error::of(&Status::internal("broken")),
        ] {
            let mut attempts = Attempts::new(&budget, soon());

            assert_eq!(Err(error.clone()), attempts.wait_after(error));
        }
    }

    #[tokio::test]
    async fn a_wait_past_the_deadline_is_not_begun() {
        let budget = Budget::new(Retry::default());
        let mut attempts = Attempts::new(&budget, Instant::now() + Duration::from_millis(5));

        assert_eq!(Err(away()), attempts.wait_after(away()));
    }

    #[tokio::test]
    async fn calls_share_a_budget_that_successes_fill_again() {
        let budget = Budget::new(Retry {
            budget: 1.0,
            earned: 0.5,
            ..Retry::default()
        });
        let once = || Attempts::new(&budget, soon()).wait_after(away()).is_ok();

        assert!(once());
        assert!(!once());
        budget.earn();
        assert!(!once());
        budget.earn();
        assert!(once());
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let retry = Retry::default();
        for (number, most) in [(1, 20), (2, 40), (3, 80), (6, 500), (4_000, 500)] {
            let wait = retry.wait(number);

            assert!(wait <= Duration::from_millis(most));
            assert!(wait >= Duration::from_millis(most / 2));
        }
    }
}
