//! Which columns of sync filters are requested.

use crate::model::{FilterKind, UserId};

use super::rows::FILTER_COLUMNS;

/// The columns of sync filters to request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// The columns that a run needs.
    Needed,
    /// Also `fetchxml`, which says what each filter selects.
    WithQueries,
    /// All columns, including large ones: for servers where `$select` breaks the administrator's query.
    All,
}

impl Columns {
    /// The query for one user's filters of one kind.
    pub(super) fn query_of(self, user: UserId, kind: FilterKind) -> String {
        let select = match self {
            Self::Needed => format!("$select={FILTER_COLUMNS}&"),
            Self::WithQueries => format!("$select={FILTER_COLUMNS},fetchxml&"),
            Self::All => String::new(),
        };
        let kind = kind.code();
        format!("{select}$filter=querytype eq {kind} and _ownerid_value eq {user}")
    }
}
