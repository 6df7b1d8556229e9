//! Which mailboxes synchronise, and how.

use std::collections::HashSet;

use crate::model::UserId;

use super::error::Error;
use super::reader::Reader;

/// How a user's mailbox synchronises appointments, contacts and tasks (Microsoft: `mailbox` table reference,
/// `actdeliverymethod`: 0 Dynamics 365 for Outlook, 1 server-side synchronisation, 2 none).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailboxMethod {
    /// Server-side synchronisation, enabled for the mailbox.
    ServerSide,
    /// Dynamics 365 for Outlook, the add-in, which reads the same filters. The server does not say whether it is
    /// installed.
    OutlookClient,
    /// Nothing: no mailbox, the method None, or server-side synchronisation that was never enabled.
    Nothing,
}

impl MailboxMethod {
    /// All methods.
    pub const ALL: [Self; 3] = [Self::ServerSide, Self::OutlookClient, Self::Nothing];

    /// The condition over `systemusers` for those users. Each user with a documented method matches exactly
    /// one of the three conditions.
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
    /// How many enabled users have a mailbox with a method. Takes one request for every 5,000 of them.
    pub async fn mailboxes(&self, method: MailboxMethod) -> Result<usize, Error> {
        let mut users: HashSet<UserId> = HashSet::new();
        // Access mode 0: users who read and write, and not the accounts of programs or of support.
        let condition = format!(
            "isdisabled eq false and accessmode eq 0 and ({})",
            method.condition()
        );
        self.users_where(&condition, &mut users).await?;
        Ok(users.len())
    }
}
