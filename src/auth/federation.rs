//! Workload identity federation: a statement of another provider replaces a secret.
//!
//! Every token request needs a new statement: a statement is valid for minutes, and a long run renews for hours.

use std::path::PathBuf;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderValue};
use oauth2::HttpRequest;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::bounded_file;
use crate::model::text::decode;

use super::application::Assertion;
use super::secret::{SecretFrom, shown_path};
use super::{Http, SignInError};

/// The audience that Entra ID requires in the statement of another provider (Microsoft: "Workload identity
/// federation").
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// The source of the other provider's statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Federation {
    /// A file that another program keeps up to date (`AZURE_FEDERATED_TOKEN_FILE`); read again every time.
    File(PathBuf),
    /// GitHub Actions, with `permissions: id-token: write`.
    GitHub {
        /// `ACTIONS_ID_TOKEN_REQUEST_URL`.
        url: String,
        /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
        token: SecretFrom,
    },
    /// Azure Pipelines, with a service connection.
    Pipelines {
        /// `SYSTEM_OIDCREQUESTURI`.
        url: String,
        /// The id of the service connection.
        connection: String,
        /// `SYSTEM_ACCESSTOKEN`.
        token: SecretFrom,
    },
}

#[derive(Debug)]
pub(super) struct Federated {
    pub(super) from: Federation,
    pub(super) http: Http,
}

#[derive(Deserialize)]
struct GitHubAnswer {
    value: SecretString,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PipelinesAnswer {
    oidc_token: SecretString,
}

impl Federated {
    async fn statement(&self) -> Result<SecretString, SignInError> {
        match &self.from {
            Federation::File(path) => {
                // Such a file is mounted for this process, and its permissions are set by the platform.
                let wrong = |why: &dyn std::fmt::Display| {
                    let why = format!("{}: {why}", shown_path(path));
                    SignInError::unusable("reading the federated token", why)
                };
                let bytes = bounded_file::read(path, super::secret::LONGEST_FILE)
                    .map_err(|error| wrong(&error))?;
                let text = decode(&bytes).map_err(|why| wrong(&why))?;
                Ok(SecretString::from(text.trim()))
            }
            Federation::GitHub { url, token } => {
                const WHAT: &str = "getting a token from GitHub Actions";
                let request = github_request(url, &token.read("request token", |_| None)?);
                let answer: GitHubAnswer = self.ask(WHAT, request).await?;
                Ok(answer.value)
            }
            Federation::Pipelines {
                url,
                connection,
                token,
            } => {
                const WHAT: &str = "getting a token from Azure Pipelines";
                let token = token.read("access token of the job", |_| None)?;
                let request = pipelines_request(url, connection, &token);
                let answer: PipelinesAnswer = self.ask(WHAT, request).await?;
                Ok(answer.oidc_token)
            }
        }
    }

    async fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        what: &str,
        request: Result<HttpRequest, SignInError>,
    ) -> Result<T, SignInError> {
        let answer = self.http.send(request?).await;
        let answer = answer.map_err(|error| error.during(what))?;
        if !answer.status().is_success() {
            let why = format!("the answer has status {}", answer.status().as_u16());
            return Err(SignInError::tool_refused(what, why));
        }
        serde_json::from_slice(answer.body())
            .map_err(|_| SignInError::bad_answer(what, "the answer holds no token"))
    }
}

fn parse(url: &str) -> Result<Url, SignInError> {
    Url::parse(url)
        .map_err(|error| SignInError::unusable("the address of the token service", error))
}

fn bearer(token: &SecretString) -> Result<HeaderValue, SignInError> {
    HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
        .map_err(|_| SignInError::NotAToken)
}

fn request(method: Method, url: &Url, token: &SecretString) -> Result<HttpRequest, SignInError> {
    let mut request = HttpRequest::new(Vec::new());
    *request.method_mut() = method;
    *request.uri_mut() = url.as_str().parse().map_err(|_| {
        SignInError::unusable("the address of the token service", "it cannot be asked")
    })?;
    request.headers_mut().insert(AUTHORIZATION, bearer(token)?);
    Ok(request)
}

fn github_request(url: &str, token: &SecretString) -> Result<HttpRequest, SignInError> {
    let mut url = parse(url)?;
    url.query_pairs_mut().append_pair("audience", AUDIENCE);
    request(Method::GET, &url, token)
}

fn pipelines_request(
    url: &str,
    connection: &str,
    token: &SecretString,
) -> Result<HttpRequest, SignInError> {
    let mut url = parse(url)?;
    url.query_pairs_mut()
        .append_pair("api-version", "7.1")
        .append_pair("serviceConnectionId", connection);
    let mut request = request(Method::POST, &url, token)?;
    let headers = request.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    headers.insert(
        "x-tfs-fedauthredirect",
        HeaderValue::from_static("Suppress"),
    );
    Ok(request)
}

impl Assertion for Federated {
    fn fresh(&self) -> BoxFuture<'_, Result<SecretString, SignInError>> {
        self.statement().boxed()
    }

    fn describe(&self) -> String {
        match &self.from {
            Federation::File(path) => format!("the federated token {}", shown_path(path)),
            Federation::GitHub { .. } => "the token of this GitHub Actions job".into(),
            Federation::Pipelines { .. } => "the token of this Azure Pipelines job".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn github_is_asked_for_the_audience_of_entra() {
        let token = SecretString::from("t");
        let request = github_request("https://github.example/token?api-version=2", &token).unwrap();
        assert_eq!(
            request.uri(),
            "https://github.example/token?api-version=2&audience=api%3A%2F%2FAzureADTokenExchange"
        );
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer t");
    }

    #[test]
    fn pipelines_are_asked_without_a_redirect_to_a_sign_in_page() {
        let token = SecretString::from("t");
        let request = pipelines_request("https://pipelines.example/x", "c-1", &token).unwrap();
        assert_eq!(request.method(), Method::POST);
        assert_eq!(
            request.uri(),
            "https://pipelines.example/x?api-version=7.1&serviceConnectionId=c-1"
        );
        assert_eq!(request.headers()["x-tfs-fedauthredirect"], "Suppress");
    }
}
