//! Which filters a user may see and change.

use super::errors::ApiError;
use super::impersonate::Acting;
use super::odata::Conditions;
use super::rights::Privilege;
use super::rows::{FilterRecord, PersonIndex};
use super::store::Store;
use super::switches::{Switch, Switches};

/// The filters that a query reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visible {
    /// The acting user's own rows and the views shared with them.
    Own,
    /// The rows of one other user: the administrator's query.
    Of(PersonIndex),
}

/// The filters that a query with these conditions returns.
///
/// Reading is at user depth. With `prvAdminFilter` a query with exactly the two conditions type and
/// owner, for another owner, returns the filters of that user; any further condition prevents that
/// without an error (Microsoft: "Offline and Outlook filters and templates").
pub(super) fn visible(
    store: &Store,
    acting: &Acting,
    conditions: &Conditions,
    pages: bool,
    switches: Switches,
) -> Result<Visible, ApiError> {
    acting.require(store, Privilege::ReadUserQuery)?;
    let may = acting.rights.has(Privilege::AdminFilter) && !acting.is_impersonated();
    let Some((_, owner)) = conditions.administrator().filter(|_| may) else {
        return Ok(Visible::Own);
    };
    let dressed = pages
        || conditions.select
        || conditions.expand
        || conditions.orderby
        || conditions.top
        || conditions.paging
        || conditions.count;
    if dressed && switches.on(Switch::AdminQueryConditionsOnly) {
        return Ok(Visible::Own);
    }
    Ok(match store.person(owner) {
        Some(owner) if owner != acting.user => Visible::Of(owner),
        _ => Visible::Own,
    })
}

/// What one user can read at user depth: own filters, and shared views.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach(PersonIndex);

impl Reach {
    pub(super) const fn of(user: PersonIndex) -> Self {
        Self(user)
    }

    pub(super) fn reads(self, filter: &FilterRecord) -> bool {
        filter.owner == self.0 || filter.shared_with == Some(self.0)
    }
}

/// Whether the filter can be changed or deleted with this privilege.
///
/// Sources contradict each other about an administrator who does not impersonate; the default is to refuse.
pub(super) fn may_write(
    store: &Store,
    acting: &Acting,
    filter: &FilterRecord,
    privilege: Privilege,
    switches: Switches,
) -> Result<(), ApiError> {
    acting.require(store, privilege)?;
    let administers = switches.on(Switch::AdminWritesOthers)
        && filter.is_sync_filter()
        && acting.rights.has(Privilege::AdminFilter)
        && !acting.is_impersonated();
    if filter.owner == acting.user || administers {
        return Ok(());
    }
    let right = if privilege == Privilege::DeleteUserQuery {
        "DeleteAccess"
    } else {
        "WriteAccess"
    };
    Err(ApiError::access(
        store.people[acting.user].id,
        right,
        filter.id,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::generate;
    use crate::rows::UserKind;

    fn fixture() -> (Store, Acting, PersonIndex) {
        let store = generate(40, 1);
        let administrator = Acting::caller(&store, store.administrator);
        let other = store
            .people
            .iter()
            .position(|it| it.kind == UserKind::Ordinary);
        (store, administrator, other.unwrap())
    }

    fn two(store: &Store, owner: PersonIndex) -> Conditions {
        Conditions {
            query_type: Some(256),
            owner: Some(store.people[owner].id),
            ..Conditions::default()
        }
    }

    #[test]
    fn exactly_two_conditions_show_the_administrator_another_users_filters() {
        let (store, administrator, other) = fixture();
        let see = |conditions, switches| {
            visible(&store, &administrator, &conditions, false, switches).unwrap()
        };
        let exact = two(&store, other);
        assert_eq!(see(exact, Switches::none()), Visible::Of(other));
        let further = Conditions {
            further: true,
            ..exact
        };
        assert_eq!(see(further, Switches::none()), Visible::Own);
        let selected = Conditions {
            select: true,
            ..exact
        };
        assert_eq!(see(selected, Switches::none()), Visible::Of(other));
        let strict = Switches::none().with(Switch::AdminQueryConditionsOnly);
        assert_eq!(see(selected, strict), Visible::Own);
        assert_eq!(see(exact, strict), Visible::Of(other));
    }

    #[test]
    fn without_the_privilege_or_impersonated_it_shows_own_rows() {
        let (store, administrator, other) = fixture();
        let exact = two(&store, other);
        let ordinary = Acting::caller(&store, other);
        let impersonated = Acting {
            user: other,
            ..administrator
        };
        for acting in [ordinary, impersonated] {
            let seen = visible(&store, &acting, &exact, false, Switches::none()).unwrap();
            assert_eq!(seen, Visible::Own);
        }
    }

    #[test]
    fn a_user_without_the_privilege_cannot_read_at_all() {
        let (store, ..) = fixture();
        let person = store
            .people
            .iter()
            .position(|it| it.kind == UserKind::NoFilterRights);
        let acting = Acting::caller(&store, person.unwrap());
        let refused = visible(
            &store,
            &acting,
            &Conditions::default(),
            false,
            Switches::none(),
        );
        let error = refused.unwrap_err();
        assert_eq!(error.code, "0x80040220");
        assert!(
            error
                .message
                .contains("is missing prvReadUserQuery privilege")
        );
    }

    #[test]
    fn writing_another_users_filter_needs_impersonation_unless_switched() {
        let (store, administrator, other) = fixture();
        let filter = store
            .filters_of(other)
            .find(|it| it.query_type == 256)
            .unwrap();
        let write = |acting: &Acting, switches| {
            may_write(&store, acting, filter, Privilege::WriteUserQuery, switches)
        };
        assert_eq!(
            write(&administrator, Switches::none()).unwrap_err().code,
            "0x80048306"
        );
        let switched = Switches::none().with(Switch::AdminWritesOthers);
        assert!(write(&administrator, switched).is_ok());
        let impersonated = Acting {
            user: other,
            ..administrator
        };
        assert!(write(&impersonated, Switches::none()).is_ok());
    }

    #[test]
    fn a_reader_cannot_write_even_own_filters() {
        let (store, ..) = fixture();
        let person = store
            .people
            .iter()
            .position(|it| it.kind == UserKind::ReadOnlyFilters);
        let acting = Acting::caller(&store, person.unwrap());
        let filter = store.filters_of(acting.user).next().unwrap();
        let refused = may_write(
            &store,
            &acting,
            filter,
            Privilege::WriteUserQuery,
            Switches::none(),
        );
        assert!(refused.unwrap_err().message.contains("prvWriteUserQuery"));
    }
}
