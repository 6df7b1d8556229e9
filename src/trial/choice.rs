//! Which filter a trial switches: one that can be off for a moment without an effect on Exchange.

use crate::model::{Filter, State};

/// Why switching the filter off for a moment removes nothing from Exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harmless {
    /// The user's mailbox synchronises nothing.
    Mailbox,
    /// The filter selects nothing now.
    SelectsNothing,
}

/// A filter that could be tried, and how many rows it selects, where that is known exactly.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The filter as it was read.
    pub filter: Filter,
    /// The number of rows that it selects now.
    pub selects: Option<u64>,
}

/// The filter that is tried.
#[derive(Clone, Debug)]
pub struct TrialFilter {
    /// The filter as it was read.
    pub filter: Filter,
    /// Why nothing can be lost; none where items can be lost.
    pub harmless: Option<Harmless>,
}

/// Chooses an active filter: any where the mailbox synchronises nothing, else one that selects nothing, else the one
/// that selects the fewest rows. `None` where the user has no active filter.
pub fn choose_filter(
    candidates: impl IntoIterator<Item = Candidate>,
    mailbox_synchronises_nothing: bool,
) -> Option<TrialFilter> {
    let active = candidates
        .into_iter()
        .filter(|one| one.filter.now.state == State::Active);
    let rank = |one: &Candidate| (one.selects.unwrap_or(u64::MAX), one.filter.id);
    let chosen = active.min_by_key(rank)?;
    let harmless = if mailbox_synchronises_nothing {
        Some(Harmless::Mailbox)
    } else {
        (chosen.selects == Some(0)).then_some(Harmless::SelectsNothing)
    };
    Some(TrialFilter {
        filter: chosen.filter,
        harmless,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::test_filter;

    fn candidate(id: u128, state: State, selects: Option<u64>) -> Candidate {
        Candidate {
            filter: test_filter(id, "appointment", state),
            selects,
        }
    }

    #[test]
    fn a_filter_that_selects_nothing_is_tried_before_any_other() {
        let some = || {
            [
                candidate(1, State::Active, None),
                candidate(2, State::Active, Some(3)),
                candidate(3, State::Active, Some(0)),
                candidate(4, State::Inactive, Some(0)),
            ]
        };
        let chosen = choose_filter(some(), false).unwrap();
        assert_eq!(chosen.filter, some()[2].filter);
        assert_eq!(chosen.harmless, Some(Harmless::SelectsNothing));
        let chosen = choose_filter(some().into_iter().take(2), false).unwrap();
        assert_eq!(chosen.filter, some()[1].filter);
        assert_eq!(chosen.harmless, None, "items can be lost");
    }

    #[test]
    fn any_active_filter_will_do_where_the_mailbox_synchronises_nothing() {
        let one = || [candidate(1, State::Active, None)];
        let chosen = choose_filter(one(), true).unwrap();
        assert_eq!(chosen.harmless, Some(Harmless::Mailbox));
        assert!(choose_filter([candidate(1, State::Inactive, None)], true).is_none());
    }

    #[test]
    fn what_is_not_known_is_not_taken_for_nothing() {
        let chosen = choose_filter([candidate(1, State::Active, None)], false);
        assert_eq!(chosen.unwrap().harmless, None);
    }
}
