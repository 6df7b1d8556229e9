//! The progress of one user over several runs, decided separately for each filter type, because a run may be about
//! some.

use crate::model::{FilterKind, FilterType, Operation, ReadState, RowOutcome};
use crate::plan::Criteria;

use super::RunHeader;

/// The progress of one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UserStanding {
    Done,
    Left,
    Failed,
    Skipped,
}

/// The wanted state: operation and filters of the latest run that is not an undo.
#[derive(Clone, Debug)]
pub(super) struct WantedState {
    operation: Operation,
    criteria: Criteria,
    parts: Vec<Part>,
}

/// The filters of one kind and one type; no type means all types.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    filter_type: Option<FilterType>,
    kind: FilterKind,
}

/// The facts of a run that decide about the progress of users.
#[derive(Debug)]
pub(super) struct PastRun<'a> {
    operation: Operation,
    /// Whether it undid an undo, so that rows are again as the run left them that was undone first.
    repeats: Option<Operation>,
    criteria: &'a Criteria,
    started: i64,
}

#[derive(Clone, Debug)]
pub(super) struct UserInRun {
    pub(super) read: ReadState,
    /// Whether the default filters of the user are there.
    pub(super) populated: bool,
    pub(super) filters: Vec<FilterInRun>,
}

/// A filter of the run's criteria with its outcome; none where nothing had to be changed.
#[derive(Clone, Debug)]
pub(super) struct FilterInRun {
    pub(super) filter_type: FilterType,
    pub(super) kind: FilterKind,
    pub(super) name: String,
    pub(super) outcome: Option<RowOutcome>,
    /// When it was settled, in milliseconds.
    pub(super) settled: Option<i64>,
}

/// The results of all runs so far for a user.
#[derive(Clone, Debug, Default)]
pub(super) struct UserRecord {
    /// By part, with the time since when it holds, in milliseconds.
    parts: Vec<Option<(UserStanding, i64)>>,
    /// Why the last run with this user did not read the user's filters.
    unread: Option<UserStanding>,
}

impl WantedState {
    pub(super) fn of(run: &RunHeader) -> Self {
        Self::new(run.operation, run.criteria.clone())
    }

    fn new(operation: Operation, criteria: Criteria) -> Self {
        let types: Vec<_> = criteria.types().cloned().map(Some).collect();
        let types = if types.is_empty() { vec![None] } else { types };
        let kinds = criteria.kinds().iter();
        let of_kind = |&kind| {
            let part = move |filter_type| Part { filter_type, kind };
            types.iter().cloned().map(part)
        };
        Self {
            operation,
            parts: kinds.flat_map(of_kind).collect(),
            criteria,
        }
    }

    pub(super) const fn operation(&self) -> Operation {
        self.operation
    }
}

impl<'a> PastRun<'a> {
    /// `repeats` is the operation that an undo of an undo makes again.
    pub(super) fn of(run: &'a RunHeader, repeats: Option<Operation>) -> Self {
        Self {
            operation: run.operation,
            repeats,
            criteria: &run.criteria,
            started: run.started.as_millisecond(),
        }
    }
}

impl UserRecord {
    /// Adds the results of a later run. A run with another operation reverted what it changed.
    pub(super) fn add(&mut self, wanted: &WantedState, run: &PastRun<'_>, user: &UserInRun) {
        self.parts.resize(wanted.parts.len(), None);
        let is_wanted = run.operation == wanted.operation;
        for (part, now) in wanted.parts.iter().zip(&mut self.parts) {
            let filters = user.filters.iter().filter(|filter| {
                let FilterInRun {
                    filter_type,
                    kind,
                    name,
                    ..
                } = filter;
                let is_type = part.filter_type.as_ref().is_none_or(|of| of == filter_type);
                is_type && part.kind == *kind && wanted.criteria.selects(filter_type, *kind, name)
            });
            let filters: Vec<_> = filters.collect();
            let next = if run.repeats == Some(wanted.operation) {
                // Only what was put back before and is changed again now.
                let changed = |filter: &&FilterInRun| filter.outcome == Some(RowOutcome::Changed);
                let is_done = now.is_some() && filters.iter().any(changed);
                is_done.then_some(UserStanding::Done)
            } else if is_wanted {
                let is_whole = user.read == ReadState::Read
                    && run
                        .criteria
                        .covers(&wanted.criteria, part.filter_type.as_ref(), part.kind);
                let will_receive = filters.is_empty() && !user.populated;
                if will_receive && wanted.operation == Operation::Deactivate {
                    // The default filters that the user receives later are active.
                    Some(UserStanding::Left)
                } else {
                    what_was_found(&filters, is_whole)
                }
            } else {
                let changed = |filter: &&FilterInRun| filter.outcome == Some(RowOutcome::Changed);
                let taken_back = now.is_some() && filters.iter().any(changed);
                taken_back.then_some(UserStanding::Left)
            };
            let settled = filters.iter().filter_map(|filter| filter.settled).max();
            let at = settled.unwrap_or(run.started);
            if let Some(next) = next
                && now.is_none_or(|(_, since)| since <= at)
            {
                *now = Some((next, at));
            }
        }
        if is_wanted {
            self.unread = match user.read {
                ReadState::Read => None,
                ReadState::Skipped => Some(UserStanding::Skipped),
                ReadState::Failed => Some(UserStanding::Failed),
                ReadState::ToRead | ReadState::LeftOut => Some(UserStanding::Left),
            };
        }
    }

