//! The answer to an unauthenticated request: where to sign in, and for which resource.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// The `WWW-Authenticate` headers of a 401.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// `authorization_uri` of the first Bearer challenge.
    pub authorization_uri: Option<String>,
    /// `resource_id` of the same challenge.
    pub resource: Option<String>,
    /// Whether Windows authentication is offered as Negotiate.
    pub negotiate: bool,
    /// Whether it is offered as NTLM.
    pub ntlm: bool,
}

impl Challenge {
    /// Reads every `WWW-Authenticate` header: a server may send several, or several challenges in one.
    ///
    /// Values may be quoted, and parameters are separated by commas or spaces. On-premises servers offer
    /// Windows authentication beside Bearer.
    pub fn read(headers: &HeaderMap) -> Self {
        let mut challenge = Self::default();
        for value in headers.get_all(WWW_AUTHENTICATE) {
            let text = String::from_utf8_lossy(value.as_bytes());
            challenge.add(&text);
        }
        challenge
    }

    /// Whether Windows authentication is offered in either form.
    pub const fn windows(&self) -> bool {
        self.negotiate || self.ntlm
    }

    fn add(&mut self, header: &str) {
        let mut in_bearer = false;
        for word in words(header) {
            match word.split_once('=') {
                Some((key, value)) if in_bearer && !key.is_empty() => self.parameter(key, value),
                // The token of another scheme, such as `NTLM TlRM…=`.
                Some(_) => {}
                None => {
                    in_bearer = word.eq_ignore_ascii_case("bearer");
                    self.negotiate |= word.eq_ignore_ascii_case("negotiate");
                    self.ntlm |= word.eq_ignore_ascii_case("ntlm");
                }
            }
        }
    }

    fn parameter(&mut self, key: &str, value: &str) {
        let slot = match key.to_ascii_lowercase().as_str() {
            "authorization_uri" | "authorization" => &mut self.authorization_uri,
            "resource_id" | "resource" => &mut self.resource,
            _ => return,
        };
        if !value.is_empty() {
            slot.get_or_insert_with(|| value.to_owned());
        }
    }
}

/// Words separated by commas and white space. Quotation marks group a word and are removed.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' | ' ' | '\t' if !quoted => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn read(headers: &[&str]) -> Challenge {
        let mut map = HeaderMap::new();
        for value in headers {
            map.append(WWW_AUTHENTICATE, HeaderValue::from_str(value).unwrap());
        }
        Challenge::read(&map)
    }

    const URI: &str = "https://login.microsoftonline.com/1111/oauth2/authorize";
    const RESOURCE: &str = "https://contoso.crm4.dynamics.com/";

    #[test]
    fn authority_and_resource_are_found_however_they_are_written() {
        for header in [
            format!("Bearer authorization_uri={URI}, resource_id={RESOURCE}"),
            format!("Bearer authorization_uri=\"{URI}\", resource_id=\"{RESOURCE}\""),
            format!("bearer AUTHORIZATION_URI={URI} resource_id={RESOURCE}"),
            format!("Bearer realm=\"a, b\",authorization_uri={URI},resource_id={RESOURCE}"),
            format!("Negotiate, NTLM, Bearer authorization_uri={URI}, resource_id={RESOURCE}"),
        ] {
            let challenge = read(&[&header]);
            assert_eq!(
                challenge.authorization_uri.as_deref(),
                Some(URI),
                "{header}"
            );
            assert_eq!(challenge.resource.as_deref(), Some(RESOURCE), "{header}");
        }
    }

    #[test]
    fn bearer_is_found_among_several_headers() {
        let bearer = format!("Bearer authorization_uri={URI}, resource_id={RESOURCE}");
        let challenge = read(&["Negotiate", "NTLM TlRMTVNTUAAC==", &bearer]);
        assert_eq!(challenge.authorization_uri.as_deref(), Some(URI));
        assert!(challenge.negotiate && challenge.ntlm);
    }

    #[test]
    fn windows_authentication_alone_names_no_authority() {
        let challenge = read(&["Negotiate", "NTLM"]);
        assert_eq!(challenge.authorization_uri, None);
        assert!(challenge.windows());
        let only = read(&["Negotiate"]);
        assert!(only.negotiate && !only.ntlm);
    }

    #[test]
    fn nonsense_is_no_challenge() {
        for header in [
            "",
            "Bearer",
            "Basic realm=x",
            "\"",
            "Bearer =,=x,resource_id=",
        ] {
            assert_eq!(read(&[header]).resource, None, "{header}");
        }
    }
}
