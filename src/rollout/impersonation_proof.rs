//! What was proved about impersonation at a server.

use crate::dataverse::{self, Impersonated, Reader};
use crate::model::UserId;

/// The proof for this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ImpersonationProof {
    /// WhoAmI names the impersonated user.
    WhoAmI,
    /// WhoAmI names the caller; a query for the current user finds the impersonated user.
    CurrentUser,
    /// The caller is the only user: nobody is impersonated.
    OnlyOurselves,
}

impl ImpersonationProof {
    /// The user as whom the server acts while this user is impersonated.
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
