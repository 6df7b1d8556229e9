//! Bodies of token requests and answers: which parts are secret, and how providers differ.

use http::StatusCode;
use serde_json::{Map, Number, Value};
use url::form_urlencoded;

/// Fields of a token request whose values must never be shown.
const SECRET_FIELDS: [&str; 8] = [
    "client_secret",
    "client_assertion",
    "code",
    "code_verifier",
    "refresh_token",
    "device_code",
    "password",
    "assertion",
];

/// Fields that are numbers in the standard, and text at Entra v1, in the metadata services and at some AD FS servers.
const NUMBERS: [&str; 8] = [
    "expires_in",
    "ext_expires_in",
    "expires_on",
    "not_before",
    "refresh_in",
    "interval",
    "refresh_token_expires_in",
    "expires",
];

/// Whether a request may be repeated: a wrong password must not be sent twice, and a code works only once.
pub(super) fn may_repeat(request: &[u8]) -> bool {
    form_urlencoded::parse(request)
        .filter(|(name, _)| name == "grant_type")
        .all(|(_, grant)| !matches!(grant.as_ref(), "password" | "authorization_code"))
}

/// An answer in the form of the standard: numbers are numbers, and a refusal does not repeat a secret of the request.
pub(super) fn clean(status: StatusCode, answer: Vec<u8>, request: &[u8]) -> Vec<u8> {
    if !status.is_success() {
        return without_secrets(answer, request);
    }
    match serde_json::from_slice::<Map<String, Value>>(&answer) {
        Ok(mut fields) => {
            if numbers(&mut fields) {
                return serde_json::to_vec(&fields).unwrap_or(answer);
            }
            answer
        }
        Err(_) => answer,
    }
}

/// Turns texts into numbers. Returns whether there were any.
fn numbers(fields: &mut Map<String, Value>) -> bool {
    let mut changed = false;
    for name in NUMBERS {
        let Some(value) = fields.get_mut(name) else {
            continue;
        };
        let number = value
            .as_str()
            .and_then(|text| text.trim().parse::<u64>().ok());
        if let Some(number) = number {
            *value = Value::Number(Number::from(number));
            changed = true;
        }
    }
    changed
}

fn without_secrets(answer: Vec<u8>, request: &[u8]) -> Vec<u8> {
    /// The shortest secret that is searched for, in bytes: a shorter one would be found by chance.
    const SHORTEST: usize = 4;
    let mut text = String::from_utf8_lossy(&answer).into_owned();
    let mut found = false;
    for (name, value) in form_urlencoded::parse(request) {
        if SECRET_FIELDS.contains(&name.as_ref()) && value.len() >= SHORTEST {
            for spelling in spellings(&value) {
                if text.contains(&spelling) {
                    text = text.replace(&spelling, "[redacted]");
                    found = true;
                }
            }
        }
    }
    if found { text.into_bytes() } else { answer }
}

/// The value as it is, as JSON writes it, and as a form writes it.
fn spellings(value: &str) -> [String; 3] {
    let json = Value::from(value).to_string();
    let json = json.trim_matches('"').to_owned();
    let form = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    [value.to_owned(), json, form]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_came_as_texts_are_numbers_afterwards() {
        let answer = br#"{"access_token":"5","expires_in":"3599","expires_on":"1795446000"}"#;
        let clean = clean(StatusCode::OK, answer.to_vec(), b"");
        let fields: Value = serde_json::from_slice(&clean).unwrap();
        assert_eq!(fields["expires_in"], 3599);
        assert_eq!(fields["expires_on"], 1_795_446_000);
        assert_eq!(fields["access_token"], "5");
    }

    #[test]
    fn a_refusal_that_repeats_a_secret_is_cleaned_of_it() {
        let request =
            b"grant_type=client_credentials&client_secret=s%2Bcret%22~1&client_id=visible";
        let answer = br#"{"error":"x","error_description":"visible s+cret\"~1 s%2Bcret%22%7E1"}"#;
        let text =
            String::from_utf8(clean(StatusCode::BAD_REQUEST, answer.to_vec(), request)).unwrap();
        assert!(text.contains("visible"), "{text}");
        assert!(!text.contains("cret"), "{text}");
    }

    #[test]
    fn a_password_and_a_code_are_sent_once_only() {
        assert!(!may_repeat(b"grant_type=password&password=x"));
        assert!(!may_repeat(b"a=b&grant_type=authorization_code"));
        assert!(may_repeat(b"grant_type=client_credentials"));
        assert!(may_repeat(b""));
    }
}
