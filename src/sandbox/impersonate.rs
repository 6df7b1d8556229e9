//! Derives the user as whom a request runs from its headers: that user, an error, or, silently, the caller.

use http::HeaderMap;
use uuid::Uuid;

use super::errors::ApiError;
use super::rights::{Privilege, Rights};
use super::rows::PersonIndex;
use super::store::Store;
use super::switches::{Switch, Switches};
use super::version::Version;

/// The users of a request, and their rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Acting {
    /// The user who signed in.
    pub(super) caller: PersonIndex,
    /// The user as whom the request runs.
    pub(super) user: PersonIndex,
    /// The rights: with impersonation those that both users have (Microsoft: "Impersonate another user").
    pub(super) rights: Rights,
}

impl Acting {
    /// The caller without impersonation.
    pub(super) fn caller(store: &Store, caller: PersonIndex) -> Self {
        Self {
            caller,
            user: caller,
            rights: store.rights(caller),
        }
    }

    pub(super) fn is_impersonated(&self) -> bool {
        self.caller != self.user
    }

    /// The value for `modifiedonbehalfby`: the real caller, or null when users impersonate themselves.
    pub(super) fn on_behalf(&self) -> Option<PersonIndex> {
        self.is_impersonated().then_some(self.caller)
    }

    /// Refuses if the privilege is missing; the message contains the impersonated user.
    pub(super) fn require(&self, store: &Store, privilege: Privilege) -> Result<(), ApiError> {
        if self.rights.has(privilege) {
            return Ok(());
        }
        Err(ApiError::privilege(
            store.people[self.user].id,
            store.role_count(self.user),
            self.rights.count(),
            privilege,
        ))
    }
}

/// The user in the headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// `CallerObjectId`: the id in the directory.
    ObjectId(Uuid),
    /// `MSCRMCallerID`: `systemuserid`.
    SystemUserId(Uuid),
}

/// `CallerObjectId` has precedence; 8.x does not support it and ignores it.
fn wanted(
    headers: &HeaderMap,
    version: Version,
    switches: Switches,
) -> Result<Option<Wanted>, ApiError> {
    if !version.is_8()
        && !switches.on(Switch::IgnoreCallerObjectId)
        && let Some(id) = id(headers, "CallerObjectId")?
    {
        return Ok(Some(Wanted::ObjectId(id)));
    }
    if switches.on(Switch::IgnoreMscrmCallerId) {
        return Ok(None);
    }
    Ok(id(headers, "MSCRMCallerID")?.map(Wanted::SystemUserId))
}

/// A GUID, with or without braces; an empty header counts as absent.
fn id(headers: &HeaderMap, name: &str) -> Result<Option<Uuid>, ApiError> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or("?").trim();
    if text.is_empty() {
        return Ok(None);
    }
    Uuid::try_parse(text).map(Some).map_err(|_| {
        ApiError::invalid_user(format!(
            "The value '{text}' of the header {name} is not a valid GUID."
        ))
    })
}

/// The user as whom a request with these headers runs.
pub(super) fn acting(
    headers: &HeaderMap,
    store: &Store,
    caller: PersonIndex,
    version: Version,
    switches: Switches,
) -> Result<Acting, ApiError> {
    let alone = Acting::caller(store, caller);
    let Some(wanted) = wanted(headers, version, switches)? else {
        return Ok(alone);
    };
    if switches.on(Switch::DropImpersonation) {
        return Ok(alone);
    }
    let found = match wanted {
        Wanted::ObjectId(id) => store.person_by_object_id(id),
        Wanted::SystemUserId(id) => store.person(id),
    };
    let Some(user) = found else {
        // "The API will ignore it as it does not match a known user and it will use the connection user."
        return if switches.on(Switch::UnknownUserIsError) {
            Err(ApiError::invalid_user("The user id is invalid or missing."))
        } else {
            Ok(alone)
        };
    };
    if user == caller {
        return Ok(alone);
    }
    may_act_on_behalf(store, caller, user, switches)?;
    if switches.on(Switch::DropImpersonationForSome) && is_one_in_ten(store.people[user].id) {
        return Ok(alone);
    }
    admit(store, user, version, switches)?.map_or(Ok(alone), |()| {
        Ok(Acting {
            caller,
            user,
            rights: alone.rights.both(store.rights(user)),
        })
    })
}

/// True for about one id in ten, always the same ones.
pub(super) fn is_one_in_ten(id: Uuid) -> bool {
    id.as_u128() % 10 == 3
}

/// Whether the caller has the privilege; it counts only when assigned directly, not through a team.
fn may_act_on_behalf(
    store: &Store,
    caller: PersonIndex,
    user: PersonIndex,
    switches: Switches,
) -> Result<(), ApiError> {
    let privilege = Privilege::ActOnBehalfOfAnotherUser;
    if store.direct_rights(caller).has(privilege) {
        return Ok(());
    }
    if switches.on(Switch::ActOnBehalfAsMissingPrivilege) {
        let rights = store.rights(user).count();
        let roles = store.role_count(user);
        return Err(ApiError::privilege(
            store.people[user].id,
            roles,
            rights,
            privilege,
        ));
    }
    Err(ApiError::act_on_behalf())
}

