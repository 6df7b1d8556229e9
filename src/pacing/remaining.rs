//! Fewer requests under way while the server says that little of its budget is left.
//!
//! Dataverse says in each answer how many requests the web server that gave it still grants
//! (`x-ms-ratelimit-burst-remaining-xrm-requests`). Microsoft gives the number for debugging and says that a client
//! must not pace itself by it, because it concerns one of several servers. So it sets no pace here and is no budget. It
//! only bounds how many requests are under way, and are refused together, when a budget that is not known yet is used
//! up. It is used for a bounded number of requests only.

use std::time::{Duration, Instant};

/// This many may always be under way: as many as a gate that has just opened lets through.
const FEWEST: u32 = 4;
/// The number is ignored after this multiple of it was granted without a refusal. Requests go to an unknown number of
/// servers: with up to eight of them that get equal shares, a budget is used up by then.
const BELIEVED: u32 = 8;
/// How long it is ignored then, in windows. What was granted earlier is granted again after one window.
const DISBELIEVED: f64 = 1.0;

/// How many requests may be under way, by what the server says is left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Remaining {
    window: Duration,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// More is left than is under way, or nothing is known.
    Enough,
    /// The least that was left, and for how many more grants it counts.
    Little {
        least: u32,
        grants: u32,
    },
    Disbelieved {
        until: Instant,
    },
}

impl Remaining {
    pub(super) fn new(window: Duration) -> Self {
        Self {
            window,
            state: State::Enough,
        }
    }

    /// The server that answered has `left` requests left; `in_flight` are under way to all servers.
    pub(super) fn record(&mut self, left: u32, in_flight: u32, now: Instant) {
        match &mut self.state {
            State::Disbelieved { until } if now < *until => {}
            State::Little { least, .. } => *least = left.min(*least),
            State::Enough | State::Disbelieved { .. } => {
                self.state = if left < in_flight {
                    State::Little {
                        least: left,
                        grants: left.max(FEWEST).saturating_mul(BELIEVED),
                    }
                } else {
                    State::Enough
                };
            }
        }
    }

    /// A request was granted, whatever its answer says is left.
    pub(super) fn granted(&mut self, now: Instant) {
        if let State::Little { grants, .. } = &mut self.state {
            *grants -= 1;
            if *grants == 0 {
                self.state = State::Disbelieved {
                    until: now + self.window.mul_f64(DISBELIEVED),
                };
            }
        }
    }

    /// The most requests under way, where little is left.
    pub(super) fn most(&self) -> Option<u32> {
        match self.state {
            State::Little { least, .. } => Some(least.max(FEWEST)),
            State::Enough | State::Disbelieved { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WINDOW: Duration = Duration::from_mins(5);

    #[test]
    fn no_more_are_under_way_than_are_left_and_some_always_may_be() {
        let (mut remaining, now) = (Remaining::new(WINDOW), Instant::now());
        let most: Vec<_> = [500, 52, 51, 30, 40, 3, 0]
            .into_iter()
            .map(|left| {
                remaining.record(left, 52, now);
                remaining.most()
            })
            .collect();
        let few = Some(FEWEST);
        assert_eq!(most, [None, None, Some(51), Some(30), Some(30), few, few]);
    }

    #[test]
    fn nothing_left_is_not_believed_for_a_window_once_more_was_granted() {
        let (mut remaining, now) = (Remaining::new(WINDOW), Instant::now());
        let mut granted = 0;
        loop {
            remaining.record(0, 52, now);
            if remaining.most().is_none() {
                break;
            }
            remaining.granted(now);
            granted += 1;
        }
        assert_eq!(granted, 32);
        remaining.record(0, 52, now + WINDOW / 2);
        assert_eq!(remaining.most(), None);
        remaining.record(0, 52, now + WINDOW);
        assert!(remaining.most().is_some());
    }

    #[test]
    fn three_servers_that_are_asked_in_turn_run_out_while_they_are_believed() {
        let (mut remaining, now) = (Remaining::new(WINDOW), Instant::now());
        for granted in 0..3 * 60_u32 {
            let left = 60 - granted / 3 - 1;
            remaining.record(left, 52, now);
            remaining.granted(now);
            assert_eq!(remaining.most().is_some(), left < 52, "{left}");
        }
        assert_eq!(remaining.most(), Some(FEWEST));
    }

    proptest! {
        #[test]
        fn whatever_is_said_to_be_left_it_slows_a_bounded_number_of_requests_in_a_window(
            said in proptest::collection::vec(any::<u32>().prop_map(|n| n % 70), 1..2000),
        ) {
            let (mut remaining, now) = (Remaining::new(WINDOW), Instant::now());
            let mut slowed = 0;
            for left in said {
                remaining.record(left, 52, now);
                prop_assert!(remaining.most().is_none_or(|most| most >= FEWEST));
                slowed += u32::from(remaining.most().is_some());
                remaining.granted(now);
            }
            prop_assert!(slowed <= 52 * BELIEVED);
        }
    }
}
