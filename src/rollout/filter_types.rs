//! Whether the requested filter types can exist: a misspelt type matches nothing, and then the environment would
//! seem to be in order.

use std::collections::BTreeSet;

use crate::dataverse::{Error, Reader};
use crate::model::{CALENDAR_TYPES, FilterType};
use crate::plan::{Criteria, GroupMismatch, find_name};

use super::RolloutError;

const WHAT: &str = "filter type";

/// Looks up the types in the criteria. The three calendar types need no request; other types have to be
/// tables of this organisation, or types of its filters.
///
/// # Errors
/// [`RolloutError::Groups`] with each unknown type and the most similar known one. Where the server does
/// not list its tables, a type is refused unless a filter has it: a misspelt type matches nothing, and everything
/// would seem to be in order.
pub async fn check_types(reader: &Reader, criteria: &Criteria) -> Result<(), RolloutError> {
    let calendar = CALENDAR_TYPES.map(FilterType::new);
    let mut unknown: Vec<_> = criteria.types().cloned().collect();
    unknown.retain(|wanted| !calendar.contains(wanted));
    if unknown.is_empty() {
        return Ok(());
    }
    let tables = TypesRead::of(reader.tables().await)?;
    let mut known = tables.types();
    unknown.retain(|wanted| !known.contains(wanted));
    if unknown.is_empty() {
        return Ok(());
    }
    // Every type of a filter is a table, so a failure does not matter where the tables are known.
    known.extend(TypesRead::of(reader.types_of_filters().await)?.types());
    unknown.retain(|wanted| !known.contains(wanted));
    if unknown.is_empty() {
        return Ok(());
    }
    known.extend(calendar);
    known.insert(FilterType::new("all"));
    let mismatch = |wanted: &FilterType| match &tables {
        TypesRead::Known(_) => GroupMismatch::Unknown {
            what: WHAT,
            name: wanted.to_string(),
            nearest: find_name(wanted.as_str(), known.iter().map(FilterType::as_str))
                .err()
                .flatten(),
        },
        TypesRead::Unknown(says) => GroupMismatch::Unchecked {
            what: WHAT,
            name: wanted.to_string(),
            says: says.clone(),
        },
    };
    Err(RolloutError::Groups(unknown.iter().map(mismatch).collect()))
}

/// The types in the server's answer.
enum TypesRead {
    Known(BTreeSet<FilterType>),
    /// Why they cannot be read, which does not end the run.
    Unknown(String),
}

impl TypesRead {
    /// Returns only errors that end the run.
    fn of(answer: Result<BTreeSet<FilterType>, Error>) -> Result<Self, Error> {
        match answer {
            Ok(types) => Ok(Self::Known(types)),
            Err(error) if error.is_fatal() => Err(error),
            Err(error) => Ok(Self::Unknown(error.to_string())),
        }
    }

    fn types(&self) -> BTreeSet<FilterType> {
        match self {
            Self::Known(types) => types.clone(),
            Self::Unknown(_) => BTreeSet::new(),
        }
    }
}
