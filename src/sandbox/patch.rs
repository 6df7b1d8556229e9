//! Applies changes to a row, or refuses them.

use http::StatusCode;

use super::changes::Changes;
use super::errors::ApiError;
use super::rows::{FilterRecord, ViewRecord, is_sync_filter};
use super::switches::{Switch, Switches};

/// The statuses of a state, its default first (Microsoft: `userquery` table reference).
fn statuses(logical_name: &str, state: i32) -> Option<&'static [i32]> {
    match (logical_name, state) {
        ("userquery", 0) => Some(&[1, 3]),
        (_, 0) => Some(&[1]),
        (_, 1) => Some(&[2]),
        _ => None,
    }
}

/// The state and status that a row has after the changes.
///
/// A state without a status takes the default of that state, also when the state stays as it is.
fn next_state(
    logical_name: &str,
    now: (i32, Option<i32>),
    changes: &Changes,
    switches: Switches,
) -> Result<(i32, Option<i32>), ApiError> {
    let state = changes.state.unwrap_or(now.0);
    let Some(statuses) = statuses(logical_name, state) else {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "0x80043af9",
            "The state is not valid for this object.",
        ));
    };
    let status = match (changes.status, changes.state) {
        (Some(Some(status)), _) => {
            if !statuses.contains(&status) {
                return Err(ApiError::new(
                    StatusCode::BAD_REQUEST,
                    "0x80048408",
                    format!(
                        "{status} is not a valid status code for state code {state} on {logical_name}."
                    ),
                ));
            }
            Some(status)
        }
        (Some(None), _) if switches.on(Switch::RefuseNullStatus) => {
            return Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "0x80040203",
                "Attribute: statuscode cannot be set to NULL",
            ));
        }
        (Some(None), _) => None,
        (None, Some(_)) => statuses.first().copied(),
        (None, None) => now.1,
    };
    Ok((state, status))
}

/// A filter with the changes applied. The caller sets version, time and author.
pub(super) fn patch_filter(
    filter: &FilterRecord,
    changes: &Changes,
    switches: Switches,
) -> Result<FilterRecord, ApiError> {
    if changes.owner.is_some() && filter.is_sync_filter() {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "0x80040264",
            "Outlook filters cannot be assigned to another user.",
        ));
    }
    let frozen = filter.state == 1 && switches.on(Switch::InactiveRowsReadOnly);
    if frozen && changes.state != Some(0) && changes.beyond_state() {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "0x80040230",
            "The object cannot be updated because it is inactive.",
        ));
    }
    if switches.on(Switch::RefuseStateInPatch) && (changes.state, changes.status) != (None, None) {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "0x80040216",
            "The state of this object cannot be changed by an update.",
        ));
    }
    if switches.on(Switch::RefuseOmittedStatus)
        && changes.state.is_some()
        && changes.status.is_none()
    {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "0x80048408",
            "A state needs a status.",
        ));
    }
    let mut filter = filter.clone();
    let now = (filter.state, filter.status);
    (filter.state, filter.status) = next_state("userquery", now, changes, switches)?;
    if let Some(name) = &changes.name {
        filter.name = name.as_str().into();
    }
    if let Some(description) = &changes.description {
        filter.description = description.as_deref().map(Into::into);
    }
    if let Some(fetch_xml) = &changes.fetch_xml {
        filter.fetch_xml = fetch_xml.as_str().into();
    }
    if let Some(table) = &changes.table {
        filter.table = table.as_str().into();
    }
    if let Some(query_type) = changes.query_type {
        filter.query_type = query_type;
    }
    Ok(filter)
}

/// A view with the changes applied.
pub(super) fn patch_view(
    view: &ViewRecord,
    changes: &Changes,
    switches: Switches,
) -> Result<ViewRecord, ApiError> {
    if switches.on(Switch::TemplateHalvesApart)
        && changes.is_default.is_some()
        && changes.state.is_some()
    {
        return Err(default_and_inactive());
    }
    let mut view = view.clone();
    let now = (view.state, view.status);
    (view.state, view.status) = next_state("savedquery", now, changes, switches)?;
    if switches.on(Switch::TemplateStaysActive) && now.0 == 0 && view.state == 1 {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "0x80040265",
            "A plug-in keeps this view active.",
        ));
    }
    if let Some(name) = &changes.name {
        view.name.clone_from(name);
    }
    if let Some(fetch_xml) = &changes.fetch_xml {
        view.fetch_xml = fetch_xml.as_str().into();
    }
    view.is_default = changes.is_default.unwrap_or(view.is_default);
    if view.is_default && view.state == 1 {
        return Err(default_and_inactive());
    }
    Ok(view)
}

