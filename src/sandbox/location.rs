//! Splits addresses into organisation, version and resource.

use http::StatusCode;

use super::errors::ApiError;
use super::version::Version;

/// A resource below the service root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Location {
    /// The segment after `/api/data/`, unchanged: `v9.2`.
    pub(super) version: String,
    /// Relative to the service root, percent-encoded.
    pub(super) path: String,
    /// The text after `?`.
    pub(super) query: String,
}

/// Reads an address: absolute, relative to the origin, or relative to the service root.
///
/// `prefix` is the path of the organisation: empty, or `contoso/`.
pub(super) fn locate(url: &str, prefix: &str, server: Version) -> Result<Location, ApiError> {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let query = query.split('#').next().unwrap_or_default().to_owned();
    let absolute = address
        .split_once("://")
        .map(|(_, rest)| rest.split_once('/').map_or("", |it| it.1));
    let Some(path) = absolute.or_else(|| address.strip_prefix('/')) else {
        return Ok(Location {
            version: format!("v{server}"),
            path: address.to_owned(),
            query,
        });
    };
    let missing = || not_found(&format!("/{path}"));
    let inner = strip(path, prefix)
        .and_then(|it| strip(it, "api/data/"))
        .ok_or_else(missing)?;
    let (version, rest) = inner.split_once('/').unwrap_or((inner, ""));
    if !server.answers(version) {
        return Err(missing());
    }
    Ok(Location {
        version: version.to_owned(),
        path: rest.to_owned(),
        query,
    })
}

/// Removes the path of the organisation, without regard to case.
fn strip<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let head = path.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &path[prefix.len()..])
}

fn not_found(path: &str) -> ApiError {
    ApiError::of_request(
        StatusCode::NOT_FOUND,
        format!("No HTTP resource was found that matches the request URI '{path}'."),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::address::AddressTarget;

    fn find(url: &str, prefix: &str) -> Option<(String, String, String)> {
        let found = locate(url, prefix, Version::V9_2).ok()?;
        Some((found.version, found.path, found.query))
    }

    fn three(version: &str, path: &str, query: &str) -> (String, String, String) {
        (version.to_owned(), path.to_owned(), query.to_owned())
    }

    #[test]
    fn absolute_origin_relative_and_service_relative_addresses_are_found() {
        for url in [
            "https://org.example/api/data/v9.1/tasks?$top=1",
            "/api/data/v9.1/tasks?$top=1",
            "/API/data/v9.1/tasks?$top=1#x",
        ] {
            assert_eq!(
                find(url, ""),
                Some(three("v9.1", "tasks", "$top=1")),
                "{url}"
            );
        }
        assert_eq!(
            find("tasks?$top=1", ""),
            Some(three("v9.2", "tasks", "$top=1"))
        );
        assert_eq!(find("/api/data/v9.2", ""), Some(three("v9.2", "", "")));
    }

    #[test]
    fn the_organisation_path_is_required_where_there_is_one() {
        assert_eq!(
            find("/contoso/api/data/v9.2/x", "contoso/"),
            Some(three("v9.2", "x", ""))
        );
        assert_eq!(find("/api/data/v9.2/x", "contoso/"), None);
        assert_eq!(find("/contoso/api/data/v9.2/x", ""), None);
    }

    #[test]
    fn unknown_versions_and_places_are_not_found() {
        for url in [
            "/api/data/v7.0/x",
            "/api/data/v9.3/x",
            "/",
            "",
            "/main.aspx",
        ] {
            assert!(find(url, "").is_none() || url.is_empty(), "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_address_makes_it_panic(text in "\\PC{0,40}", start in "(/|//|/contoso/|http://h)?(api/data/v9\\.2/)?") {
            if let Ok(found) = locate(&format!("{start}{text}"), "contoso/", Version::V9_2) {
                let _ = AddressTarget::parse(&found.path);
            }
            let _ = AddressTarget::parse(&format!("systemusers({text}"));
        }
    }
}
