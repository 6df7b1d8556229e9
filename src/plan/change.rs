//! The changes that one user's filters need.

use crate::model::{Filter, FilterId, State, StateAndStatus, UserId};

use super::Criteria;

/// The change of one row: its former state, its wanted state, and the version that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The id of the row.
    pub filter: FilterId,
    /// The state when it was read, which undo restores.
    pub from: StateAndStatus,
    /// The wanted state.
    pub to: StateAndStatus,
    /// The version that was read, for `If-Match`.
    pub etag: Option<String>,
}

/// The result of one user's survey.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserPlan {
    /// The number of filters that match the run's criteria.
    pub matching: usize,
    /// How many of these are in the wanted state already.
    pub already: usize,
    /// The changes of the others.
    pub changes: Vec<Change>,
}

/// The first row that does not belong to this user, if any: a sign that impersonation was ignored.
pub fn foreign_row(filters: &[Filter], user: UserId) -> Option<&Filter> {
    filters.iter().find(|filter| filter.owner != user)
}

/// The changes that bring all matching filters of one user into the wanted state.
///
/// Only the state decides: a row in the wanted state with an unusual status is left as it is.
pub fn plan_user(filters: &[Filter], criteria: &Criteria, wanted: State) -> UserPlan {
    let mut plan = UserPlan::default();
    for filter in filters.iter().filter(|f| criteria.matches(f)) {
        plan.matching += 1;
        if filter.now.state == wanted {
            plan.already += 1;
        } else {
            plan.changes.push(Change {
                filter: filter.id,
                from: filter.now,
                to: wanted.with_default_status(),
                etag: filter.etag.clone(),
            });
        }
    }
    plan
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::{AccessMode, FilterKind, FilterType, Modification, ObjectId, Status, User};
    use uuid::Uuid;

    pub(crate) fn user_id(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    pub(crate) fn user(n: u128) -> User {
        User {
            id: user_id(n),
            object_id: Some(ObjectId(Uuid::from_u128(n + 1000))),
            login: format!("user{n}@contoso.example"),
            full_name: format!("User {n}"),
            email: Some(format!("user.{n}@mail.contoso.example")),
            disabled: false,
            access_mode: AccessMode::ReadWrite,
            application: false,
            integration: false,
            stub: false,
            deleted: false,
            filters_populated: true,
            unit: None,
        }
    }

    /// The deactivation of filter 1.
    pub(crate) fn change() -> Change {
        let row = filter(1, "appointment", State::Active);
        Change {
            filter: row.id,
            from: row.now,
            to: State::Inactive.with_default_status(),
            etag: row.etag,
        }
    }

    pub(crate) fn filter(n: u128, filter_type: &str, state: State) -> Filter {
        Filter {
            id: FilterId(Uuid::from_u128(n)),
            owner: user_id(1),
            name: format!("My {filter_type}"),
            filter_type: FilterType::new(filter_type),
            kind: FilterKind::Outlook,
            now: state.with_default_status(),
            etag: Some(format!("W/\"{n}\"")),
            modified: Modification::default(),
            template: None,
            query: None,
        }
    }

    #[test]
    fn a_user_who_is_as_wanted_needs_no_change() {
        let filters = [
            filter(1, "appointment", State::Inactive),
            filter(2, "contact", State::Active),
        ];
        let plan = plan_user(&filters, &Criteria::default(), State::Inactive);
        assert_eq!(plan.changes, []);
        assert_eq!((plan.matching, plan.already), (1, 1));
    }

    #[test]
    fn a_change_keeps_the_state_the_status_and_the_version_that_were_seen() {
        let mut row = filter(1, "appointment", State::Active);
        row.now.status = Status(Some(3));
        let plan = plan_user(&[row.clone()], &Criteria::default(), State::Inactive);
        let [change] = &plan.changes[..] else {
            panic!("one change");
        };
        assert_eq!(change.from, row.now);
        assert_eq!(change.to, State::Inactive.with_default_status());
        assert_eq!(change.etag, row.etag);
    }

    #[test]
    fn a_null_status_is_no_reason_to_write() {
        let mut row = filter(1, "appointment", State::Active);
        row.now.status = Status(None);
        let plan = plan_user(&[row], &Criteria::default(), State::Active);
        assert_eq!((plan.already, plan.changes.len()), (1, 0));
    }

    #[test]
    fn a_row_of_another_owner_is_noticed() {
        let mine = filter(1, "appointment", State::Active);
        let mut foreign = filter(2, "appointment", State::Active);
        foreign.owner = user_id(9);
        assert_eq!(foreign_row(std::slice::from_ref(&mine), user_id(1)), None);
        let rows = [mine, foreign.clone()];
        assert_eq!(foreign_row(&rows, user_id(1)), Some(&foreign));
    }
}
