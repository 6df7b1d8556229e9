//! Signing in as an application: with a secret, or with a signed statement (of a certificate, or of another provider).

use std::fmt;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};

use super::SignInError;
use super::cache::{Grant, Occasion};
use super::endpoint::{Endpoint, TokenRequester};
use super::token::Token;

/// `client_assertion_type` (RFC 7523 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Makes the statement that proves the application's identity, a new one for every token request.
pub(super) trait Assertion: Send + Sync + fmt::Debug {
    fn fresh(&self) -> BoxFuture<'_, Result<SecretString, SignInError>>;

    /// A description for people.
    fn describe(&self) -> String;
}

/// How the application proves its identity.
#[derive(Debug)]
pub(super) enum ClientProof {
    Secret(SecretString),
    Assertion(Box<dyn Assertion>),
}

/// Client credentials (Microsoft: "OAuth 2.0 client credentials flow").
#[derive(Debug)]
pub(super) struct Application {
    pub(super) endpoint: Endpoint,
    pub(super) proof: ClientProof,
}

impl Application {
    async fn ask(&self) -> Result<Token, SignInError> {
        const WHAT: &str = "signing in as an application";
        let endpoint = &self.endpoint;
        let (client, mut extra) = match &self.proof {
            ClientProof::Secret(secret) => (endpoint.client_with(secret), endpoint.extra()),
            ClientProof::Assertion(assertion) => {
                let mut extra = endpoint.extra();
                extra.push(("client_assertion_type", JWT_BEARER.to_owned()));
                let statement = assertion.fresh().await?;
                extra.push(("client_assertion", statement.expose_secret().to_owned()));
                (endpoint.client(), extra)
            }
        };
        let mut request = client
            .exchange_client_credentials()
            .add_scopes(endpoint.scopes(TokenRequester::Application));
        for (name, value) in extra.drain(..) {
            request = request.add_extra_param(name, value);
        }
        let answer = request.request_async(&endpoint.http).await;
        answer
            .map(Token::from)
            .map_err(|error| endpoint.error(WHAT, error))
    }
}

impl Grant for Application {
    fn fetch(&self, _: Occasion) -> BoxFuture<'_, Result<Token, SignInError>> {
        self.ask().boxed()
    }

    fn is_ad_fs(&self) -> bool {
        self.endpoint.authority.is_ad_fs()
    }

    fn describe(&self) -> String {
        let how = match &self.proof {
            ClientProof::Secret(_) => "a client secret".to_owned(),
            ClientProof::Assertion(assertion) => assertion.describe(),
        };
        let (client, authority) = (&self.endpoint.client_id, &self.endpoint.authority);
        format!("{how} of application {client} at {authority}")
    }
}
