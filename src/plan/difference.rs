//! Compares a plan with the present filters of one user.

use crate::model::{Filter, FilterId, StateAndStatus};

use super::Change;

/// How a filter differs from the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriftKind {
    /// It has another state or status.
    Other {
        /// Its state in the plan.
        planned: StateAndStatus,
        /// Its present state.
        now: StateAndStatus,
    },
    /// It no longer exists.
    Gone {
        /// Its state in the plan.
        planned: StateAndStatus,
    },
    /// It is not in the plan, and would be in a plan made now.
    New {
        /// Its present state.
        now: StateAndStatus,
    },
}

/// Whether a planned filter is no drift: it is as it was, or somebody has set it to the wanted state since.
/// Such a row is judged again before anything is written: by its version, or by reading it where the server does not
/// check versions. It is then left as it is, and is no change of the run.
fn is_as_planned(change: &Change, filter: &Filter) -> bool {
    filter.now == change.from || is_as_wanted(change, filter)
}

/// Whether a filter is in the wanted state already.
pub fn is_as_wanted(change: &Change, filter: &Filter) -> bool {
    filter.now.state == change.to.state
}

/// Whether nothing differs: every planned filter is as it was, or in the wanted state, and a plan made now has no
/// others.
pub fn is_current(planned: &[Change], anew: &[Change], seen: &[Filter]) -> bool {
    let as_planned = |change: &Change| {
        let seen = seen.iter().find(|filter| filter.id == change.filter);
        seen.is_some_and(|filter| is_as_planned(change, filter))
    };
    planned.iter().all(as_planned) && anew.iter().all(|change| holds(planned, change.filter))
}

/// All filters that differ; `surveyed` are the filters that matched when the plan was made.
pub fn find_drift(
    planned: &[Change],
    anew: &[Change],
    seen: &[Filter],
    surveyed: &[(FilterId, StateAndStatus)],
) -> Vec<(FilterId, DriftKind)> {
    let of_planned = planned.iter().filter_map(|change| {
        let planned = change.from;
        let kind = match seen.iter().find(|filter| filter.id == change.filter) {
            None => DriftKind::Gone { planned },
            Some(filter) if !is_as_planned(change, filter) => DriftKind::Other {
                planned,
                now: filter.now,
            },
            Some(_) => return None,
        };
        Some((change.filter, kind))
    });
    let added = anew.iter().filter(|new| !holds(planned, new.filter));
    let of_added = added.map(|new| {
        let before = surveyed.iter().find(|(filter, _)| *filter == new.filter);
        let now = new.from;
        let kind = match before {
            Some((_, planned)) => DriftKind::Other {
                planned: *planned,
                now,
            },
            None => DriftKind::New { now },
        };
        (new.filter, kind)
    });
    of_planned.chain(of_added).collect()
}

fn holds(changes: &[Change], filter: FilterId) -> bool {
    changes.iter().any(|change| change.filter == filter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::State;
    use crate::plan::change::tests::filter;
    use crate::plan::{Criteria, plan_user};

    fn plan(filters: &[Filter]) -> Vec<Change> {
        plan_user(filters, &Criteria::default(), State::Inactive).changes
    }

    fn states(filters: &[Filter]) -> Vec<(FilterId, StateAndStatus)> {
        filters.iter().map(|f| (f.id, f.now)).collect()
    }

    #[test]
    fn a_plan_whose_rows_are_as_they_were_fits_whatever_their_version() {
        let before = [filter(1, "appointment", State::Active)];
        let mut now = before.clone();
        now[0].etag = Some("W/\"99\"".into());
        assert!(is_current(&plan(&before), &plan(&now), &now));
        assert_eq!(
            find_drift(&plan(&before), &plan(&now), &now, &states(&before)),
            []
        );
    }

    #[test]
    fn what_was_switched_what_is_gone_and_what_is_new_are_told_apart() {
        let before = [
            filter(1, "appointment", State::Active),
            filter(2, "appointment", State::Active),
            filter(3, "appointment", State::Inactive),
            filter(6, "appointment", State::Active),
        ];
        let mut now = vec![
            filter(1, "appointment", State::Inactive),
            filter(6, "appointment", State::Active),
            filter(3, "appointment", State::Active),
            filter(4, "serviceappointment", State::Active),
            filter(5, "contact", State::Active),
        ];
        let other_status = StateAndStatus {
            status: crate::model::Status(Some(3)),
            ..now[1].now
        };
        now[1].now = other_status;
        let (planned, anew) = (plan(&before), plan(&now));
        assert!(!is_current(&planned, &anew, &now));
        let found = find_drift(&planned, &anew, &now, &states(&before));
        let active = State::Active.with_default_status();
        let inactive = State::Inactive.with_default_status();
        // The first is in the wanted state already.
        let of = |n: u128| filter(n, "appointment", State::Active).id;
        let expected = [
            (of(2), DriftKind::Gone { planned: active }),
            (
                of(6),
                DriftKind::Other {
                    planned: active,
                    now: other_status,
                },
            ),
            (
                of(3),
                DriftKind::Other {
                    planned: inactive,
                    now: active,
                },
            ),
            (of(4), DriftKind::New { now: active }),
        ];
        assert_eq!(found, expected);
    }
}
