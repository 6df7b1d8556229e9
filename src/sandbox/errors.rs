//! Errors with their documented codes and messages.

use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::odata::{Annotations, QueryError, REQUEST};
use super::rights::Privilege;

/// An error answer of the service
/// (Microsoft: "Compose HTTP requests and handle errors", "Web service error codes").
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status} {code} {message}")]
pub(super) struct ApiError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// `Retry-After`, ready to be written.
    pub(super) retry_after: Option<String>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// A request that is refused for what it is: its path, its method, its query or its media type.
    pub(super) fn of_request(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, REQUEST, message)
    }

    /// A request that cannot be read.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::of_request(StatusCode::BAD_REQUEST, message)
    }

    /// A body that cannot be read.
    pub(super) fn payload(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "0x80048d19", message)
    }

    /// A path to an unknown resource.
    pub(super) fn no_resource(segment: &str) -> Self {
        Self::of_request(
            StatusCode::NOT_FOUND,
            format!("Resource not found for the segment '{segment}'."),
        )
    }

    /// A method that the resource does not support.
    pub(super) fn method(method: &str) -> Self {
        Self::of_request(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("The requested resource does not support http method '{method}'."),
        )
    }

    /// `ObjectDoesNotExist`.
    pub(super) fn missing(logical_name: &str, id: Uuid) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "0x80040217",
            format!("{logical_name} With Id = {id} Does Not Exist"),
        )
    }

    /// `PrivilegeDenied`; the message names the impersonated user even when the impersonator lacks it.
    pub(super) fn privilege(user: Uuid, roles: usize, rights: u32, missing: Privilege) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "0x80040220",
            format!(
                "Principal user (Id={user}, type=8, roleCount={roles}, privilegeCount={rights}) is missing {} privilege (Id={})",
                missing.name(),
                missing.id()
            ),
        )
    }

    /// `unManagedIdsAccessDenied`: the user has the privilege, but not for this row.
    pub(super) fn access(user: Uuid, right: &str, id: Uuid) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "0x80048306",
            format!(
                "Principal with id {user} does not have {right} right(s) for record with id {id} of entity userquery"
            ),
        )
    }

    /// `CannotActOnBehalfOfAnotherUser`.
    pub(super) fn act_on_behalf() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "0x8004A110",
            "User does not have the privilege to act on behalf another user.",
        )
    }

    /// A disabled user, as caller or impersonated.
    pub(super) fn disabled(user: Uuid, organization: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "0x80040225",
            format!(
                "The user with SystemUserId={user} in OrganizationContext={organization} is disabled. Disabled users cannot access the system. Consider enabling this user. Also, users are disabled if they don't have a license assigned to them."
            ),
        )
    }

    /// `UserNotAssignedRoles`.
    pub(super) fn no_roles(user: Uuid) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "0x80042f09",
            format!("The user (Id = {user}) has not been assigned any roles."),
        )
    }

    /// `UserNotAssignedLicense`.
    pub(super) fn no_license(user: Uuid) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "0x8004D24B",
            format!(
                "The user (Id = {user}) has not been assigned any License. Please assign one or more Licenses to the user."
            ),
        )
    }

    /// `UserNotMemberOfOrg`.
    pub(super) fn not_a_member() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "0x80072560",
            "The user is not a member of the organization.",
        )
    }

    /// `unManagedidsinvaliduserid`.
    pub(super) fn invalid_user(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "0x80040207", message)
    }

    /// `ConcurrencyVersionMismatch`.
    pub(super) fn stale() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "0x80060882",
            "The version of the existing record doesn't match the RowVersion property provided.",
        )
    }

    /// `If-None-Match: *` on a row that exists.
    pub(super) fn exists() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "0x80040237",
            "A record with matching key values already exists.",
        )
    }

    /// The request that lost a SQL deadlock.
    pub(super) fn deadlock() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "0x80044150",
            " Sql error: Generic SQL error. CRM ErrorCode: -2147204784 Sql ErrorCode: -2146232060 Sql Number: 1205",
        )
    }

    pub(super) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "0x80040216",
            "An unexpected error occurred.",
        )
    }

    /// A refusal with `Retry-After`.
    pub(super) fn later(mut self, retry_after: String) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// The body: in the present form, or with `innererror` as in 8.x and on-premises.
    pub(super) fn body(&self, with_inner_error: bool, annotations: &Annotations) -> String {
        let mut error = json!({ "code": self.code, "message": self.message });
        if with_inner_error {
            error["innererror"] = json!({
                "message": self.message,
                "type": "Microsoft.Crm.CrmHttpException",
                "stacktrace": "   at Microsoft.Crm.Extensibility.OData.CrmODataExecutionContext.OnException()"
            });
        }
        for (name, value) in self.annotations() {
            if annotations.wants(name) {
                error[format!("@{name}")] = Value::String(value);
            }
        }
        json!({ "error": error }).to_string()
    }

    fn annotations(&self) -> [(&'static str, String); 4] {
        let link = format!(
            "http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a{}&client=platform",
            self.code.trim_start_matches("0x")
        );
        [
            (
                "Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus",
                "0".to_owned(),
            ),
            (
                "Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode",
                "0".to_owned(),
            ),
            ("Microsoft.PowerApps.CDS.HelpLink", link),
            (
                "Microsoft.PowerApps.CDS.InnerError.Message",
                self.message.clone(),
            ),
        ]
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
        Self::new(status, error.code, error.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_the_documented_shape() {
        let body = ApiError::stale().body(false, &Annotations::default());
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["error"]["code"], "0x80060882");
        assert_eq!(body["error"].as_object().unwrap().len(), 2);
    }

    #[test]
    fn older_servers_add_an_inner_error() {
        let body = ApiError::stale().body(true, &Annotations::default());
        assert!(body.contains("Microsoft.Crm.CrmHttpException"));
    }

    #[test]
    fn annotations_come_when_asked_for() {
        let body = ApiError::stale().body(false, &Annotations::parse("*"));
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            body["error"]["@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus"],
            "0"
        );
        let link = &body["error"]["@Microsoft.PowerApps.CDS.HelpLink"];
        assert!(link.as_str().unwrap().contains("%3a80060882&"));
    }
}
