//! Whether the filter types that were asked for can occur: a type that is misspelt matches nothing, and nothing is
//! then out of line.

use std::collections::BTreeSet;

use crate::dataverse::{Error, Reader};
use crate::model::{CALENDAR_TYPES, FilterType};
use crate::plan::{Criteria, GroupMismatch, find_name};

use super::RolloutError;

const WHAT: &str = "filter type";

/// Looks up the types that the criteria name. The three calendar types need no look-up; other types are those of the
/// tables of this organisation, and of the filters that it has.
///
/// # Errors
/// [`RolloutError::Groups`] with each type that is none of these, and the one that comes nearest. Where the server does
/// not tell its tables, a type is refused unless some filter has it: a type that is misspelt matches nothing, and all
/// would look well.
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
    // Every type of a filter is a table: where the tables are known, it does not matter that this fails.
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

/// The types that the server names.
enum TypesRead {
    Known(BTreeSet<FilterType>),
    /// Why they cannot be read. The run can do without them.
    Unknown(String),
}

impl TypesRead {
    /// Passes on only what ends the run.
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