/// `CannotSetInactiveViewAsDefault` (Microsoft's list of web service error codes).
fn default_and_inactive() -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "0x8004027b",
        "The default view cannot be deactivated.",
    )
}

/// Whether users may create a row of this type: Outlook filters are made from templates only.
pub(super) fn may_create(query_type: i32) -> Result<(), ApiError> {
    if is_sync_filter(query_type) {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "0x80040263",
            "Outlook filters cannot be created through this request.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::generate;

    fn filter() -> FilterRecord {
        let store = generate(30, 1);
        let found = store
            .filters()
            .find(|it| it.query_type == 256 && it.status == Some(1));
        found.cloned().unwrap()
    }

    #[expect(
        clippy::option_option,
        reason = "absent and null are different things in a write"
    )]
    fn to(state: i32, status: Option<Option<i32>>) -> Changes {
        Changes {
            state: Some(state),
            status,
            ..Changes::default()
        }
    }

    fn after(changes: &Changes, switches: Switches) -> Result<(i32, Option<i32>), &'static str> {
        let patched = patch_filter(&filter(), changes, switches).map_err(|it| it.code)?;
        Ok((patched.state, patched.status))
    }

    #[test]
    fn states_and_statuses_are_set_in_pairs() {
        let none = Switches::none();
        assert_eq!(after(&to(1, Some(Some(2))), none), Ok((1, Some(2))));
        assert_eq!(after(&to(0, Some(Some(3))), none), Ok((0, Some(3))));
        assert_eq!(after(&to(1, None), none), Ok((1, Some(2))));
        assert_eq!(after(&to(1, Some(Some(1))), none), Err("0x80048408"));
        assert_eq!(after(&to(0, Some(Some(-1))), none), Err("0x80048408"));
        assert_eq!(after(&to(7, None), none), Err("0x80043af9"));
    }

    #[test]
    fn a_null_status_is_accepted_unless_switched() {
        let refuse = Switches::none().with(Switch::RefuseNullStatus);
        assert_eq!(after(&to(0, Some(None)), Switches::none()), Ok((0, None)));
        assert_eq!(after(&to(0, Some(None)), refuse), Err("0x80040203"));
    }

    #[test]
    fn sync_filters_cannot_be_assigned_or_created() {
        let changes = Changes {
            owner: Some(uuid::Uuid::from_u128(1)),
            ..Changes::default()
        };
        assert_eq!(after(&changes, Switches::none()), Err("0x80040264"));
        assert_eq!(may_create(256).unwrap_err().code, "0x80040263");
        assert!(may_create(0).is_ok());
    }

    #[test]
    fn an_inactive_row_is_read_only_where_switched() {
        let mut inactive = filter();
        (inactive.state, inactive.status) = (1, Some(2));
        let rename = Changes {
            name: Some("x".to_owned()),
            ..Changes::default()
        };
        let strict = Switches::none().with(Switch::InactiveRowsReadOnly);
        assert!(patch_filter(&inactive, &rename, Switches::none()).is_ok());
        assert_eq!(
            patch_filter(&inactive, &rename, strict).unwrap_err().code,
            "0x80040230"
        );
        assert!(patch_filter(&inactive, &to(0, None), strict).is_ok());
    }

    #[test]
    fn a_default_template_cannot_be_inactive() {
        let store = generate(5, 1);
        let view = store.views.iter().find(|it| it.is_default).unwrap();
        let inactive = to(1, Some(Some(2)));
        assert_eq!(
            patch_view(view, &inactive, Switches::none())
                .unwrap_err()
                .code,
            "0x8004027b"
        );
        let both = Changes {
            is_default: Some(false),
            ..inactive
        };
        let done = patch_view(view, &both, Switches::none()).unwrap();
        assert_eq!((done.is_default, done.state), (false, 1));
        let default = Changes {
            is_default: Some(true),
            ..Changes::default()
        };
        let code = |changes, switches| patch_view(&done, changes, switches).unwrap_err().code;
        assert_eq!(code(&default, Switches::none()), "0x8004027b");
        let apart = Switches::none().with(Switch::TemplateHalvesApart);
        assert_eq!(code(&both, apart), "0x8004027b");
    }
}
