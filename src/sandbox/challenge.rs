//! Bearer tokens, and the challenge for requests without one.

use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use uuid::Uuid;

use super::errors::ApiError;
use super::message::Reply;
use super::rows::PersonIndex;
use super::store::Store;
use super::switches::{Switch, Switches};

/// The token of the administrator. Tokens are constants because the sandbox listens on loopback only.
pub(super) const ADMINISTRATOR: &str = "sandbox-administrator";
/// The token of a user whom the organisation does not know.
pub(super) const STRANGER: &str = "sandbox-stranger";
/// The prefix of the token of a user; the `systemuserid` follows.
pub(super) const USER: &str = "sandbox-user-";

/// The sender of a request, by its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presented {
    Member(PersonIndex),
    Stranger,
    /// No token, or an unknown one.
    Nobody,
}

/// Reads the `Authorization` header.
pub(super) fn presented(headers: &HeaderMap, store: &Store) -> Presented {
    let text = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
    let token = text.and_then(|text| {
        let (scheme, token) = text.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match token {
        Some(ADMINISTRATOR) => Presented::Member(store.administrator),
        Some(STRANGER) => Presented::Stranger,
        Some(token) => match token.strip_prefix(USER).map(Uuid::try_parse) {
            Some(Ok(id)) => store
                .person(id)
                .map_or(Presented::Stranger, Presented::Member),
            _ => Presented::Nobody,
        },
        None => Presented::Nobody,
    }
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unauthorized {
    /// 401: sign in first.
    Challenge,
    Error(ApiError),
}

/// The caller, if the organisation accepts it.
pub(super) fn caller(headers: &HeaderMap, store: &Store) -> Result<PersonIndex, Unauthorized> {
    match presented(headers, store) {
        Presented::Member(caller) if store.people[caller].disabled => {
            let id = store.people[caller].id;
            Err(Unauthorized::Error(ApiError::disabled(
                id,
                store.organization.unique_name,
            )))
        }
        Presented::Member(caller) if store.role_count(caller) == 0 => Err(Unauthorized::Error(
            ApiError::no_roles(store.people[caller].id),
        )),
        Presented::Member(caller) => Ok(caller),
        Presented::Stranger => Err(Unauthorized::Error(ApiError::not_a_member())),
        Presented::Nobody => Err(Unauthorized::Challenge),
    }
}

/// 401 with the address for signing in; servers are known to use several forms.
pub(super) fn challenge(tenant: Uuid, host: &str, switches: Switches) -> Reply {
    let tail = if switches.on(Switch::ChallengeBare) {
        ""
    } else {
        "/oauth2/authorize"
    };
    let quote = if switches.on(Switch::ChallengeQuoted) {
        "\""
    } else {
        ""
    };
    let authority = format!("https://login.microsoftonline.com/{tenant}{tail}");
    let resource = if switches.on(Switch::ChallengeResource) {
        format!(", resource_id={quote}{host}{quote}")
    } else {
        String::new()
    };
    Reply::new(StatusCode::UNAUTHORIZED)
        .typed(
            "text/html",
            "HTTP Error 401 - Unauthorized: Access is denied",
        )
        .with(
            "www-authenticate",
            &format!("Bearer authorization_uri={quote}{authority}{quote}{resource}"),
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::generate;

    fn with(token: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        headers
    }

    #[test]
    fn tokens_stand_for_people() {
        let store = generate(30, 1);
        let id = store.people[10].id;
        for (token, expected) in [
            (ADMINISTRATOR.to_owned(), Presented::Member(0)),
            (format!("{USER}{id}"), Presented::Member(10)),
            (format!("{USER}{}", Uuid::from_u128(1)), Presented::Stranger),
            (STRANGER.to_owned(), Presented::Stranger),
            ("something".to_owned(), Presented::Nobody),
        ] {
            assert_eq!(presented(&with(&token), &store), expected, "{token}");
        }
        assert_eq!(presented(&HeaderMap::new(), &store), Presented::Nobody);
    }

    #[test]
    fn the_challenge_has_several_shapes() {
        let tenant = Uuid::from_u128(1);
        let header = |switches: &str| {
            let switches = Switches::parse(switches).unwrap();
            let reply = challenge(tenant, "http://127.0.0.1:1", switches);
            reply.headers["www-authenticate"]
                .to_str()
                .unwrap()
                .to_owned()
        };
        let base = format!("Bearer authorization_uri=https://login.microsoftonline.com/{tenant}");
        assert_eq!(header(""), format!("{base}/oauth2/authorize"));
        assert_eq!(header("challenge-bare"), base);
        assert_eq!(
            header("challenge-bare,challenge-resource"),
            format!("{base}, resource_id=http://127.0.0.1:1")
        );
        assert!(header("challenge-quoted").contains("=\"https://"));
    }
}
