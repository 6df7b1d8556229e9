//! Converts the basic types to columns and back.

use std::fmt;

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::Type;
use uuid::Uuid;

use crate::model::{
    FilterId, FilterType, Modification, ObjectId, State, StateAndStatus, Status, UnitId, UserId,
};

pub(super) fn blob(id: Uuid) -> [u8; 16] {
    id.into_bytes()
}

/// The part of a text from elsewhere that is stored: only what can be read again.
pub(super) fn kept(text: &str, most: usize) -> &str {
    let end = text.char_indices().nth(most).map(|(at, _)| at);
    &text[..end.unwrap_or(text.len())]
}

fn id(row: &Row<'_>, at: usize) -> rusqlite::Result<Uuid> {
    row.get::<_, [u8; 16]>(at).map(Uuid::from_bytes)
}

pub(super) fn user_id(row: &Row<'_>, at: usize) -> rusqlite::Result<UserId> {
    id(row, at).map(UserId)
}

pub(super) fn filter_id(row: &Row<'_>, at: usize) -> rusqlite::Result<FilterId> {
    id(row, at).map(FilterId)
}

pub(super) fn object_id(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<ObjectId>> {
    let bytes = row.get::<_, Option<[u8; 16]>>(at)?;
    Ok(bytes.map(|b| ObjectId(Uuid::from_bytes(b))))
}

pub(super) fn unit_id(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<UnitId>> {
    let bytes = row.get::<_, Option<[u8; 16]>>(at)?;
    Ok(bytes.map(|b| UnitId(Uuid::from_bytes(b))))
}

/// A filter type; empty where the filter no longer exists.
pub(super) fn filter_type(row: &Row<'_>, at: usize) -> rusqlite::Result<FilterType> {
    Ok(FilterType::new(row.get_ref(at)?.as_str()?))
}

/// A business unit from its id and its name, in two adjacent columns: its name, else its id; none
/// where the unit is not known.
pub(super) fn unit_name(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<String>> {
    let name = row.get::<_, Option<String>>(at + 1)?;
    Ok(match name.filter(|name| !name.is_empty()) {
        Some(name) => Some(name),
        None => unit_id(row, at)?.map(|id| id.to_string()),
    })
}

/// Time, author and caller of the last change, from three adjacent columns.
pub(super) fn modification(row: &Row<'_>, at: usize) -> rusqlite::Result<Modification> {
    let user = |at| {
        let bytes = row.get::<_, Option<[u8; 16]>>(at)?;
        Ok::<_, rusqlite::Error>(bytes.map(|bytes| UserId(Uuid::from_bytes(bytes))))
    };
    let on = row.get::<_, Option<i64>>(at)?;
    Ok(Modification {
        on: on.map(time).transpose()?,
        by: user(at + 1)?,
        on_behalf: user(at + 2)?,
    })
}

/// A time, from milliseconds since 1970 in UTC.
pub(super) fn time(millisecond: i64) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(millisecond).map_err(|error| {
        let why = format!("{millisecond} is no time in milliseconds: {error}");
        rusqlite::Error::FromSqlConversionFailure(0, Type::Integer, why.into())
    })
}

/// The error of a column with an invalid value. It names the column.
pub(super) fn unreadable(at: usize, column: &str, why: impl fmt::Display) -> rusqlite::Error {
    let why = format!("{column}: {why}");
    rusqlite::Error::FromSqlConversionFailure(at, Type::Text, why.into())
}

/// The error of a code that no version of this format writes.
pub(super) fn unknown(at: usize, code: &str) -> rusqlite::Error {
    let why = format!("`{}` is no code of this format", code.escape_debug());
    rusqlite::Error::FromSqlConversionFailure(at, Type::Text, why.into())
}

/// State and status, from two adjacent columns.
pub(super) fn state_and_status(row: &Row<'_>, at: usize) -> rusqlite::Result<StateAndStatus> {
    let code = row.get::<_, i32>(at)?;
    let state = State::try_from(code).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(at, Type::Integer, Box::new(error))
    })?;
    Ok(StateAndStatus {
        state,
        status: Status(row.get(at + 1)?),
    })
}
