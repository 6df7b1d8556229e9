//! Signing in as a user: with a code on another device, in the browser, or with a password; and renewing it silently.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use oauth2::{ResourceOwnerPassword, ResourceOwnerUsername, StandardDeviceAuthorizationResponse};
use secrecy::{ExposeSecret, SecretString};

use super::SignInError;
use super::browser;
use super::cache::{Grant, Occasion};
use super::endpoint::{Endpoint, TokenRequester};
use super::keep::Kept;
use super::key_store;
use super::prompt::{PromptText, UserPrompt};
use super::secret::SecretFrom;
use super::token::Token;

/// How a user signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum InteractiveMethod {
    /// With a code that is entered on any device (RFC 8628).
    DeviceCode,
    /// In the browser of this machine (RFC 6749 4.1, RFC 7636, RFC 8252). AD FS requires the registered port.
    Browser { port: Option<u16> },
    /// With user name and password: for service accounts at AD FS, where applications cannot sign in.
    Password { user: String, from: SecretFrom },
}

/// Signs a user in once, and then uses the refresh token.
#[derive(Debug)]
pub(super) struct Interactive {
    pub(super) endpoint: Endpoint,
    pub(super) how: InteractiveMethod,
    pub(super) prompt: Arc<dyn UserPrompt>,
    pub(super) kept: Arc<Kept>,
}

impl Interactive {
    async fn token(&self, occasion: Occasion) -> Result<Token, SignInError> {
        let token = match self.kept.apart(Kept::load).await? {
            None => self.anew(occasion).await?,
            Some(refresh) => match self.endpoint.refresh(&refresh).await {
                Err(SignInError::Refused { refusal, .. })
                    if !refusal.is_passing() && self.may_start_over(occasion) =>
                {
                    self.kept.apart(Kept::forget).await?;
                    self.anew(occasion).await?
                }
                other => other?,
            },
        };
        if let Some(refresh) = token.refresh.clone() {
            self.kept.apart(move |kept| kept.store(&refresh)).await?;
        }
        if occasion == Occasion::First
            && let Some(why) = self.kept.trouble()
        {
            self.prompt.tell(&PromptText::NotKept { why });
        }
        Ok(token)
    }

    /// Whether a new sign-in may start: a password needs no user, and a user is asked only at the start of a command.
    fn may_start_over(&self, occasion: Occasion) -> bool {
        occasion == Occasion::First || matches!(self.how, InteractiveMethod::Password { .. })
    }

    async fn anew(&self, occasion: Occasion) -> Result<Token, SignInError> {
        if !self.may_start_over(occasion) {
            return Err(SignInError::NobodyThere {
                what: "renewing the sign-in".into(),
            });
        }
        if !matches!(self.how, InteractiveMethod::Password { .. }) && !self.prompt.is_there() {
            // A kept sign-in, if there is one, cannot be read: that is the more useful message.
            if let Some(why) = self.kept.trouble() {
                return Err(key_store::unusable(&why));
            }
            return Err(SignInError::NobodyThere {
                what: "signing in".into(),
            });
        }
        match &self.how {
            InteractiveMethod::DeviceCode => self.by_code().await,
            InteractiveMethod::Browser { port } => {
                browser::sign_in(&self.endpoint, *port, &*self.prompt).await
            }
            InteractiveMethod::Password { user, from } => {
                let ask = |what: &str| self.prompt.ask(&format!("{what} of {user}"));
                let password = from.read("password", ask)?;
                self.by_password(user, &password).await
            }
        }
    }

    async fn by_password(&self, user: &str, password: &SecretString) -> Result<Token, SignInError> {
        const WHAT: &str = "signing in with a password";
        let client = self.endpoint.client();
        let user = ResourceOwnerUsername::new(user.to_owned());
        let password = ResourceOwnerPassword::new(password.expose_secret().to_owned());
        let mut request = client
            .exchange_password(&user, &password)
            .add_scopes(self.endpoint.scopes(TokenRequester::Person));
        for (name, value) in self.endpoint.extra() {
            request = request.add_extra_param(name, value);
        }
        let answer = request.request_async(&self.endpoint.http).await;
        answer
            .map(Token::from)
            .map_err(|error| self.endpoint.error(WHAT, error))
    }

    async fn by_code(&self) -> Result<Token, SignInError> {
        const WHAT: &str = "signing in with a code";
        let endpoint = &self.endpoint;
        let client = endpoint.client();
        let mut request = client
            .exchange_device_code()
            .add_scopes(endpoint.scopes(TokenRequester::Person));
        for (name, value) in endpoint.extra() {
            request = request.add_extra_param(name, value);
        }
        let answer = request.request_async(&endpoint.http).await;
        let codes: StandardDeviceAuthorizationResponse =
            answer.map_err(|error| endpoint.error(WHAT, error))?;
        let minutes = codes.expires_in().as_secs() / 60;
        self.prompt.tell(&PromptText::Code {
            address: codes.verification_uri().to_string(),
            code: codes.user_code().secret().clone(),
            minutes,
        });
        let mut poll = client
            .exchange_device_access_token(&codes)
            .set_max_backoff_interval(Duration::from_secs(30));
        for (name, value) in endpoint.extra() {
            poll = poll.add_extra_param(name, value);
        }
        let answer = poll
            .request_async(&endpoint.http, tokio::time::sleep, None)
            .await;
        answer
            .map(Token::from)
            .map_err(|error| endpoint.error(WHAT, error))
    }
}

impl Grant for Interactive {
    fn fetch(&self, occasion: Occasion) -> BoxFuture<'_, Result<Token, SignInError>> {
        self.token(occasion).boxed()
    }

    fn is_ad_fs(&self) -> bool {
        self.endpoint.authority.is_ad_fs()
    }

    fn describe(&self) -> String {
        let how = match &self.how {
            InteractiveMethod::DeviceCode => "a code".to_owned(),
            InteractiveMethod::Browser { .. } => "the browser".to_owned(),
            InteractiveMethod::Password { user, .. } => format!("the password of {user}"),
        };
        let (client, authority) = (&self.endpoint.client_id, &self.endpoint.authority);
        format!("{how}, by way of application {client} at {authority}")
    }
}
