//! Conclusions from what was observed.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;

use crate::model::{Filter, StateAndStatus, is_same_version};

use super::facts::{Answer, Detail};

type Concluded = (Answer, Option<Detail>);

/// The answer to a write: whether it was accepted, and what it contained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteSeen {
    /// The HTTP status.
    pub status: StatusCode,
    /// The error code, where it is an error.
    pub code: Option<u32>,
    /// Whether the answer contained the row.
    pub shown: bool,
}

impl WriteSeen {
    /// Yes if it was accepted, else no with the refusal.
    pub fn accepted(self) -> Concluded {
        if self.status.is_success() {
            (Answer::Yes, None)
        } else {
            (Answer::No, Some(self.refused()))
        }
    }

    const fn refused(self) -> Detail {
        Detail::Refused {
            status: self.status,
            code: self.code,
        }
    }
}

/// Yes or no.
pub const fn yes_or_no(yes: bool) -> Answer {
    if yes { Answer::Yes } else { Answer::No }
}

/// A write of a status that may not be accepted, and the row after it.
#[derive(Clone, Copy, Debug)]
pub struct StatusSeen {
    /// The answer to it.
    pub write: WriteSeen,
    /// The row after.
    pub after: StateAndStatus,
}

/// Whether the write is accepted, and which status the row has after it.
pub fn accepted_with_status(seen: StatusSeen) -> Concluded {
    match seen.write.accepted() {
        (Answer::Yes, _) => (Answer::Yes, Some(Detail::Status(seen.after.status.0))),
        refused => refused,
    }
}

/// A write that required an old version, and the row before and after it.
#[derive(Clone, Copy, Debug)]
pub struct StaleSeen<'a> {
    /// The answer to it.
    pub write: WriteSeen,
    /// The row before.
    pub before: &'a Filter,
    /// The row after.
    pub after: &'a Filter,
}

/// Whether a stale version is refused with 412 and nothing is written.
pub fn stale_version(seen: StaleSeen<'_>) -> Concluded {
    let StaleSeen {
        write,
        before,
        after,
    } = seen;
    let changed = before.now != after.now || before.modified != after.modified;
    match write.status {
        StatusCode::PRECONDITION_FAILED if changed => (Answer::No, Some(Detail::WrittenAllTheSame)),
        StatusCode::PRECONDITION_FAILED => (Answer::Yes, None),
        status if status.is_success() => (Answer::No, Some(Detail::WrittenAllTheSame)),
        _ => (Answer::No, Some(write.refused())),
    }
}

/// Whether two versions of a row differ; unknown where the server sends none.
pub fn version_moves(before: Option<&str>, after: Option<&str>) -> Answer {
    is_same_version(before, after).map_or(Answer::Unknown, |same| yes_or_no(!same))
}

/// Whether an accepted write returned the row.
pub fn representation(write: WriteSeen) -> Concluded {
    if write.status.is_success() {
        (yes_or_no(write.shown), None)
    } else {
        (Answer::Unknown, Some(write.refused()))
    }
}

/// Whether the caller sees the rows that the user sees.
pub fn same_rows(own: &[Filter], seen: &[Filter]) -> Concluded {
    let of = |rows: &[Filter]| -> BTreeSet<_> {
        rows.iter()
            .map(|row| (row.id, row.owner, row.now.state.code()))
            .collect()
    };
    if of(own) == of(seen) {
        (Answer::Yes, None)
    } else {
        (Answer::No, Some(Detail::OtherRows))
    }
}

/// As whom a request was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// As the caller itself.
    Caller,
    /// As the impersonated user.
    User,
}

/// What one answer says about the budget of its web server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetSeen {
    /// As whom it was sent.
    pub by: Counted,
    /// The server that answered, where it says so.
    pub server: Option<String>,
    /// Requests left on that server.
    pub remaining: Option<u32>,
    /// The recommended number of requests at once.
    pub hint: Option<u32>,
}

