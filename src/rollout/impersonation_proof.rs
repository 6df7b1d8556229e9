//! What was proved of impersonation at a server.

use crate::dataverse::{self, Impersonated, Reader};
use crate::model::UserId;

/// What the proof has shown of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ImpersonationProof {
    /// WhoAmI says whom we act as.
    WhoAmI,
    /// WhoAmI says who signed in; a query for the current user says whom we act as.
    CurrentUser,
    /// The caller is the only user there is: nobody is impersonated.
    OnlyOurselves,
}

impl ImpersonationProof {
    /// Whom the server takes us for while we act as this user.
    pub(super) async fn acting_as(
        self,
        reader: &Reader,
        who: &Impersonated,
    ) -> Result<UserId, dataverse::Error> {
        match self {
            Self::WhoAmI => reader.who_am_i_as(who).await,
            Self::CurrentUser => {
                let user = reader.current_user_as(who).await?;
                Ok(user.unwrap_or(reader.identity().caller.id))
            }
            Self::OnlyOurselves => Ok(who.id),
        }
    }
}
