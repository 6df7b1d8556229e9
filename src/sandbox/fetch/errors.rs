//! Refusals of a `FetchXML` query.
//!
//! The codes for an unknown column (seen in answers of the service), an unknown table, invalid XML and
//! the aggregate limit are those of the platform; other errors are reported as an invalid argument.

use http::StatusCode;

use crate::errors::ApiError;
use crate::tables::TableOf;

/// The most rows that an aggregate may run over (Microsoft: "Aggregate data using `FetchXml`").
pub(super) const AGGREGATE_LIMIT: usize = 50_000;

fn refusal(code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, code, message)
}

pub(super) fn invalid_xml() -> ApiError {
    refusal("0x80040201", "Invalid XML.")
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    refusal("0x80040203", message)
}

pub(super) fn unknown_table(name: &str) -> ApiError {
    refusal(
        "0x80041102",
        format!(
            "The entity with a name = '{name}' with namemapping = 'Logical' was not found in the MetadataCache."
        ),
    )
}

pub(super) fn unknown_attribute(table: TableOf, name: &str) -> ApiError {
    refusal(
        "0x80041103",
        format!(
            "'{}' entity doesn't contain attribute with Name = '{name}' and NameMapping = 'Logical' (look up attribute by name is case-sensitive).",
            table.kind.schema_name()
        ),
    )
}

pub(super) fn child(name: &str, valid: &str) -> ApiError {
    invalid(format!(
        "Invalid Child Node, valid nodes are {valid}. NodeName = {name}"
    ))
}

pub(super) fn other_table(set: &str, name: &str) -> ApiError {
    ApiError::bad_request(format!(
        "The entity '{name}' of the query is not the entity of the set '{set}'."
    ))
}

/// `AggregateQueryRecordLimit`.
pub(super) fn too_many_rows() -> ApiError {
    refusal(
        "0x8004E023",
        "The maximum record limit is exceeded. Reduce the number of records.",
    )
}
