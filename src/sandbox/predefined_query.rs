//! Finds the predefined query of a request.

use http::StatusCode;
use url::form_urlencoded;
use uuid::Uuid;

use super::errors::ApiError;

/// A query that the request names or carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Predefined {
    FetchXml(String),
    Saved(Uuid),
    User(Uuid),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) query: Predefined,
    /// `$skiptoken`.
    pub(super) token: Option<String>,
}

impl Wanted {
    /// Reads a query string; `None` where it is plain `OData`.
    pub(super) fn read(query: &str) -> Result<Option<Self>, ApiError> {
        let (mut found, mut token, mut other) = (None, None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let query = match name.to_ascii_lowercase().as_str() {
                "fetchxml" => Predefined::FetchXml(value.into_owned()),
                "savedquery" => Predefined::Saved(id(&name, &value)?),
                "userquery" => Predefined::User(id(&name, &value)?),
                "sql" => return Err(not_imitated(&name)),
                "$skiptoken" => {
                    token = Some(value.into_owned());
                    continue;
                }
                _ => {
                    let option = name.starts_with('$') && name != "$format";
                    other = other.or_else(|| option.then(|| name.into_owned()));
                    continue;
                }
            };
            if found.replace(query).is_some() {
                other = Some(name.into_owned());
            }
        }
        let Some(query) = found else {
            return Ok(None);
        };
        let pages = !matches!(query, Predefined::FetchXml(_));
        let refused =
            other.or_else(|| (token.is_some() && !pages).then(|| "$skiptoken".to_owned()));
        match refused {
            None => Ok(Some(Self { query, token })),
            Some(name) => Err(ApiError::bad_request(format!(
                "The query parameter '{name}' cannot be combined with a predefined query."
            ))),
        }
    }
}

fn id(name: &str, text: &str) -> Result<Uuid, ApiError> {
    Uuid::try_parse(text.trim())
        .map_err(|_| ApiError::bad_request(format!("The value '{text}' of '{name}' is not an id.")))
}

fn not_imitated(name: &str) -> ApiError {
    ApiError::of_request(
        StatusCode::NOT_IMPLEMENTED,
        format!("The query option '{name}' is not imitated by this sandbox."),
    )
}

/// Refuses a predefined query where none is imitated, instead of returning every row.
pub(super) fn refuse_predefined(query: &str) -> Result<(), ApiError> {
    match Wanted::read(query)? {
        None => Ok(()),
        Some(wanted) => Err(not_imitated(match wanted.query {
            Predefined::FetchXml(_) => "fetchXml",
            Predefined::Saved(_) => "savedQuery",
            Predefined::User(_) => "userQuery",
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predefined_queries_are_told_from_plain_ones() {
        assert_eq!(Wanted::read("$filter=name eq 'fetchXml'"), Ok(None));
        let found = Wanted::read("fetchXml=%3Cfetch/%3E").unwrap().unwrap();
        assert_eq!(found.query, Predefined::FetchXml("<fetch/>".to_owned()));
        for (query, status) in [
            ("savedQuery=x", 400),
            ("fetchXml=x&$select=name", 400),
            ("fetchXml=x&fetchXml=x", 400),
            ("fetchXml=x&$skiptoken=x", 400),
            ("sql=SELECT", 501),
        ] {
            assert_eq!(Wanted::read(query).unwrap_err().status, status, "{query}");
        }
        assert_eq!(refuse_predefined("fetchXml=x").unwrap_err().status, 501);
    }
}
