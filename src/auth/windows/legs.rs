//! A handshake consists of legs, each a request with its answer. This decides what an answer means.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, StatusCode};

/// The scheme of the `Authorization` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Plain NTLM.
    Ntlm,
    /// NTLM inside SPNEGO.
    Negotiate,
}

impl Scheme {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ntlm => "NTLM",
            Self::Negotiate => "Negotiate",
        }
    }
}

/// The meaning of the answer to one leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leg {
    /// The connection is signed in.
    Accepted,
    /// The server's message; another leg follows.
    Next(Vec<u8>),
    /// The server does not offer this handshake.
    NotOffered,
    /// User and password were refused.
    Refused,
    /// Another answer, before the sign-in was complete.
    Other,
}

/// Reads an answer. `proved` says whether the leg contained the proof of the password.
pub(super) fn read(scheme: Scheme, proved: bool, status: StatusCode, headers: &HeaderMap) -> Leg {
    if status == StatusCode::UNAUTHORIZED {
        return match token(scheme, headers) {
            Some(token) => Leg::Next(token),
            None if proved => Leg::Refused,
            None => Leg::NotOffered,
        };
    }
    // The answer of something before the server or in its place.
    let busy = status == StatusCode::TOO_MANY_REQUESTS || (502..=504).contains(&status.as_u16());
    if status.is_success() || (proved && !busy && !status.is_redirection()) {
        Leg::Accepted
    } else {
        Leg::Other
    }
}

/// The server's message, such as in `NTLM TlRM…`; one header may contain several challenges.
fn token(scheme: Scheme, headers: &HeaderMap) -> Option<Vec<u8>> {
    let values = headers.get_all(WWW_AUTHENTICATE).into_iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts
        .flat_map(|text| text.split(','))
        .find_map(|challenge| {
            let (name, token) = challenge.trim().split_once(' ')?;
            let named = name.eq_ignore_ascii_case(scheme.as_str());
            named.then(|| STANDARD.decode(token.trim()).ok()).flatten()
        })
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(values: &[&'static str]) -> HeaderMap {
        let values = values.iter().map(|value| HeaderValue::from_static(value));
        values.map(|value| (WWW_AUTHENTICATE, value)).fold(
            HeaderMap::new(),
            |mut map, (name, value)| {
                map.append(name, value);
                map
            },
        )
    }

    fn leg(proved: bool, status: u16, values: &[&'static str]) -> Leg {
        let status = StatusCode::from_u16(status).unwrap();
        read(Scheme::Ntlm, proved, status, &headers(values))
    }

    #[test]
    fn the_server_s_part_is_found_among_other_challenges() {
        for values in [
            &["Negotiate", "NTLM YWJj"][..],
            &["Negotiate bm8=, ntlm YWJj"],
            &["Bearer resource_id=x", "NTLM  YWJj "],
        ] {
            assert_eq!(leg(false, 401, values), Leg::Next(b"abc".into()));
        }
    }

    #[test]
    fn only_a_401_after_the_proof_is_a_refusal() {
        assert_eq!(leg(true, 401, &["Negotiate", "NTLM"]), Leg::Refused);
        assert_eq!(leg(false, 401, &["Negotiate", "NTLM"]), Leg::NotOffered);
        assert_eq!(leg(true, 401, &["NTLM ?"]), Leg::Refused);
    }

    #[test]
    fn an_answer_of_the_web_api_after_the_proof_is_a_sign_in() {
        for status in [200, 403, 404, 500] {
            assert_eq!(leg(true, status, &[]), Leg::Accepted, "{status}");
        }
        for status in [302, 429, 502, 503, 504] {
            assert_eq!(leg(true, status, &[]), Leg::Other, "{status}");
        }
        for status in [302, 404, 429, 500, 503] {
            assert_eq!(leg(false, status, &[]), Leg::Other, "{status}");
        }
        assert_eq!(leg(false, 200, &[]), Leg::Accepted);
    }
}
