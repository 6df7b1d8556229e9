//! The claims of an access token. They prove nothing: only the server can tell whether a token is genuine.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use crate::model::EnvironmentUrl;

/// A token that is not sent to an address, because it is for another one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the access token is for {audience}, and not for {address}")]
pub struct WrongAudience {
    /// The host and port that the token names.
    pub audience: String,
    /// The host and port of the address.
    pub address: String,
}

/// Whether a token may be sent to this address, by its own claims.
///
/// A readable JSON Web Token is refused if its audience is the address of another host, also without a scheme if that
/// is a Dataverse host. Anything that cannot be compared is accepted: an opaque token, a token without an audience, an
/// audience that is an application id or an identifier of AD FS, which can be any text. `contoso.api.crm4.dynamics.com`
/// and `contoso.crm4.dynamics.com` are the same organisation.
pub fn check_audience(token: &str, address: &Url) -> Result<(), WrongAudience> {
    let audiences = Claims::of(token).map(|claims| claims.audiences);
    let mut other = None;
    for audience in audiences.unwrap_or_default() {
        match address_of(&audience) {
            Some(audience) if !is_same_host(&audience, address) => other = Some(audience),
            _ => return Ok(()),
        }
    }
    match other {
        None => Ok(()),
        Some(audience) => Err(WrongAudience {
            audience: authority(&audience),
            address: authority(address),
        }),
    }
}

/// The address in an audience, if it is one.
fn address_of(audience: &str) -> Option<Url> {
    if let Ok(url) = Url::parse(audience)
        && matches!(url.scheme(), "http" | "https")
    {
        return Some(url);
    }
    let environment: EnvironmentUrl = audience.parse().ok()?;
    environment
        .is_dataverse()
        .then(|| environment.as_url().clone())
}

/// The claims that this program uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Claims {
    /// `aud`: one or several.
    pub(super) audiences: Vec<String>,
    /// `nbf`, the start of validity (RFC 7519).
    pub(super) begins: Option<Timestamp>,
    /// `exp`, the end of validity.
    pub(super) expires: Option<Timestamp>,
}

impl Claims {
    /// Reads the claims of a JSON Web Token (RFC 7519); `None` where it cannot be read.
    pub(super) fn of(token: &str) -> Option<Self> {
        let mut parts = token.trim().split('.');
        let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let claims: Value = serde_json::from_slice(&payload).ok()?;
        let audiences = match claims.as_object()?.get("aud") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(all)) => {
                let texts = all.iter().filter_map(Value::as_str);
                texts.map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        Some(Self {
            audiences,
            begins: claims.get("nbf").and_then(seconds),
            expires: claims.get("exp").and_then(seconds),
        })
    }
}

/// Seconds since 1970, as number or text, also with decimals: RFC 7519 allows decimals, and tools write all of these.
pub(super) fn seconds(value: &Value) -> Option<Timestamp> {
    let whole = match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| whole(text.parse().ok()?))
        }
        _ => None,
    };
    Timestamp::from_second(whole?).ok()
}

/// Whole seconds, rounded down, so that a token is renewed too early and not too late.
fn whole(seconds: f64) -> Option<i64> {
    /// The last second of the year 9999, the last time that can be represented.
    const LAST: f64 = 253_402_300_799.0;
    // Within these bounds the cast loses only decimals.
    #[expect(clippy::cast_possible_truncation)]
    (0.0..=LAST)
        .contains(&seconds)
        .then_some(seconds.floor() as i64)
}

/// An audience without a port matches every port of its host: Entra ID never names one.
fn is_same_host(audience: &Url, address: &Url) -> bool {
    let same_port = match audience.port() {
        None => true,
        port => port == address.port(),
    };
    same_port && organisation(audience) == organisation(address)
}

/// The host, without a final dot and without the label `api` between organisation and region.
fn organisation(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_suffix('.').unwrap_or(host);
    match host.split_once(".api.crm") {
        Some((name, region)) if !name.contains('.') => format!("{name}.crm{region}"),
        _ => host.to_owned(),
    }
}

