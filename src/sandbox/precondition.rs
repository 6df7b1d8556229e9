//! `If-Match` and `If-None-Match`.

use http::{HeaderMap, Method};

use super::errors::ApiError;
use super::switches::{Switch, Switches};

/// The condition of a write
/// (Microsoft: "Perform conditional operations using the Web API").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precondition {
    /// None: a PATCH of a missing row creates it.
    None,
    /// `If-Match: *`.
    Exists,
    /// `If-Match: W/"<version>"`.
    Version(u64),
    /// `If-None-Match: *`.
    Missing,
}

/// The precondition in the headers of a write.
///
/// `If-None-Match: null` is the documented hint to browser caches, and not a precondition.
pub(super) fn precondition(
    headers: &HeaderMap,
    switches: Switches,
) -> Result<Precondition, ApiError> {
    let text = |name| {
        headers
            .get(name)
            .map(|it| it.to_str().unwrap_or("?").trim())
    };
    match (text("If-Match"), text("If-None-Match")) {
        (Some("*"), _) => Ok(Precondition::Exists),
        (Some(tag), _) => {
            let version = version(tag).ok_or_else(|| {
                ApiError::bad_request(format!(
                    "The If-Match header value '{tag}' is not a valid ETag."
                ))
            })?;
            if switches.on(Switch::NoOptimisticConcurrency) {
                return Err(ApiError {
                    code: "0x8006088D",
                    ..ApiError::bad_request(
                        "Optimistic concurrency isn't enabled for entity type userquery. The IfVersionMatches value of ConcurrencyBehavior can only be used if optimistic concurrency is enabled.",
                    )
                });
            }
            if switches.on(Switch::IgnoreIfMatchVersion) {
                return Ok(Precondition::Exists);
            }
            Ok(Precondition::Version(version))
        }
        (None, Some("*")) => Ok(Precondition::Missing),
        (None, _) => Ok(Precondition::None),
    }
}

/// Whether a GET may be answered with 304: it names the present version of the row.
pub(super) fn not_modified(method: &Method, headers: &HeaderMap, current: u64) -> bool {
    let tag = headers.get("If-None-Match").and_then(|it| it.to_str().ok());
    method == Method::GET && tag.and_then(version) == Some(current)
}

/// The number in `W/"123"` or `"123"`.
fn version(tag: &str) -> Option<u64> {
    let tag = tag.trim();
    let quoted = tag.strip_prefix("W/").unwrap_or(tag);
    quoted.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

impl Precondition {
    /// Whether a write to a row of this version may continue; `None` when there is no such row.
    ///
    /// With an `ETag`, a missing row is reported as not found, and not as changed.
    pub(super) fn check(
        self,
        current: Option<u64>,
        missing: impl FnOnce() -> ApiError,
    ) -> Result<(), ApiError> {
        match (self, current) {
            (Self::None, _) | (Self::Exists, Some(_)) | (Self::Missing, None) => Ok(()),
            (Self::Exists | Self::Version(_), None) => Err(missing()),
            (Self::Missing, Some(_)) => Err(ApiError::exists()),
            (Self::Version(wanted), Some(current)) if wanted == current => Ok(()),
            (Self::Version(_), Some(_)) => Err(ApiError::stale()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &'static str, value: &str) -> Result<Precondition, ApiError> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        precondition(&headers, Switches::none())
    }

    #[test]
    fn headers_become_preconditions() {
        assert_eq!(read("If-Match", "*"), Ok(Precondition::Exists));
        assert_eq!(read("If-Match", "W/\"42\""), Ok(Precondition::Version(42)));
        assert_eq!(read("If-Match", "\"42\""), Ok(Precondition::Version(42)));
        assert_eq!(read("If-None-Match", "*"), Ok(Precondition::Missing));
        assert_eq!(read("If-None-Match", "null"), Ok(Precondition::None));
        assert_eq!(read("If-Match", "42").unwrap_err().status, 400);
    }

    #[test]
    fn each_precondition_has_its_own_failure() {
        let missing = ApiError::internal;
        assert!(Precondition::None.check(None, missing).is_ok());
        assert_eq!(
            Precondition::Exists.check(None, missing),
            Err(ApiError::internal())
        );
        assert_eq!(
            Precondition::Missing.check(Some(1), missing),
            Err(ApiError::exists())
        );
        assert_eq!(
            Precondition::Version(1).check(Some(2), missing),
            Err(ApiError::stale())
        );
        assert!(Precondition::Version(2).check(Some(2), missing).is_ok());
    }

    #[test]
    fn a_table_without_optimistic_concurrency_refuses_an_etag_but_not_a_star() {
        let switches = Switches::none().with(Switch::NoOptimisticConcurrency);
        let mut headers = HeaderMap::new();
        headers.insert("If-Match", "W/\"1\"".parse().unwrap());
        assert_eq!(
            precondition(&headers, switches).unwrap_err().code,
            "0x8006088D"
        );
        headers.insert("If-Match", "*".parse().unwrap());
        assert_eq!(precondition(&headers, switches), Ok(Precondition::Exists));
    }

    #[test]
    fn a_get_of_the_known_version_is_not_modified() {
        let mut headers = HeaderMap::new();
        headers.insert("If-None-Match", "W/\"7\"".parse().unwrap());
        assert!(not_modified(&Method::GET, &headers, 7));
        assert!(!not_modified(&Method::GET, &headers, 8));
    }
}
