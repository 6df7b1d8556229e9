//! Which mailboxes synchronise, and by what.

use std::collections::HashSet;

use crate::model::UserId;

use super::error::Error;
use super::reader::Reader;

/// By what a user's mailbox synchronises appointments, contacts and tasks (Microsoft: `mailbox` table reference,
/// `actdeliverymethod`: 0 Dynamics 365 for Outlook, 1 server-side synchronisation, 2 none).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailboxMethod {
    /// Server-side synchronisation, enabled for the mailbox.
    ServerSide,
    /// Dynamics 365 for Outlook, the add-in, which reads the same filters. Whether it is installed, the server does
    /// not say.
    OutlookClient,
    /// Nothing: no mailbox, the method None, or server-side synchronisation that was never enabled.
    Nothing,
}

impl MailboxMethod {
    /// Every method.
    pub const ALL: [Self; 3] = [Self::ServerSide, Self::OutlookClient, Self::Nothing];

    /// The condition over `systemusers` that holds for those users; together they hold for every user whose method is
    /// one of the documented ones, and no two for the same user.
    pub const fn condition(self) -> &'static str {
        match self {
            Self::ServerSide => {
                "defaultmailbox/actdeliverymethod eq 1 and defaultmailbox/enabledforact eq true"
            }
            Self::OutlookClient => "defaultmailbox/actdeliverymethod eq 0",
            Self::Nothing => {
                "_defaultmailbox_value eq null or defaultmailbox/actdeliverymethod eq 2 or \
                 (defaultmailbox/actdeliverymethod eq 1 and defaultmailbox/enabledforact ne true)"
            }
        }
    }
}

impl Reader {
    /// How many enabled people have a mailbox of a method; one request for every 5,000 of them.
    pub async fn mailboxes(&self, method: MailboxMethod) -> Result<usize, Error> {
        let mut users: HashSet<UserId> = HashSet::new();
        // Access mode 0: people who read and write, and no accounts of programs or of support.
        let condition = format!(
            "isdisabled eq false and accessmode eq 0 and ({})",
            method.condition()
        );
        self.users_where(&condition, &mut users).await?;
        Ok(users.len())
    }
}
