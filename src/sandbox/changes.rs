//! Converts the JSON body of a write to changes.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::errors::ApiError;

/// The columns in a body. An inner `None` is a null.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::option_option,
    reason = "absent and null are different things in a write"
)]
pub(super) struct Changes {
    pub(super) name: Option<String>,
    pub(super) description: Option<Option<String>>,
    pub(super) fetch_xml: Option<String>,
    pub(super) table: Option<String>,
    pub(super) query_type: Option<i32>,
    pub(super) is_default: Option<bool>,
    pub(super) state: Option<i32>,
    pub(super) status: Option<Option<i32>>,
    /// `ownerid@odata.bind`.
    pub(super) owner: Option<Uuid>,
}

impl Changes {
    /// Whether anything besides the state is set.
    pub(super) fn beyond_state(&self) -> bool {
        let state_only = Self {
            state: self.state,
            status: self.status,
            ..Self::default()
        };
        *self != state_only
    }
}

/// What the table says about a column in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KnownChange {
    /// Can be set.
    Writable,
    /// Exists and is ignored in writes.
    ReadOnly,
    /// Does not exist.
    No,
}

/// Reads the body of a write.
pub(super) fn changes(
    body: &[u8],
    logical_name: &str,
    known: impl Fn(&str) -> KnownChange,
) -> Result<Changes, ApiError> {
    let object = object(body, logical_name)?;
    let mut changes = Changes::default();
    for (name, value) in &object {
        if let Some(property) = name.strip_suffix("@odata.bind") {
            bind(&mut changes, property, value, logical_name)?;
        } else if name.contains('@') {
            // Annotations that were read with a row are accepted without an effect.
        } else {
            match known(name) {
                KnownChange::No => return Err(undeclared(name)),
                KnownChange::ReadOnly => {}
                KnownChange::Writable => set(&mut changes, name, value, logical_name)?,
            }
        }
    }
    Ok(changes)
}

fn object(body: &[u8], logical_name: &str) -> Result<Map<String, Value>, ApiError> {
    let problem = |inner: &str| {
        ApiError::payload(format!(
            "Error identified in Payload provided by the user for Entity :'{logical_name}', For more information on this error please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : {inner}."
        ))
    };
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(problem("System.ArgumentException: Stream was not readable"));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(problem(
            "Microsoft.OData.ODataException: An unexpected node was found when reading from the JSON reader. A 'StartObject' node was expected",
        )),
        Err(error) => Err(problem(&format!(
            "Microsoft.OData.ODataException: Invalid JSON. {error}"
        ))),
    }
}

fn undeclared(name: &str) -> ApiError {
    ApiError::bad_request(format!(
        "An undeclared property '{name}' which only has property annotations in the payload but no property value was found in the payload. In OData, only declared navigation properties and declared named streams can be represented as properties without values."
    ))
}

fn bind(
    changes: &mut Changes,
    property: &str,
    value: &Value,
    logical_name: &str,
) -> Result<(), ApiError> {
    if property != "ownerid" || logical_name != "userquery" {
        return Err(undeclared(property));
    }
    let id = value.as_str().and_then(|text| {
        let inner = text.rsplit_once('(')?.1.strip_suffix(')')?;
        Uuid::try_parse(inner).ok()
    });
    changes.owner = Some(id.ok_or_else(|| {
        ApiError::bad_request(format!("Resource not found for the segment '{property}'."))
    })?);
    Ok(())
}

fn set(changes: &mut Changes, name: &str, value: &Value, table: &str) -> Result<(), ApiError> {
    match name {
        "name" => changes.name = Some(text(name, value)?),
        "description" => {
            changes.description = Some(if value.is_null() {
                None
            } else {
                Some(text(name, value)?)
            });
        }
        "fetchxml" => changes.fetch_xml = Some(text(name, value)?),
        "returnedtypecode" => changes.table = Some(text(name, value)?),
        "querytype" => changes.query_type = Some(number(name, value)?),
        "isdefault" => {
            let flag = value
                .as_bool()
                .ok_or_else(|| literal(value, "Edm.Boolean"))?;
            changes.is_default = Some(flag);
        }
        "statecode" => changes.state = Some(number(name, value)?),
        "statuscode" => {
            changes.status = Some(if value.is_null() {
                None
            } else {
                Some(number(name, value)?)
            });
        }
        other if other == format!("{table}id") => {
            // The key is in the address; a different one in the body is ignored.
        }
        // Layout and the like: accepted, and not stored.
        _ => {}
    }
    Ok(())
}

fn text(name: &str, value: &Value) -> Result<String, ApiError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Null => Err(null(name)),
        _ => Err(literal(value, "Edm.String")),
    }
}

fn number(name: &str, value: &Value) -> Result<i32, ApiError> {
    if value.is_null() {
        return Err(null(name));
    }
    let number = value.as_i64().and_then(|it| i32::try_from(it).ok());
    number.ok_or_else(|| literal(value, "Edm.Int32"))
}

fn literal(value: &Value, expected: &str) -> ApiError {
    ApiError::payload(format!(
        "Error identified in Payload provided by the user for Entity :'', For more information on this error please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : Microsoft.OData.ODataException: Cannot convert the literal '{}' to the expected type '{expected}'.",
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    ))
}

/// Required columns cannot be emptied.
fn null(name: &str) -> ApiError {
    ApiError {
        code: "0x80040203",
        ..ApiError::bad_request(format!("Attribute: {name} cannot be set to NULL"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Changes, ApiError> {
        changes(body.as_bytes(), "userquery", |name| match name {
            "versionnumber" => KnownChange::ReadOnly,
            "nonsense" => KnownChange::No,
            _ => KnownChange::Writable,
        })
    }

    #[test]
    fn state_and_status_are_read() {
        let changes = read(r#"{"statecode":1,"statuscode":2}"#).unwrap();
        assert_eq!((changes.state, changes.status), (Some(1), Some(Some(2))));
        assert!(!changes.beyond_state());
        let null = read(r#"{"statecode":0,"statuscode":null}"#).unwrap();
        assert_eq!(null.status, Some(None));
    }

    #[test]
    fn annotations_and_read_only_columns_are_ignored() {
        let body = r#"{"@odata.etag":"W/\"1\"","statecode@OData.Community.Display.V1.FormattedValue":"x","versionnumber":5}"#;
        assert_eq!(read(body), Ok(Changes::default()));
    }

    #[test]
    fn wrong_bodies_are_told_apart() {
        assert_eq!(read("").unwrap_err().code, "0x80048d19");
        assert_eq!(read("[1]").unwrap_err().code, "0x80048d19");
        assert_eq!(read("{\"statecode\":").unwrap_err().code, "0x80048d19");
        assert_eq!(read(r#"{"statecode":"1"}"#).unwrap_err().code, "0x80048d19");
        assert_eq!(
            read(r#"{"statecode":null}"#).unwrap_err().code,
            "0x80040203"
        );
        assert!(
            read(r#"{"nonsense":1}"#)
                .unwrap_err()
                .message
                .contains("'nonsense'")
        );
    }

    #[test]
    fn an_owner_can_be_bound() {
        let id = Uuid::from_u128(9);
        let body = format!(r#"{{"ownerid@odata.bind":"/systemusers({id})"}}"#);
        let changes = read(&body).unwrap();
        assert_eq!(changes.owner, Some(id));
        assert!(changes.beyond_state());
    }
}
