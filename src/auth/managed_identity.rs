//! The managed identity of an Azure machine: a service of the machine issues tokens.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header::HeaderValue;
use oauth2::HttpRequest;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::cache::{Grant, Occasion};
use super::refusal::SignInRefusal;
use super::token::Token;
use super::{Http, SignInError};

/// The endpoint on a virtual machine (Microsoft: "How to use managed identities to acquire an access token").
const IMDS: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// The service that issues tokens on this machine.
#[derive(Clone, Debug)]
pub struct IdentityService {
    url: String,
    /// The secret header of App Service, Functions and Container Apps.
    header: Option<SecretString>,
}

impl IdentityService {
    /// Reads the variables that the platform sets: `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` in App Service, else
    /// the instance metadata service (at `AZURE_POD_IDENTITY_AUTHORITY_HOST`, if that is set).
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        if let (Some(url), Some(header)) =
            (variable("IDENTITY_ENDPOINT"), variable("IDENTITY_HEADER"))
        {
            return Self {
                url,
                header: Some(SecretString::from(header)),
            };
        }
        let moved = variable("AZURE_POD_IDENTITY_AUTHORITY_HOST");
        let url = moved.map_or_else(
            || IMDS.to_owned(),
            |host| {
                format!(
                    "{}/metadata/identity/oauth2/token",
                    host.trim_end_matches('/')
                )
            },
        );
        Self { url, header: None }
    }
}

/// Requests tokens from that service.
#[derive(Debug)]
pub(super) struct ManagedIdentity {
    pub(super) http: Http,
    pub(super) service: IdentityService,
    pub(super) resource: String,
    /// The client id of a user-assigned identity; none for the system-assigned one.
    pub(super) client_id: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    access_token: SecretString,
    /// Seconds from now.
    expires_in: Option<u64>,
    /// Seconds since 1970: App Service sends nothing else.
    expires_on: Option<i64>,
}

const WHAT: &str = "signing in as the managed identity";

impl ManagedIdentity {
    fn request(&self) -> Result<HttpRequest, SignInError> {
        let mut url =
            Url::parse(&self.service.url).map_err(|error| SignInError::unusable(WHAT, error))?;
        let version = match self.service.header {
            Some(_) => "2019-08-01",
            None => "2018-02-01",
        };
        url.query_pairs_mut()
            .append_pair("api-version", version)
            .append_pair("resource", &self.resource);
        if let Some(client) = &self.client_id {
            url.query_pairs_mut().append_pair("client_id", client);
        }
        let mut request = HttpRequest::new(Vec::new());
        *request.uri_mut() = url
            .as_str()
            .parse()
            .map_err(|_| SignInError::unusable(WHAT, "the address cannot be asked"))?;
        let (name, value) = match &self.service.header {
            Some(header) => {
                let value = HeaderValue::try_from(header.expose_secret());
                let value = value.map_err(|_| {
                    SignInError::unusable(WHAT, "IDENTITY_HEADER cannot stand in a header")
                })?;
                ("x-identity-header", value)
            }
            None => ("metadata", HeaderValue::from_static("true")),
        };
        request.headers_mut().insert(name, value);
        Ok(request)
    }

    async fn ask(&self, now: i64) -> Result<Token, SignInError> {
        // The service answers 404 and 410 while it starts or is updated.
        let passing = |status| matches!(status, 404 | 410);
        let answer = self.http.send_to_machine(self.request()?, passing).await;
        let answer = answer.map_err(|error| error.during(WHAT))?;
        if !answer.status().is_success() {
            return Err(refused(answer.status().as_u16(), answer.body()));
        }
        let answer: Answer = serde_json::from_slice(answer.body())
            .map_err(|_| SignInError::bad_answer(WHAT, "the answer holds no token"))?;
        let until = answer.expires_on.map(|end| end.saturating_sub(now));
        let until = until.and_then(|seconds| u64::try_from(seconds).ok());
        let lifetime = answer.expires_in.or(until).map(Duration::from_secs);
        Ok(Token::new(answer.access_token.expose_secret(), lifetime))
    }
}

fn refused(status: u16, body: &[u8]) -> SignInError {
    if status == 400 {
        let refusal: SignInRefusal = serde_json::from_slice(body).unwrap_or_default();
        let said = refusal.error_description.unwrap_or(refusal.error);
        let said: String = said.chars().filter(|c| !c.is_control()).take(200).collect();
        let why = format!(
            "no such identity is assigned to this machine{}{said}",
            if said.is_empty() { "" } else { ": " }
        );
        return SignInError::tool_refused(WHAT, why);
    }
    SignInError::bad_answer(WHAT, format!("the answer has status {status}"))
}

impl Grant for ManagedIdentity {
    fn fetch(&self, _: Occasion) -> BoxFuture<'_, Result<Token, SignInError>> {
        self.ask(jiff::Timestamp::now().as_second()).boxed()
    }

    fn describe(&self) -> String {
        match &self.client_id {
            Some(client) => format!("the managed identity {client}"),
            None => "the managed identity of this machine".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(variables: &[(&str, &str)], client: Option<&str>) -> HttpRequest {
        let service = IdentityService::from_variables(|name| {
            let found = variables.iter().find(|(n, _)| *n == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let identity = ManagedIdentity {
            http: Http::new().unwrap(),
            service,
            resource: "https://contoso.crm4.dynamics.com".into(),
            client_id: client.map(str::to_owned),
        };
        identity.request().unwrap()
    }

    #[test]
    fn a_virtual_machine_asks_its_metadata_service() {
        let request = request(&[], Some("c-1"));
        assert_eq!(
            request.uri(),
            "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01\
             &resource=https%3A%2F%2Fcontoso.crm4.dynamics.com&client_id=c-1"
        );
        assert_eq!(request.headers()["metadata"], "true");
    }

    #[test]
    fn app_service_asks_where_its_variables_say() {
        let variables = [
            ("IDENTITY_ENDPOINT", "http://localhost:42356/msi/token"),
            ("IDENTITY_HEADER", "canary"),
        ];
        let request = request(&variables, None);
        assert_eq!(
            request.uri(),
            "http://localhost:42356/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fcontoso.crm4.dynamics.com"
        );
        assert_eq!(request.headers()["x-identity-header"], "canary");
        assert!(request.headers().get("metadata").is_none());
    }
}