/// Whether this user can be impersonated; `None` ignores the impersonation silently.
fn admit(
    store: &Store,
    user: PersonIndex,
    version: Version,
    switches: Switches,
) -> Result<Option<()>, ApiError> {
    let person = &store.people[user];
    if person.disabled {
        let dropped = version.is_8() || switches.on(Switch::DisabledUserIsDropped);
        return if dropped {
            Ok(None)
        } else {
            Err(ApiError::disabled(
                person.id,
                store.organization.unique_name,
            ))
        };
    }
    if switches.on(Switch::SpecialUsersRefused) && person.is_special() {
        return Err(ApiError::invalid_user(format!(
            "The user (Id = {}) cannot be impersonated.",
            person.id
        )));
    }
    if store.role_count(user) == 0 {
        return Err(ApiError::no_roles(person.id));
    }
    // Administrative, non-interactive and application users need no licence; on-premises there are no licences.
    let needs_license = !version.is_8() && person.application_id.is_none();
    if needs_license && matches!(person.access_mode, 0 | 2) && !person.licensed {
        return Err(ApiError::no_license(person.id));
    }
    Ok(Some(()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::generate;
    use crate::rows::{UserKind, UserRecord};

    fn header(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    fn somebody(store: &Store, kind: UserKind) -> &UserRecord {
        store.people.iter().find(|it| it.kind == kind).unwrap()
    }

    fn by_id(
        store: &Store,
        id: Uuid,
        version: Version,
        switches: &str,
    ) -> Result<Acting, ApiError> {
        acting(
            &header("MSCRMCallerID", &id.to_string()),
            store,
            store.administrator,
            version,
            Switches::parse(switches).unwrap(),
        )
    }

    #[test]
    fn either_header_names_the_user_with_the_rights_of_both() {
        let store = generate(40, 1);
        let person = somebody(&store, UserKind::Ordinary);
        let object_id = person.object_id.unwrap().to_string();
        let index = store.person(person.id).unwrap();
        for headers in [
            header("CallerObjectId", &object_id),
            header("CallerObjectId", &format!("{{{object_id}}}")),
            header("MSCRMCallerID", &person.id.to_string()),
        ] {
            let acting = acting(&headers, &store, 0, Version::V9_2, Switches::none()).unwrap();
            assert_eq!(acting.user, index);
            assert_eq!(acting.on_behalf(), Some(0));
            assert!(!acting.rights.has(Privilege::AdminFilter));
        }
    }

    #[test]
    fn the_wrong_kind_of_id_runs_as_the_caller_silently() {
        let store = generate(40, 1);
        let object_id = somebody(&store, UserKind::Ordinary).object_id.unwrap();
        let acting = by_id(&store, object_id, Version::V9_2, "").unwrap();
        assert!(!acting.is_impersonated());
        let refused = by_id(&store, object_id, Version::V9_2, "unknown-user-is-error");
        assert_eq!(refused.unwrap_err().code, "0x80040207");
    }

    #[test]
    fn older_servers_do_not_know_object_ids() {
        let store = generate(40, 1);
        let object_id = somebody(&store, UserKind::Ordinary).object_id.unwrap();
        let headers = header("CallerObjectId", &object_id.to_string());
        let acting = acting(&headers, &store, 0, Version::V8_2, Switches::none()).unwrap();
        assert!(!acting.is_impersonated());
    }

    #[test]
    fn a_value_that_is_no_id_is_refused() {
        let store = generate(5, 1);
        let headers = header("CallerObjectId", "anna@contoso.example");
        let error = acting(&headers, &store, 0, Version::V9_2, Switches::none()).unwrap_err();
        assert_eq!(error.status, 400);
    }

    #[test]
    fn a_disabled_user_is_refused_by_9_and_dropped_by_8() {
        let store = generate(40, 1);
        let id = somebody(&store, UserKind::Disabled).id;
        let error = by_id(&store, id, Version::V9_2, "").unwrap_err();
        assert!(error.message.contains("is disabled"));
        assert!(
            !by_id(&store, id, Version::V8_2, "")
                .unwrap()
                .is_impersonated()
        );
        let dropped = by_id(&store, id, Version::V9_2, "disabled-user-is-dropped").unwrap();
        assert!(!dropped.is_impersonated());
    }

    #[test]
    fn missing_roles_and_licences_are_told_apart() {
        let store = generate(40, 1);
        for (kind, code) in [
            (UserKind::NoRole, "0x80042f09"),
            (UserKind::Stub, "0x80042f09"),
            (UserKind::Unlicensed, "0x8004D24B"),
        ] {
            let error = by_id(&store, somebody(&store, kind).id, Version::V9_2, "");
            assert_eq!(error.unwrap_err().code, code, "{kind:?}");
        }
        let unlicensed = somebody(&store, UserKind::Unlicensed).id;
        assert!(by_id(&store, unlicensed, Version::V8_2, "").is_ok());
        let through_team = somebody(&store, UserKind::TeamRoleOnly).id;
        assert!(by_id(&store, through_team, Version::V9_2, "").is_ok());
    }

    #[test]
    fn a_caller_without_the_privilege_is_refused() {
        let store = generate(40, 1);
        let other = somebody(&store, UserKind::Ordinary).id;
        let plain = store
            .person(somebody(&store, UserKind::ManyFilters).id)
            .unwrap();
        let headers = header("MSCRMCallerID", &other.to_string());
        let refused =
            |switches| acting(&headers, &store, plain, Version::V9_2, switches).unwrap_err();
        assert_eq!(refused(Switches::none()).code, "0x8004A110");
        let refusal = refused(Switches::none().with(Switch::ActOnBehalfAsMissingPrivilege));
        assert!(refusal.message.contains(&other.to_string()));
    }

    #[test]
    fn the_switch_drops_every_impersonation() {
        let store = generate(40, 1);
        let id = somebody(&store, UserKind::Ordinary).id;
        assert!(
            !by_id(&store, id, Version::V9_2, "drop-impersonation")
                .unwrap()
                .is_impersonated()
        );
    }
}
