//! The refusals of the server.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::model::{ProblemKind, UserId};

/// How much of an answer without an error document is kept, in characters: enough for the title of a gateway's page.
const EXCERPT: usize = 200;

/// A refusal in the words of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFault {
    /// The HTTP status.
    pub status: StatusCode,
    /// The platform's error code; the error document may leave it empty.
    pub code: Option<u32>,
    /// The message, or the first characters of an answer without an error document.
    pub message: String,
    /// The server's id of the request, for Microsoft's support.
    pub request_id: Option<String>,
    /// Whether the body is an error document of the Web API, and not a page of a gateway.
    pub documented: bool,
}

impl ServerFault {
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Self {
        let FaultBody {
            code,
            message,
            documented,
        } = read_document(body);
        let reason = status.canonical_reason().unwrap_or("no reason given");
        Self {
            status,
            code,
            message: message.unwrap_or_else(|| reason.to_owned()),
            request_id: request_id(headers),
            documented,
        }
    }

    /// The code in the form of Microsoft's documentation, such as `0x80042f09`.
    pub fn code_text(&self) -> Option<String> {
        self.code.map(|code| format!("0x{code:08x}"))
    }

    /// The stable word for this refusal.
    ///
    /// The codes are those of Microsoft's list of web service error codes; where the code is empty,
    /// as older builds leave it, the message decides.
    pub fn kind(&self) -> ProblemKind {
        if let Some(kind) = self.code.and_then(|code| kind_by_code(code, &self.message)) {
            return kind;
        }
        if let Some(kind) = kind_by_message(&self.message) {
            return kind;
        }
        match self.status {
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => ProblemKind::AccessDenied,
            StatusCode::NOT_FOUND => ProblemKind::Gone,
            StatusCode::PRECONDITION_FAILED => ProblemKind::ChangedMeanwhile,
            StatusCode::TOO_MANY_REQUESTS => ProblemKind::Throttled,
            status if status.is_server_error() => ProblemKind::ServerError,
            _ => ProblemKind::Refused,
        }
    }

    /// Whether the caller lacks the privilege to act on behalf of other users: then no
    /// user can be impersonated.
    ///
    /// The platform names the impersonated user even where the caller lacks a privilege, so the name
    /// of the privilege decides.
    pub fn is_impersonation_refused(&self) -> bool {
        self.code == Some(0x8004_A110) || self.message.contains("prvActOnBehalfOfAnotherUser")
    }

    /// Whether a request as `user` was made as the caller: it was refused because of the caller's
    /// rights, and contains the caller's id. The missing privilege to act on behalf of others is a different refusal
    /// ([`ServerFault::is_impersonation_refused`]).
    pub fn is_impersonation_dropped(&self, user: UserId, caller: UserId) -> bool {
        self.status == StatusCode::FORBIDDEN
            && user != caller
            && !self.is_impersonation_refused()
            && names(&self.message, caller)
            && !names(&self.message, user)
    }

    /// Whether the table does not support `If-Match` with a version (`OptimisticConcurrencyNotEnabled`).
    pub fn is_concurrency_unsupported(&self) -> bool {
        self.code == Some(0x8006_088D)
    }

    /// Whether this request lost a deadlock: SQL Server's error 1205. A repetition succeeds.
    pub(crate) fn is_deadlock(&self) -> bool {
        self.code == Some(0x8004_4150) && self.message.contains("Sql Number: 1205")
    }
}

impl fmt::Display for ServerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (HTTP {}", self.message, self.status.as_u16())?;
        if let Some(code) = self.code_text() {
            write!(f, ", code {code}")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, ", request {id}")?;
        }
        f.write_str(")")
    }
}

fn kind_by_code(code: u32, message: &str) -> Option<ProblemKind> {
    let kind = match code {
        0x8004_2F09 => ProblemKind::NoRoles,
        0x8004_D24B => ProblemKind::NoLicence,
        0x8004_0225 => ProblemKind::Disabled,
        0x8007_2560 => ProblemKind::NotAMember,
        0x8004_0207 => ProblemKind::UnknownUser,
        0x8004_0220 | 0x8004_0231 => privilege_kind(message),
        0x8004_8306 | 0x8004_8405 | 0x8007_2561 | 0x8004_A113 => ProblemKind::AccessDenied,
        0x8004_0217 | 0x8006_0891 => ProblemKind::Gone,
        0x8006_0882 | 0x8006_0883 => ProblemKind::ChangedMeanwhile,
        _ => return None,
    };
    Some(kind)
}

