//! Whether the filter types that were asked for can occur: a type that is misspelt matches nothing, and nothing is
//! then out of line.

use crate::dataverse::Reader;
use crate::model::{CALENDAR_TYPES, FilterType};
use crate::plan::{Criteria, GroupMismatch, find_name};

use super::RolloutError;

/// Looks up the types that the criteria name. The three calendar types need no look-up; other types are those of the
/// tables of this organisation, and of the filters that it has.
///
/// # Errors
/// [`RolloutError::Groups`] with each type that is none of these, and the one that comes nearest. Where the server
/// does not tell its tables, no type is refused.
pub async fn check_types(reader: &Reader, criteria: &Criteria) -> Result<(), RolloutError> {
    let calendar = CALENDAR_TYPES.map(FilterType::new);
    let mut unknown: Vec<_> = criteria.types().cloned().collect();
    unknown.retain(|wanted| !calendar.contains(wanted));
    if unknown.is_empty() {
        return Ok(());
    }
    let mut known = match reader.tables().await {
        Ok(tables) => tables,
        Err(error) if error.is_fatal() => return Err(error.into()),
        Err(_) => return Ok(()),
    };
    unknown.retain(|wanted| !known.contains(wanted));
    if unknown.is_empty() {
        return Ok(());
    }
    match reader.types_of_filters().await {
        Ok(types) => known.extend(types),
        Err(error) if error.is_fatal() => return Err(error.into()),
        // Every type of a filter is a table, and the tables are known.
        Err(_) => {}
    }
    unknown.retain(|wanted| !known.contains(wanted));
    known.extend(calendar);
    known.insert(FilterType::new("all"));
    let mismatches: Vec<_> = unknown
        .iter()
        .map(|wanted| GroupMismatch::Unknown {
            flag: "--type",
            what: "filter type",
            name: wanted.to_string(),
            nearest: find_name(wanted.as_str(), known.iter().map(FilterType::as_str))
                .err()
                .flatten(),
        })
        .collect();
    if mismatches.is_empty() {
        return Ok(());
    }
    Err(RolloutError::Groups(mismatches))
}
