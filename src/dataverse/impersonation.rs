//! Acting as a user, with the right id in the right header.

use http::{HeaderName, HeaderValue};

use crate::model::{ObjectId, ServerVersion, User, UserId};

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

/// The header that makes the server act as this user.
///
/// `CallerObjectId` with the Entra object id; `MSCRMCallerID` with the `systemuserid` where there is no
/// object id (on-premises) or where the server is older than version 9 and knows no other (Microsoft:
/// "Impersonate another user using the Web API"). An id in the wrong header is ignored silently.
pub(super) fn impersonation_header(
    who: &Impersonated,
    version: ServerVersion,
) -> (HeaderName, HeaderValue) {
    let (name, id) = match who.object_id {
        Some(object_id) if version.is_nine() => ("callerobjectid", object_id.0),
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

    #[test]
    fn the_object_id_and_the_user_id_never_change_places() {
        let user_id = UserId(Uuid::from_u128(1));
        let object_id = ObjectId(Uuid::from_u128(2));
        for (object, version, name, id) in [
            (Some(object_id), NINE, "callerobjectid", object_id.0),
            (None, NINE, "mscrmcallerid", user_id.0),
            (Some(object_id), EIGHT, "mscrmcallerid", user_id.0),
            (None, EIGHT, "mscrmcallerid", user_id.0),
        ] {
            let who = Impersonated {
                id: user_id,
                object_id: object,
            };
            let (header, value) = impersonation_header(&who, version);
            assert_eq!(header.as_str(), name);
            assert_eq!(value.to_str().unwrap(), id.to_string());
        }
    }
}
