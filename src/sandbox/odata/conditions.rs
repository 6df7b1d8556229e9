//! Whether a query is the one that shows an administrator the filters of somebody else.

use uuid::Uuid;

/// What a query asks for, as far as the rule about other users' filters is concerned.
///
/// The platform shows them only where the conditions are exactly the type (Outlook 256 or offline 16)
/// and the owner: "If any other conditions are added to the query, this will not work"
/// (Microsoft: "Offline and Outlook filters and templates"). Whether `$select`, `$orderby`, `$top` and
/// paging break it is not documented, so they are told apart here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent fact of one query"
)]
pub(crate) struct Conditions {
    /// The number in `querytype eq <number>`, where that is one of the conditions that must all hold.
    pub query_type: Option<i64>,
    /// The id in `_ownerid_value eq <id>`, where that is one of the conditions that must all hold.
    pub owner: Option<Uuid>,
    /// Whether there is any condition besides those two.
    pub further: bool,
    /// Whether `$select` was given.
    pub select: bool,
    /// Whether `$expand` was given.
    pub expand: bool,
    /// Whether `$orderby` was given.
    pub orderby: bool,
    /// Whether `$top` was given.
    pub top: bool,
    /// Whether `$skiptoken` was given.
    pub paging: bool,
    /// Whether `$count=true` was given.
    pub count: bool,
}

impl Conditions {
    /// The type and owner, where the conditions are exactly those two and the type is one of sync filters.
    pub(crate) fn administrator(&self) -> Option<(i64, Uuid)> {
        let query_type = self.query_type.filter(|t| matches!(t, 16 | 256))?;
        self.owner
            .filter(|_| !self.further)
            .map(|owner| (query_type, owner))
    }
}