/// Whose budget counts. With one budget, every answer of a web server leaves fewer requests than the one before,
/// whoever asked. With two, the second requester repeatedly finds as many or more. Unknown where a server does not say,
/// or too few answers were seen.
pub fn budget(seen: &[BudgetSeen]) -> Answer {
    let mut last: BTreeMap<Option<&str>, (Counted, u32)> = BTreeMap::new();
    let (mut fewer, mut as_many) = (0, 0);
    for one in seen {
        let Some(remaining) = one.remaining else {
            return Answer::Unknown;
        };
        let before = last.insert(one.server.as_deref(), (one.by, remaining));
        match before.filter(|(by, _)| *by != one.by) {
            Some((_, left)) if remaining < left => fewer += 1,
            Some(_) => as_many += 1,
            None => {}
        }
    }
    match (fewer, as_many) {
        // A single increase can be the end of a window.
        (0, 0) | (_, 1) => Answer::Unknown,
        (_, 0) => Answer::Caller,
        _ => Answer::User,
    }
}

/// How many web servers answered; unknown where they do not identify themselves.
pub fn servers(seen: &[BudgetSeen]) -> Answer {
    let named: BTreeSet<_> = seen.iter().filter_map(|one| one.server.as_ref()).collect();
    match u32::try_from(named.len()) {
        Ok(0) | Err(_) => Answer::Unknown,
        Ok(count) => Answer::Number(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{State, Status};
    use crate::plan::test_filter;

    fn write(status: u16) -> WriteSeen {
        WriteSeen {
            status: StatusCode::from_u16(status).unwrap(),
            code: Some(0x8004_0203),
            shown: false,
        }
    }

    fn budgets(seen: &[(Counted, &str, u32)]) -> Answer {
        let one = |(by, server, remaining): &(Counted, &str, u32)| BudgetSeen {
            by: *by,
            server: Some((*server).to_owned()),
            remaining: Some(*remaining),
            hint: None,
        };
        budget(&seen.iter().map(one).collect::<Vec<_>>())
    }

    #[test]
    fn one_budget_goes_down_with_every_request_and_two_do_not() {
        use Counted::{Caller, User};
        let one = [(Caller, "a", 90), (User, "a", 89), (Caller, "a", 88)];
        assert_eq!(budgets(&one), Answer::Caller);
        let two = [
            (Caller, "a", 90),
            (User, "a", 99),
            (Caller, "a", 89),
            (User, "a", 98),
        ];
        assert_eq!(budgets(&two), Answer::User);
        let alike = [
            (Caller, "a", 90),
            (User, "a", 89),
            (Caller, "a", 89),
            (User, "a", 88),
            (Caller, "a", 88),
        ];
        assert_eq!(budgets(&alike), Answer::User);
        let servers = [(Caller, "a", 90), (User, "b", 50), (User, "a", 89)];
        assert_eq!(
            budgets(&servers),
            Answer::Caller,
            "each server counts apart"
        );
        let another_client = [(Caller, "a", 90), (User, "a", 89), (Caller, "a", 80)];
        assert_eq!(budgets(&another_client), Answer::Caller);
        let end_of_a_window = [(Caller, "a", 90), (User, "a", 89), (Caller, "a", 99)];
        assert_eq!(budgets(&end_of_a_window), Answer::Unknown);
        assert_eq!(budgets(&[]), Answer::Unknown);
    }

    #[test]
    fn a_stale_version_counts_as_refused_only_where_nothing_was_written() {
        let before = test_filter(1, "appointment", State::Inactive);
        let mut after = before.clone();
        let seen = |status, after: &Filter| {
            stale_version(StaleSeen {
                write: write(status),
                before: &before,
                after,
            })
            .0
        };
        assert_eq!(seen(412, &after), Answer::Yes);
        assert_eq!(seen(200, &after), Answer::No);
        assert_eq!(seen(400, &after), Answer::No);
        after.now.status = Status(None);
        assert_eq!(seen(412, &after), Answer::No, "it was written all the same");
    }

    #[test]
    fn a_refusal_is_told_by_its_numbers() {
        let (answer, detail) = write(400).accepted();
        assert_eq!(answer, Answer::No);
        assert_eq!(detail.unwrap().to_string(), "refused: 400, 0x80040203");
        assert_eq!(write(204).accepted(), (Answer::Yes, None));
        assert_eq!(representation(write(204)).0, Answer::No);
        assert_eq!(representation(write(400)).0, Answer::Unknown);
    }
}