fn kind_by_message(message: &str) -> Option<ProblemKind> {
    let message = message.to_lowercase();
    let says = |text: &str| message.contains(text);
    if says("no roles are assigned") || says("has not been assigned any roles") {
        Some(ProblemKind::NoRoles)
    } else if says("is missing prv") {
        Some(privilege_kind(&message))
    } else if says("is disabled") || says("user is either disabled") {
        Some(ProblemKind::Disabled)
    } else if says("not a member of the organization") {
        Some(ProblemKind::NotAMember)
    } else {
        None
    }
}

fn privilege_kind(message: &str) -> ProblemKind {
    let message = message.to_lowercase();
    if message.contains("prvreaduserquery") {
        ProblemKind::NoReadPrivilege
    } else if message.contains("prvwriteuserquery") {
        ProblemKind::NoWritePrivilege
    } else {
        ProblemKind::NoPrivilege
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let names = ["x-ms-service-request-id", "req_id"];
    let value = names.iter().find_map(|name| headers.get(*name))?;
    value.to_str().ok().map(str::to_owned)
}

/// Whether a text contains the id, with or without hyphens and in any case.
fn names(text: &str, user: UserId) -> bool {
    let plain: String = text.chars().filter(|c| *c != '-').collect();
    let id = user.0.as_simple().to_string();
    plain.to_ascii_lowercase().contains(&id)
}

/// The documented error document.
#[derive(Deserialize)]
struct Document {
    error: DocumentError,
}

#[derive(Deserialize)]
struct DocumentError {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// Error documents of gateways and older builds, as reported by other clients.
#[derive(Deserialize)]
struct OtherDocument {
    #[serde(alias = "ExceptionMessage", alias = "message")]
    #[serde(rename = "Message")]
    message: String,
    #[serde(rename = "ErrorCode", default)]
    code: Option<i64>,
}

/// The parts of a refusal's body that are used.
struct FaultBody {
    code: Option<u32>,
    message: Option<String>,
    documented: bool,
}

fn read_document(body: &Bytes) -> FaultBody {
    if let Ok(Document { error }) = serde_json::from_slice(body) {
        return FaultBody {
            code: error.code.as_deref().and_then(parse_code),
            message: error.message.filter(|m| !m.is_empty()),
            documented: true,
        };
    }
    if let Ok(other) = serde_json::from_slice::<OtherDocument>(body) {
        return FaultBody {
            code: other.code.and_then(|code| parse_code(&code.to_string())),
            message: Some(other.message),
            documented: true,
        };
    }
    FaultBody {
        code: None,
        message: excerpt(body),
        documented: false,
    }
}

/// `0x80042f09`, or the same number as the signed decimal that the SDK prints.
fn parse_code(text: &str) -> Option<u32> {
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse::<i32>().ok().map(i32::cast_unsigned),
    }
}

/// The first characters of an answer that is not a document, without tags, on one line.
pub(crate) fn excerpt(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&body[..body.len().min(8 * 1024)]);
    let mut plain = String::new();
    let mut in_tag = false;
    for c in text.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                plain.push(' ');
            }
            _ if in_tag => {}
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    let words: Vec<_> = plain.split_whitespace().collect();
    let words: String = words.join(" ").chars().take(EXCERPT).collect();
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(status: u16, body: &str) -> ServerFault {
        let status = StatusCode::from_u16(status).unwrap();
        ServerFault::new(status, &HeaderMap::new(), &Bytes::from(body.to_owned()))
    }

    fn document(code: &str, message: &str) -> String {
        serde_json::json!({"error": {"code": code, "message": message}}).to_string()
    }

    #[test]
    fn each_documented_refusal_has_its_word() {
        for (status, code, message, kind) in [
            (
                403,
                "0x80042f09",
                "The user (Id = 1) has not been assigned any roles.",
                ProblemKind::NoRoles,
            ),
            (403, "0x8004D24B", "no licence", ProblemKind::NoLicence),
            (
                403,
                "0x80040220",
                "Principal user (Id=1, type=8) is missing prvReadUserQuery privilege (Id=2)",
                ProblemKind::NoReadPrivilege,
            ),
            (
                403,
                "0x80040220",
                "Principal user (Id=1, type=8) is missing prvWriteUserQuery privilege (Id=2)",
                ProblemKind::NoWritePrivilege,
            ),
            (
                403,
                "0x80040220",
                "The user does not hold the necessary privileges.",
                ProblemKind::NoPrivilege,
            ),
            (
                400,
                "",
                "The user with SystemUserId=1 in OrganizationContext=x is disabled. Disabled users cannot access the system.",
                ProblemKind::Disabled,
            ),
            (
                403,
                "",
                "no roles are assigned to user",
                ProblemKind::NoRoles,
            ),
            (
                403,
                "0x80072560",
                "The user is not a member of the organization.",
                ProblemKind::NotAMember,
            ),
            (
                404,
                "0x80040217",
                "The specified object was not found.",
                ProblemKind::Gone,
            ),
            (
                404,
                "",
                "userquery With Id = 1 Does Not Exist",
                ProblemKind::Gone,
            ),
            (
                412,
                "0x80060882",
                "The version of the existing record doesn't match",
                ProblemKind::ChangedMeanwhile,
            ),
            (
                400,
                "0x80048d19",
                "client payload error",
                ProblemKind::Refused,
            ),
            (500, "", "", ProblemKind::ServerError),
        ] {
            assert_eq!(
                fault(status, &document(code, message)).kind(),
                kind,
                "{message}"
            );
        }
    }

    #[test]
    fn the_callers_own_missing_privilege_is_told_from_a_users() {
        let named =
            "Principal user (Id=1, type=8) is missing prvActOnBehalfOfAnotherUser privilege (Id=2)";
        assert!(fault(403, &document("0x80040220", named)).is_impersonation_refused());
        assert!(fault(403, &document("0x8004A110", "")).is_impersonation_refused());
        assert!(!fault(403, &document("0x80040220", "")).is_impersonation_refused());
    }

    #[test]
    fn a_refusal_that_names_the_caller_in_place_of_the_user_was_not_made_as_the_user() {
        let (user, caller) = (
            UserId(uuid::Uuid::from_u128(0xA1)),
            UserId(uuid::Uuid::from_u128(0xB2)),
        );
        let missing = |id: UserId, privilege: &str| {
            let text = format!(
                "Principal user (Id={}, type=8) is missing {privilege} privilege",
                id.to_string().to_uppercase()
            );
            fault(403, &document("0x80040220", &text))
        };
        assert!(missing(caller, "prvReadUserQuery").is_impersonation_dropped(user, caller));
        assert!(!missing(user, "prvReadUserQuery").is_impersonation_dropped(user, caller));
        assert!(!missing(caller, "prvReadUserQuery").is_impersonation_dropped(caller, caller));
        assert!(
            !missing(caller, "prvActOnBehalfOfAnotherUser").is_impersonation_dropped(user, caller)
        );
    }

    #[test]
    fn older_documents_and_signed_codes_are_read() {
        let old = r#"{"error":{"code":"","message":"m","innererror":{"message":"m","type":"t","stacktrace":"s"}}}"#;
        assert_eq!(fault(400, old).message, "m");
        let other = fault(403, r#"{"Message":"missing","ErrorCode":-2147220960}"#);
        assert_eq!(other.code, Some(0x8004_0220));
    }

    #[test]
    fn a_page_of_a_gateway_is_cut_to_its_words() {
        let page = "<html><head><title>502 Bad Gateway</title></head>\r\n<body><h1>Bad   gateway</h1></body></html>";
        assert_eq!(fault(502, page).message, "502 Bad Gateway Bad gateway");
        assert_eq!(fault(502, "").message, "Bad Gateway");
        assert!(fault(500, &"x".repeat(10_000)).message.len() <= EXCERPT);
    }

    #[test]
    fn a_deadlock_is_recognised() {
        let message = " Sql error: Generic SQL error. CRM ErrorCode: -2147204784 Sql ErrorCode: -2146232060 Sql Number: 1205";
        assert!(fault(500, &document("0x80044150", message)).is_deadlock());
    }
}