    /// The progress of the user; none where no run says anything.
    pub(super) fn standing(&self) -> Option<UserStanding> {
        let is = |standing| {
            move |part: &Option<(UserStanding, i64)>| part.is_some_and(|(of, _)| of == standing)
        };
        if !self.parts.is_empty() && self.parts.iter().all(is(UserStanding::Done)) {
            return Some(UserStanding::Done);
        }
        if self.unread == Some(UserStanding::Skipped) {
            return self.unread;
        }
        if self.parts.iter().any(is(UserStanding::Failed)) {
            return Some(UserStanding::Failed);
        }
        // A type that no run has read is not done.
        let is_known = self.parts.iter().any(Option::is_some);
        self.unread.or(is_known.then_some(UserStanding::Left))
    }
}

/// The progress of some filters of a user in a run with the wanted operation. Without any such filter they count as
/// done where the run has read all filters.
fn what_was_found(filters: &[&FilterInRun], is_whole: bool) -> Option<UserStanding> {
    let has = |which: fn(RowOutcome) -> bool| {
        filters
            .iter()
            .any(|filter| filter.outcome.is_some_and(which))
    };
    if has(|of| of == RowOutcome::Failed) {
        return Some(UserStanding::Failed);
    }
    let is_left = |of| match of {
        RowOutcome::Planned | RowOutcome::Sent | RowOutcome::ChangedSince | RowOutcome::LeftOut => {
            true
        }
        RowOutcome::Changed | RowOutcome::Already | RowOutcome::Gone | RowOutcome::Failed => false,
    };
    if has(is_left) {
        return Some(UserStanding::Left);
    }
    is_whole.then_some(UserStanding::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Types;
    use RowOutcome::{Changed, Failed, LeftOut, Planned};

    fn criteria(types: &[&str], name: Option<&str>) -> Criteria {
        let types = match types {
            ["all"] => Types::All,
            types => Types::Only(types.iter().copied().map(FilterType::new).collect()),
        };
        Criteria::new(types, vec![FilterKind::Outlook], name).unwrap()
    }

    fn filter(of: &(&str, Option<RowOutcome>)) -> FilterInRun {
        FilterInRun {
            filter_type: FilterType::new(of.0),
            kind: FilterKind::Outlook,
            name: format!("My {}", of.0),
            outcome: of.1,
            settled: None,
        }
    }

    type Filters<'a> = &'a [(&'a str, Option<RowOutcome>)];

    /// One run after the other; the last that is no undo says what is wanted.
    fn standing(runs: &[(Operation, &Criteria, ReadState, Filters<'_>)]) -> Option<UserStanding> {
        let mut last = runs.iter().rev();
        let (operation, of, ..) = last.find(|run| run.0 != Operation::Undo).unwrap();
        let wanted = WantedState::new(*operation, (*of).clone());
        let mut record = UserRecord::default();
        for (at, (operation, of, read, filters)) in (0..).zip(runs) {
            let run = PastRun {
                operation: *operation,
                repeats: None,
                criteria: of,
                started: at,
            };
            let user = UserInRun {
                populated: true,
                read: *read,
                filters: filters.iter().map(filter).collect(),
            };
            record.add(&wanted, &run, &user);
        }
        record.standing()
    }

    const DO: Operation = Operation::Deactivate;
    const READ: ReadState = ReadState::Read;
    const DONE: Option<UserStanding> = Some(UserStanding::Done);
    const LEFT: Option<UserStanding> = Some(UserStanding::Left);

    #[test]
    fn a_user_is_done_where_every_wanted_type_is() {
        let (one, two) = (criteria(&["a"], None), criteria(&["a", "b"], None));
        let all = criteria(&["all"], None);
        let a: Filters<'_> = &[("a", Some(Changed))];
        assert_eq!(standing(&[(DO, &one, READ, a)]), DONE);
        // Somebody else's pilot is about more types.
        let pilot: Filters<'_> = &[];
        let of_others = (DO, &two, ReadState::LeftOut, pilot);
        assert_eq!(standing(&[(DO, &one, READ, a), of_others]), LEFT);
        let b: Filters<'_> = &[("a", None), ("b", Some(Planned))];
        assert_eq!(standing(&[(DO, &one, READ, a), (DO, &two, READ, b)]), LEFT);
        let b: Filters<'_> = &[("a", None), ("b", Some(Changed))];
        assert_eq!(standing(&[(DO, &one, READ, a), (DO, &two, READ, b)]), DONE);
        // Fewer types than before are wanted now.
        assert_eq!(standing(&[(DO, &two, READ, b), (DO, &one, READ, a)]), DONE);
        assert_eq!(
            standing(&[(DO, &two, READ, b), (DO, &all, ReadState::Failed, &[])]),
            Some(UserStanding::Failed)
        );
        assert_eq!(
            standing(&[(DO, &all, READ, b), (DO, &two, ReadState::Failed, &[])]),
            DONE
        );
    }

    #[test]
    fn a_run_of_some_names_says_nothing_of_the_others() {
        let (all, some) = (criteria(&["a"], None), criteria(&["a"], Some("My*")));
        let a: Filters<'_> = &[("a", Some(Changed))];
        let none: Filters<'_> = &[];
        assert_eq!(
            standing(&[(DO, &some, READ, a), (DO, &all, ReadState::LeftOut, none)]),
            LEFT
        );
        assert_eq!(
            standing(&[(DO, &all, READ, a), (DO, &some, ReadState::LeftOut, none)]),
            DONE
        );
    }

    #[test]
    fn the_last_run_that_has_read_a_user_says_how_far_he_is() {
        let of = criteria(&["a"], None);
        let with = |outcome| [("a", outcome)];
        let (planned, changed) = (with(Some(Planned)), with(Some(Changed)));
        let (failed, left_out, nothing) = (with(Some(Failed)), with(Some(LeftOut)), with(None));
        let undo = Operation::Undo;
        let skipped: (_, _, _, Filters<'_>) = (DO, &of, ReadState::Skipped, &[]);
        let unread: (_, _, _, Filters<'_>) = (DO, &of, ReadState::Failed, &[]);
        for (runs, expected) in [
            (&[(DO, &of, READ, &planned[..])][..], LEFT),
            (
                &[(DO, &of, READ, &planned), (DO, &of, READ, &changed)],
                DONE,
            ),
            // It was done, and somebody switched it on again.
            (
                &[(DO, &of, READ, &changed), (DO, &of, READ, &planned)],
                LEFT,
            ),
            (
                &[(DO, &of, READ, &changed), (DO, &of, READ, &failed)],
                Some(UserStanding::Failed),
            ),
            (
                &[(DO, &of, READ, &left_out), (DO, &of, READ, &nothing)],
                DONE,
            ),
            (&[(DO, &of, READ, &changed), unread], DONE),
            (&[(DO, &of, READ, &changed), skipped], DONE),
            (&[skipped], Some(UserStanding::Skipped)),
            (&[skipped, unread], Some(UserStanding::Failed)),
            (
                &[(DO, &of, READ, &planned), skipped],
                Some(UserStanding::Skipped),
            ),
            // An undo, or the other operation.
            (
                &[(DO, &of, READ, &changed), (undo, &of, READ, &changed)],
                LEFT,
            ),
            (
                &[(DO, &of, READ, &changed), (undo, &of, READ, &failed)],
                DONE,
            ),
            (
                &[
                    (Operation::Reactivate, &of, READ, &changed),
                    (DO, &of, READ, &planned),
                ],
                LEFT,
            ),
        ] {
            assert_eq!(standing(runs), expected, "{runs:?}");
        }
    }

    #[test]
    fn whoever_has_no_filters_yet_is_done_when_active_ones_are_wanted_only() {
        for (operation, expected) in [
            (DO, Some(UserStanding::Left)),
            (Operation::Reactivate, DONE),
        ] {
            let of = criteria(&["a"], None);
            let wanted = WantedState::new(operation, of.clone());
            let run = PastRun {
                operation,
                repeats: None,
                criteria: &of,
                started: 1,
            };
            let user = UserInRun {
                populated: false,
                read: READ,
                filters: Vec::new(),
            };
            let mut record = UserRecord::default();
            record.add(&wanted, &run, &user);
            assert_eq!(record.standing(), expected);
        }
    }

    #[test]
    fn a_plan_that_was_made_while_a_run_went_on_does_not_count_more_than_what_the_run_did_after() {
        let of = criteria(&["a"], None);
        let wanted = WantedState::new(DO, of.clone());
        let run = |started| PastRun {
            operation: DO,
            repeats: None,
            criteria: &of,
            started,
        };
        let user = |outcome, settled| UserInRun {
            populated: true,
            read: READ,
            filters: vec![FilterInRun {
                settled,
                ..filter(&("a", Some(outcome)))
            }],
        };
        let mut record = UserRecord::default();
        record.add(&wanted, &run(1), &user(Changed, Some(30)));
        record.add(&wanted, &run(20), &user(Planned, None));
        assert_eq!(record.standing(), DONE);
    }
}
