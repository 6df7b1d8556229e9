//! Which columns of sync filters are asked for.

use crate::model::{FilterKind, UserId};

use super::rows::FILTER_COLUMNS;

/// The columns of sync filters to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// Those that are needed.
    Needed,
    /// Those, and what each filter selects: `fetchxml`.
    WithQueries,
    /// All, with the large ones: for servers on which a choice of columns breaks the administrator's query.
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
