//! One application at one identity provider, for one environment: the client of the `oauth2` crate.

use oauth2::basic::{
    BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenResponse,
};
use oauth2::{
    AuthType, AuthUrl, ClientId, ClientSecret, DeviceAuthorizationUrl, EndpointNotSet, EndpointSet,
    ErrorResponse, RefreshToken, RequestTokenError, Scope, StandardRevocableToken, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};

use super::refusal::SignInRefusal;
use super::token::Token;
use super::{Authority, Http, HttpError, SignInError};

type Client = oauth2::Client<
    SignInRefusal,
    BasicTokenResponse,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Who requests the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenRequester {
    Application,
    /// A user, through the application.
    Person,
}

/// One application at one identity provider, for one environment.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) http: Http,
    pub(super) authority: Authority,
    pub(super) resource: String,
    pub(super) client_id: String,
}

impl Endpoint {
    pub(super) fn client(&self) -> Client {
        let authority = &self.authority;
        oauth2::Client::new(ClientId::new(self.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(authority.authorize_url()))
            .set_token_uri(TokenUrl::from_url(authority.token_url()))
            .set_device_authorization_url(DeviceAuthorizationUrl::from_url(authority.device_url()))
            .set_auth_type(AuthType::RequestBody)
    }

    pub(super) fn client_with(&self, secret: &SecretString) -> Client {
        let secret = ClientSecret::new(secret.expose_secret().to_owned());
        self.client().set_client_secret(secret)
    }

    /// The scopes of the request. Entra ID reads the resource from the scope, AD FS from a separate parameter.
    ///
    /// Microsoft: "Scopes and permissions" (`/.default`), "Use OAuth with Dataverse" (`user_impersonation`); the AD FS
    /// page on `OAuth` flows (`resource`, without which the token cannot be used here).
    pub(super) fn scopes(&self, asker: TokenRequester) -> Vec<Scope> {
        let resource = &self.resource;
        let scopes = match (&self.authority, asker) {
            (Authority::AdFs { .. }, _) => vec!["openid".to_owned()],
            (Authority::Entra { .. }, TokenRequester::Application) => {
                vec![format!("{resource}/.default")]
            }
            (Authority::Entra { .. }, TokenRequester::Person) => vec![
                format!("{resource}/user_impersonation"),
                "offline_access".to_owned(),
            ],
        };
        scopes.into_iter().map(Scope::new).collect()
    }

    /// Further parameters that the provider needs.
    pub(super) fn extra(&self) -> Vec<(&'static str, String)> {
        match &self.authority {
            Authority::AdFs { .. } => vec![("resource", self.resource.clone())],
            Authority::Entra { .. } => Vec::new(),
        }
    }

    /// Exchanges a refresh token. The answer may contain the next one.
    pub(super) async fn refresh(&self, refresh: &SecretString) -> Result<Token, SignInError> {
        const WHAT: &str = "renewing the sign-in";
        let client = self.client();
        let refresh = RefreshToken::new(refresh.expose_secret().to_owned());
        let mut request = client
            .exchange_refresh_token(&refresh)
            .add_scopes(self.scopes(TokenRequester::Person));
        for (name, value) in self.extra() {
            request = request.add_extra_param(name, value);
        }
        let answer = request.request_async(&self.http).await;
        answer
            .map(Token::from)
            .map_err(|error| self.error(WHAT, error))
    }

    /// The error with everything that the provider said.
    pub(super) fn error<T>(&self, what: &str, error: RequestTokenError<HttpError, T>) -> SignInError
    where
        T: ErrorResponse + Into<SignInRefusal> + 'static,
    {
        match error {
            RequestTokenError::ServerResponse(refusal) => self.refused(what, refusal.into()),
            RequestTokenError::Request(error) => error.during(what),
            // Neither may show the body, which could contain a token in an unknown form.
            RequestTokenError::Parse(error, _) => SignInError::bad_answer(
                what,
                format!(
                    "the answer is not that of a token endpoint, at `{}`",
                    error.path()
                ),
            ),
            RequestTokenError::Other(why) => SignInError::bad_answer(what, why),
        }
    }

    pub(super) fn refused(&self, what: &str, refusal: SignInRefusal) -> SignInError {
        SignInError::Refused {
            what: what.to_owned(),
            refusal: Box::new(refusal),
            consent: self.authority.consent_url(&self.client_id),
        }
    }
}

impl From<oauth2::DeviceCodeErrorResponse> for SignInRefusal {
    fn from(error: oauth2::DeviceCodeErrorResponse) -> Self {
        let description = error.error_description().map(String::as_str);
        Self::plain(error.error().as_ref(), description)
    }
}
