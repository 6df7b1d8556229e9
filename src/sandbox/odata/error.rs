//! Why a query is refused.

/// The code of every error in a request itself: its path, its method, its query, its media type.
pub(crate) const REQUEST: &str = "0x80060888";
/// `TooManyConditionsInQuery`.
const TOO_MANY_CONDITIONS: &str = "0x8004430C";

/// A refusal: the status, code and message of the error body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct QueryError {
    /// The HTTP status.
    pub status: u16,
    /// `error.code`.
    pub code: &'static str,
    /// `error.message`.
    pub message: String,
}

impl QueryError {
    /// An error in the query, in the words of the platform.
    pub(super) fn query(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code: REQUEST,
            message: message.into(),
        }
    }

    /// A column or navigation property that the table does not have.
    pub(super) fn no_property(name: &str, logical_name: &str) -> Self {
        Self::query(format!(
            "Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{logical_name}'."
        ))
    }

    /// A syntax error; `position` is in characters from the start of `text`.
    pub(super) fn syntax(position: usize, text: &str) -> Self {
        Self::query(format!("Syntax error at position {position} in '{text}'."))
    }

    /// Operands that cannot be compared. `left` and `right` are type names, `operator` is `Equal` and its like.
    pub(super) fn incompatible(left: &str, right: &str, operator: &str) -> Self {
        Self::query(format!(
            "A binary operator with incompatible types was detected. Found operand types '{left}' and \
             '{right}' for operator kind '{operator}'."
        ))
    }

    /// More conditions than the platform allows (Microsoft: "Filter rows using OData", Condition limits).
    pub(super) fn too_many_conditions() -> Self {
        Self {
            status: 400,
            code: TOO_MANY_CONDITIONS,
            message: "Number of conditions in query exceeded maximum limit.".to_owned(),
        }
    }

    /// A `$skiptoken` that differs from what the server writes.
    pub(super) fn cookie() -> Self {
        Self::query("Malformed XML in the Paging Cookie")
    }
}
