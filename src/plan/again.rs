//! Deciding again, after a row was read again.
//!
//! A write that was refused because the row had changed or gone, and a write whose answer never
//! came, both lead here: what the row *is* decides, never how often something was tried.

use crate::model::{Filter, StateAndStatus, UserId};

use super::Change;

/// What makes a row as wanted, and what makes it untouchable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Deactivate and reactivate: the state counts; whatever else somebody changed is no obstacle.
    State,
    /// Undo: state and status count, and a row whose state somebody changed is left alone.
    Exact,
}

/// Whether a write of ours was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrote {
    /// None was, or it was refused.
    No,
    /// One was sent, and no answer came back.
    Maybe,
    /// The server said so, without showing the row.
    Yes,
}

/// Whose work a row in the wanted state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribution {
    /// Who signed in when the run began, and who did now.
    pub callers: [UserId; 2],
    /// Whose filter it is.
    pub user: UserId,
    /// Whether a write of ours was done.
    pub wrote: Wrote,
    /// Whether this server was seen to put the caller into `modifiedonbehalfby`. It is documented
    /// to; where it was never seen to, a lost write is taken for ours, so that undo covers it.
    pub stamps: bool,
}

/// What to do with a row that was read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as wanted, and by our write.
    Changed {
        /// What it is now.
        now: StateAndStatus,
        /// Its version now.
        etag: Option<String>,
    },
    /// It is as wanted, and not by us.
    Already,
    /// It is still to be changed, from what it is now.
    Again(Change),
    /// Somebody changed its state; it is left alone.
    Left {
        /// What it is now.
        now: StateAndStatus,
    },
    /// There is no such row any more.
    Gone,
}

/// Decides what to do with a change whose row was read again; `seen` is `None` where it was not there.
pub fn judge(
    change: &Change,
    rule: Rule,
    seen: Option<&Filter>,
    attribution: Attribution,
) -> Verdict {
    let Some(seen) = seen else {
        return Verdict::Gone;
    };
    let reached = match rule {
        Rule::State => seen.now.state == change.to.state,
        Rule::Exact => seen.now == change.to,
    };
    if reached && attribution.is_ours(seen) {
        return Verdict::Changed {
            now: seen.now,
            etag: seen.etag.clone(),
        };
    }
    if reached {
        return Verdict::Already;
    }
    if rule == Rule::Exact && seen.now != change.from {
        return Verdict::Left { now: seen.now };
    }
    Verdict::Again(Change {
        filter: change.filter,
        from: seen.now,
        to: change.to,
        etag: seen.etag.clone(),
    })
}

impl Attribution {
    /// Whether what the row is now is our doing.
    pub(super) fn is_ours(self, seen: &Filter) -> bool {
        match self.wrote {
            Wrote::No => false,
            Wrote::Yes => true,
            Wrote::Maybe => self.bears_our_stamp(seen),
        }
    }

    fn bears_our_stamp(self, seen: &Filter) -> bool {
        if self.callers.contains(&self.user) {
            // Impersonating oneself leaves no trace of it.
            return seen.modified.by.is_none_or(|by| by == self.user);
        }
        match seen.modified.on_behalf {
            Some(real_caller) => self.callers.contains(&real_caller),
            None => !self.stamps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Modification, State, Status};
    use crate::plan::change::tests::{filter, user_id};

    fn change() -> Change {
        let row = filter(1, "appointment", State::Active);
        Change {
            filter: row.id,
            from: row.now,
            to: State::Inactive.with_default_status(),
            etag: row.etag,
        }
    }

    fn seen(state: State, on_behalf: Option<u128>) -> Filter {
        let mut row = filter(1, "appointment", state);
        row.etag = Some("W/\"77\"".into());
        row.modified = Modification {
            on: None,
            by: Some(user_id(1)),
            on_behalf: on_behalf.map(user_id),
        };
        row
    }

    const REFUSED: Attribution = Attribution {
        callers: [UserId(uuid::Uuid::from_u128(5)); 2],
        user: UserId(uuid::Uuid::from_u128(1)),
        wrote: Wrote::No,
        stamps: true,
    };
    const LOST: Attribution = Attribution {
        wrote: Wrote::Maybe,
        ..REFUSED
    };

    #[test]
    fn a_row_that_is_gone_is_gone() {
        assert_eq!(judge(&change(), Rule::State, None, LOST), Verdict::Gone);
    }

    #[test]
    fn a_row_that_somebody_edited_is_tried_again_with_its_new_version() {
        let mut row = seen(State::Active, None);
        row.now.status = Status(Some(3));
        let Verdict::Again(again) = judge(&change(), Rule::State, Some(&row), REFUSED) else {
            panic!("tried again");
        };
        assert_eq!(again.etag, row.etag);
        assert_eq!(
            again.from.status,
            Status(Some(3)),
            "undo puts back the newest status"
        );
    }

    #[test]
    fn a_lost_write_that_took_effect_is_ours_by_its_stamp() {
        let row = seen(State::Inactive, Some(5));
        let verdict = judge(&change(), Rule::State, Some(&row), LOST);
        assert!(matches!(verdict, Verdict::Changed { .. }));
    }

    #[test]
    fn what_the_user_switched_off_himself_in_that_moment_is_not_ours() {
        let row = seen(State::Inactive, None);
        assert_eq!(
            judge(&change(), Rule::State, Some(&row), LOST),
            Verdict::Already
        );
        let row = seen(State::Inactive, Some(6));
        assert_eq!(
            judge(&change(), Rule::State, Some(&row), LOST),
            Verdict::Already
        );
    }

    #[test]
    fn a_server_that_leaves_no_stamps_gives_the_lost_write_to_us() {
        let row = seen(State::Inactive, None);
        let unstamped = Attribution {
            stamps: false,
            ..LOST
        };
        let verdict = judge(&change(), Rule::State, Some(&row), unstamped);
        assert!(matches!(verdict, Verdict::Changed { .. }));
    }

    #[test]
    fn a_refused_write_is_never_ours() {
        let row = seen(State::Inactive, Some(5));
        assert_eq!(
            judge(&change(), Rule::State, Some(&row), REFUSED),
            Verdict::Already
        );
    }

    #[test]
    fn impersonating_oneself_leaves_no_stamp_and_is_ours() {
        let row = seen(State::Inactive, None);
        let own = Attribution {
            callers: [user_id(1); 2],
            ..LOST
        };
        let verdict = judge(&change(), Rule::State, Some(&row), own);
        assert!(matches!(verdict, Verdict::Changed { .. }));
    }

    #[test]
    fn undo_leaves_alone_what_somebody_changed_since() {
        let mut row = seen(State::Active, None);
        row.now.status = Status(Some(3));
        let verdict = judge(&change(), Rule::Exact, Some(&row), REFUSED);
        assert_eq!(verdict, Verdict::Left { now: row.now });
    }
}
