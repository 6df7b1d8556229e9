//! Impersonates users, with the right id in the right header.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{HeaderName, HeaderValue};

use crate::model::{EnvironmentUrl, ObjectId, ServerVersion, User, UserId};

/// The user that a request acts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Impersonated {
    /// `systemuserid`.
    pub id: UserId,
    /// The Entra object id, where the user has one.
    pub object_id: Option<ObjectId>,
}

impl From<&User> for Impersonated {
    fn from(user: &User) -> Self {
        Self {
            id: user.id,
            object_id: user.object_id,
        }
    }
}

/// The header by which requests act as a user (Microsoft: "Impersonate another user using the Web API").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImpersonationHeader {
    /// `CallerObjectId`, with the Entra object id. Not documented for on-premises servers.
    ObjectId,
    /// `MSCRMCallerID`, with the `systemuserid`.
    UserId,
}

impl ImpersonationHeader {
    /// The header's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ObjectId => "CallerObjectId",
            Self::UserId => "MSCRMCallerID",
        }
    }

    /// The header to try first: `MSCRMCallerID` on on-premises servers.
    pub fn first_choice(
        environment: &EnvironmentUrl,
        signed_in_on_premises: bool,
        version: ServerVersion,
    ) -> Self {
        let known = environment.is_dataverse() || environment.is_this_machine();
        if known && !signed_in_on_premises && version.is_nine() {
            Self::ObjectId
        } else {
            Self::UserId
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::ObjectId => Self::UserId,
            Self::UserId => Self::ObjectId,
        }
    }
}

/// The header that all requests to one environment use for users that have an id for it.
#[derive(Clone, Debug)]
pub(super) struct HeaderInUse(Arc<AtomicBool>);

impl HeaderInUse {
    pub(super) fn new(first: ImpersonationHeader) -> Self {
        Self(Arc::new(AtomicBool::new(
            first == ImpersonationHeader::ObjectId,
        )))
    }

    pub(super) fn get(&self) -> ImpersonationHeader {
        if self.0.load(Ordering::Relaxed) {
            ImpersonationHeader::ObjectId
        } else {
            ImpersonationHeader::UserId
        }
    }

    /// Changes to this header.
    pub(super) fn set(&self, header: ImpersonationHeader) {
        self.0
            .store(header == ImpersonationHeader::ObjectId, Ordering::Relaxed);
    }

    /// Changes to the other header; false where this user has no id for it, or the server is older than version 9
    /// and supports no other.
    pub(super) fn turn(&self, who: &Impersonated, version: ServerVersion) -> bool {
        if who.object_id.is_none() || !version.is_nine() {
            return false;
        }
        self.set(self.get().other());
        true
    }
}

/// The header that makes the server act as this user.
///
/// `MSCRMCallerID` replaces `CallerObjectId` where there is no object id. The server ignores an id in the wrong
/// header and reports no error.
pub(super) fn impersonation_header(
    who: &Impersonated,
    header: ImpersonationHeader,
) -> (HeaderName, HeaderValue) {
    let (name, id) = match (header, who.object_id) {
        (ImpersonationHeader::ObjectId, Some(object_id)) => ("callerobjectid", object_id.0),
        _ => ("mscrmcallerid", who.id.0),
    };
    let value = HeaderValue::try_from(id.as_hyphenated().to_string())
        .expect("hexadecimal digits and hyphens can stand in a header");
    (HeaderName::from_static(name), value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const NINE: ServerVersion = ServerVersion { major: 9, minor: 2 };
    const EIGHT: ServerVersion = ServerVersion { major: 8, minor: 2 };

    fn who(object_id: Option<u128>) -> Impersonated {
        Impersonated {
            id: UserId(Uuid::from_u128(1)),
            object_id: object_id.map(|id| ObjectId(Uuid::from_u128(id))),
        }
    }

    #[test]
    fn the_object_id_and_the_user_id_never_change_places() {
        use ImpersonationHeader::{ObjectId as ByObject, UserId as ByUser};
        for (object, header, name, id) in [
            (Some(2), ByObject, "callerobjectid", 2),
            (None, ByObject, "mscrmcallerid", 1),
            (Some(2), ByUser, "mscrmcallerid", 1),
            (None, ByUser, "mscrmcallerid", 1),
        ] {
            let (header, value) = impersonation_header(&who(object), header);
            assert_eq!(header.as_str(), name);
            assert_eq!(value.to_str().unwrap(), Uuid::from_u128(id).to_string());
        }
    }

    #[test]
    fn the_documented_header_of_each_deployment_is_tried_first() {
        use ImpersonationHeader::{ObjectId as ByObject, UserId as ByUser};
        let first = |text: &str, on_premises, version| {
            let environment = text.parse().unwrap();
            ImpersonationHeader::first_choice(&environment, on_premises, version)
        };
        let (online, own) = (
            "https://contoso.crm4.dynamics.com",
            "https://crm.contoso.example/C",
        );
        assert_eq!(first(online, false, NINE), ByObject);
        assert_eq!(first("http://127.0.0.1:80", false, NINE), ByObject);
        assert_eq!(first("http://127.0.0.1:80", true, NINE), ByUser);
        assert_eq!(first(own, false, NINE), ByUser);
        assert_eq!(first(own, true, NINE), ByUser);
        assert_eq!(first(online, false, EIGHT), ByUser);
    }

    #[test]
    fn the_other_header_is_there_only_for_users_with_both_ids() {
        let header = HeaderInUse::new(ImpersonationHeader::ObjectId);
        assert!(!header.turn(&who(None), NINE) && !header.turn(&who(Some(2)), EIGHT));
        assert_eq!(header.get(), ImpersonationHeader::ObjectId);
        assert!(header.turn(&who(Some(2)), NINE));
        assert_eq!(header.get(), ImpersonationHeader::UserId);
    }
}
