//! The refusal of an identity provider: the error document of Entra ID and of AD FS.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much of a description is kept, in characters. Those of Entra ID give the reason in the first two sentences;
/// trace ids follow.
const EXCERPT: usize = 300;

/// The error document (Microsoft: "Microsoft Entra authentication and authorization error codes"; RFC 6749 5.2).
///
/// Programs may rely on `error` only; the rest is for people and Microsoft's support.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignInRefusal {
    /// The stable word, such as `invalid_client`.
    pub error: String,
    /// A description in words.
    pub error_description: Option<String>,
    /// The numbers that follow `AADSTS`.
    pub error_codes: Vec<u64>,
    /// The time of the provider's clock.
    pub timestamp: Option<String>,
    /// The provider's id of this answer.
    pub trace_id: Option<String>,
    /// The provider's id of the whole sign-in.
    pub correlation_id: Option<String>,
}

impl oauth2::ErrorResponse for SignInRefusal {}

impl SignInRefusal {
    /// A refusal without an error document.
    pub(super) fn plain(error: &str, description: Option<&str>) -> Self {
        Self {
            error: error.to_owned(),
            error_description: description.map(str::to_owned),
            ..Self::default()
        }
    }

    /// The code that people look up, such as `AADSTS7000215` or `MSIS9605`.
    pub fn code(&self) -> Option<String> {
        let numbered = self.error_codes.first().map(|n| format!("AADSTS{n}"));
        numbered.or_else(|| code_in(self.error_description.as_deref()?))
    }

    /// Whether the provider says that it is temporarily unavailable.
    pub fn is_passing(&self) -> bool {
        /// Microsoft's list: transient errors, and "too many requests".
        const PASSING: [u64; 5] = [50033, 90006, 90012, 90024, 90055];
        matches!(
            self.error.as_str(),
            "temporarily_unavailable" | "server_error"
        ) || self.error_codes.iter().any(|code| PASSING.contains(code))
    }

    pub(super) fn wants_consent(&self) -> bool {
        let code = self.code();
        matches!(
            code.as_deref(),
            Some("AADSTS65001" | "AADSTS90094" | "AADSTS65004")
        )
    }

    /// The first line of the description. Entra ID appends ids, which have their own fields.
    fn first_line(&self) -> Option<String> {
        let text = self.error_description.as_deref()?;
        let line = text.split(['\r', '\n']).next().unwrap_or_default();
        let line = line.split(" Trace ID:").next().unwrap_or_default().trim();
        let clean = line.chars().filter(|c| !c.is_control());
        (!line.is_empty()).then(|| clean.take(EXCERPT).collect())
    }

    /// One of the ids: from its field, else from the end of the description.
    fn id(&self, field: Option<&String>, label: &str) -> Option<String> {
        let in_text = || {
            let text = self.error_description.as_deref()?;
            let rest = &text[text.find(label)? + label.len()..];
            let id = rest.split(['\r', '\n']).next()?.trim();
            Some(id.split(" Correlation").next()?.trim().to_owned())
        };
        field.cloned().or_else(in_text).filter(|id| !id.is_empty())
    }
}

pub(super) fn code_in(text: &str) -> Option<String> {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_code = |word: &&str| {
        let digits = word
            .strip_prefix("AADSTS")
            .or_else(|| word.strip_prefix("MSIS"));
        digits.is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
    };
    words.find(is_code).map(str::to_owned)
}

impl fmt::Display for SignInRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.first_line();
        let code = self.code();
        match (&line, code) {
            (Some(line), Some(code)) if !line.contains(&code) => write!(f, "{code}: {line}")?,
            (Some(line), _) => f.write_str(line)?,
            (None, Some(code)) => f.write_str(&code)?,
            (None, None) => f.write_str(&self.error)?,
        }
        let mut facts = Vec::new();
        if line.is_some() && !self.error.is_empty() {
            facts.push(self.error.clone());
        }
        let ids = [
            ("correlation id", &self.correlation_id, "Correlation ID:"),
            ("trace id", &self.trace_id, "Trace ID:"),
            ("at", &self.timestamp, "Timestamp:"),
        ];
        for (name, field, label) in ids {
            if let Some(id) = self.id(field.as_ref(), label) {
                facts.push(format!("{name} {id}"));
            }
        }
        if facts.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", facts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRONG_SECRET: &str = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app 'a'.\r\nTrace ID: 11111111-1\r\nCorrelation ID: 22222222-2\r\nTimestamp: 2026-11-24 10:00:00Z","error_codes":[7000215],"timestamp":"2026-11-24 10:00:00Z","trace_id":"11111111-1","correlation_id":"22222222-2","error_uri":"https://login.microsoftonline.com/error?code=7000215"}"#;

    #[test]
    fn code_ids_and_time_of_a_refusal_are_kept_and_said() {
        let refusal: SignInRefusal = serde_json::from_str(WRONG_SECRET).unwrap();
        assert_eq!(refusal.code().as_deref(), Some("AADSTS7000215"));
        let said = refusal.to_string();
        assert!(said.starts_with("AADSTS7000215: Invalid"), "{said}");
        assert!(said.ends_with(
            "(invalid_client, correlation id 22222222-2, trace id 11111111-1, at 2026-11-24 10:00:00Z)"
        ), "{said}");
        assert_eq!(said.matches("22222222-2").count(), 1, "{said}");
    }

    #[test]
    fn ids_are_found_in_a_description_that_has_no_fields() {
        let text = "AADSTS70019: Verification code expired.\r\nTrace ID: t-1\r\nCorrelation ID: c-1\r\nTimestamp: then";
        let said = SignInRefusal::plain("expired_token", Some(text)).to_string();
        assert!(
            said.ends_with("(expired_token, correlation id c-1, trace id t-1, at then)"),
            "{said}"
        );
    }

    #[test]
    fn the_codes_of_ad_fs_are_in_its_description() {
        let text = "MSIS9605: The client is not allowed to access the requested resource.";
        let refusal = SignInRefusal::plain("access_denied", Some(text));
        assert_eq!(refusal.code().as_deref(), Some("MSIS9605"));
        assert_eq!(
            SignInRefusal::plain("x", Some("MSISDN is no code")).code(),
            None
        );
    }

    #[test]
    fn what_is_said_fits_on_a_line_and_cannot_steer_the_terminal() {
        let text = format!("\u{1b}[2J{}", "a".repeat(5_000));
        let said = SignInRefusal::plain("invalid_request", Some(&text)).to_string();
        assert!(!said.contains('\u{1b}') && said.len() < 400, "{said}");
    }
}