/// Host and port. They contain only what the URL standard allows there.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// A token with these claims and without a valid signature.
    pub(in crate::auth) fn token(claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(&json!({ "alg": "none" }));
        format!("{header}.{}.signature", part(claims))
    }

    fn is_for(audience: &Value, address: &str) -> bool {
        let token = token(&json!({ "aud": audience }));
        check_audience(&token, &Url::parse(address).unwrap()).is_ok()
    }

    const ADDRESS: &str = "https://contoso.crm4.dynamics.com";

    #[test]
    fn a_token_for_another_host_is_not_sent() {
        for audience in [
            json!("https://fabrikam.crm4.dynamics.com"),
            json!("https://contoso.crm4.dynamics.com.example"),
            json!("https://contoso.crm.dynamics.com/"),
            json!("https://graph.microsoft.com"),
            json!("http://fabrikam.crm4.dynamics.com"),
            json!("https://contoso.crm4.dynamics.com@fabrikam.example/"),
            json!("https://contoso.crm4.dynamics.com:8443"),
            json!(["https://graph.microsoft.com", "https://fabrikam.example"]),
            // Without a scheme.
            json!("contoso.crm.dynamics.com"),
            json!("fabrikam.crm4.dynamics.com/"),
            json!("fabrikam.api.crm4.dynamics.com"),
        ] {
            assert!(!is_for(&audience, ADDRESS), "{audience}");
        }
    }

    #[test]
    fn a_token_for_the_same_host_is_sent_however_it_is_written() {
        for audience in [
            json!("https://contoso.crm4.dynamics.com"),
            json!("https://contoso.crm4.dynamics.com/"),
            json!("https://CONTOSO.crm4.Dynamics.com./"),
            json!("https://contoso.crm4.dynamics.com:443/"),
            json!("https://contoso.api.crm4.dynamics.com/"),
            json!([
                "https://graph.microsoft.com",
                "https://contoso.crm4.dynamics.com"
            ]),
        ] {
            assert!(is_for(&audience, ADDRESS), "{audience}");
            assert!(is_for(&audience, "https://contoso.api.crm4.dynamics.com./"));
        }
        let own = json!("https://crm.contoso.example/");
        assert!(is_for(&own, "https://crm.contoso.example:444/contoso"));
        let port = json!("https://crm.contoso.example:444/");
        assert!(is_for(&port, "https://crm.contoso.example:444/contoso"));
    }

    #[test]
    fn what_cannot_be_compared_passes() {
        for audience in [
            json!("00000007-0000-0000-c000-000000000000"),
            json!("microsoft:identityserver:9c4a"),
            json!("urn:microsoft:crm"),
            json!("api://contoso"),
            json!("contoso.crm4.dynamics.com"),
            json!("contoso.api.crm4.dynamics.com"),
            json!("crm.contoso.example"),
            json!("adfs.contoso.example/adfs/services/trust"),
            json!([]),
            json!(7),
            Value::Null,
        ] {
            assert!(is_for(&audience, ADDRESS), "{audience}");
        }
        let address = Url::parse(ADDRESS).unwrap();
        for opaque in ["", "opaque", "a.b.c", "a.b", "eyJ0.eyJ9.x", "a.b.c.d.e"] {
            assert_eq!(check_audience(opaque, &address), Ok(()), "{opaque}");
        }
    }

    #[test]
    fn the_error_names_both_hosts_and_nothing_else_of_the_token() {
        let token = token(&json!({ "aud": "https://user:canary@other.example/canary" }));
        let address = Url::parse(ADDRESS).unwrap();
        assert_eq!(
            check_audience(&token, &address).unwrap_err().to_string(),
            "the access token is for other.example, and not for contoso.crm4.dynamics.com"
        );
    }

    #[test]
    fn the_end_of_a_token_is_read_as_number_text_or_decimals() {
        let end = Timestamp::from_second(1_795_600_000).unwrap();
        for value in [
            json!(1_795_600_000),
            json!(1_795_600_000.9),
            json!("1795600000"),
            json!(" 1795600000.5 "),
        ] {
            assert_eq!(seconds(&value), Some(end), "{value}");
            let token = token(&json!({ "exp": value }));
            assert_eq!(Claims::of(&token).unwrap().expires, Some(end));
        }
        for value in [
            json!(null),
            json!("soon"),
            json!(-1.5),
            json!(1e300),
            json!("inf"),
            json!("NaN"),
        ] {
            assert_eq!(seconds(&value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reading_of_a_token_panic(text in any::<String>()) {
            let _ = Claims::of(&text);
            let _ = check_audience(&text, &Url::parse(ADDRESS).unwrap());
        }
    }
}
