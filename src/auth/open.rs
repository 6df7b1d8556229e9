//! From a sign-in method to a source of tokens.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::EnvironmentUrl;

use super::application::{Application, ClientProof};
use super::cache::Cached;
use super::certificate::{Certificate, Signed};
use super::discover::{Discovered, challenge, judge};
use super::endpoint::Endpoint;
use super::federation::Federated;
use super::interactive::{Interactive, InteractiveMethod};
use super::keep::{Kept, TokenStore};
use super::managed_identity::ManagedIdentity;
use super::prompt::UserPrompt;
use super::secret::SecretFrom;
use super::tool::ToolGrant;
use super::{Challenge, GivenToken, Http, SignInError, SignInMethod, TokenSource, resource};

/// The environment to sign in to, with what the settings say of its identity provider.
#[derive(Clone, Debug)]
pub struct SignInTarget {
    /// The environment.
    pub environment: EnvironmentUrl,
    /// The tenant, where the settings name one.
    pub tenant: Option<String>,
    /// The host of the identity provider that the profile trusts.
    pub authority: Option<String>,
    /// The environment's challenge, where it is known without a request.
    pub known: Option<Challenge>,
}

/// Opens a source of tokens. Asks the environment for its identity provider where one is needed. Requests no token
/// yet.
pub async fn open(
    method: &SignInMethod,
    place: &SignInTarget,
    http: &Http,
    prompt: &Arc<dyn UserPrompt>,
) -> Result<Arc<dyn TokenSource>, SignInError> {
    let opener = Opener {
        place,
        http,
        prompt,
    };
    Ok(match method {
        SignInMethod::Given { token } => Arc::new(opener.given(token)?),
        SignInMethod::ClientSecret { client_id, secret } => {
            let proof = ClientProof::Secret(opener.secret("client secret", secret)?);
            Arc::new(opener.application(client_id, |_| Ok(proof)).await?)
        }
        SignInMethod::Certificate {
            client_id,
            file,
            password,
        } => {
            let password = password.as_ref();
            let password = password.map(|from| opener.secret("password of the certificate", from));
            let certificate = Certificate::read(file, password.transpose()?.as_ref())?;
            let signed = |endpoint: &Endpoint| {
                Ok(ClientProof::Assertion(Box::new(Signed {
                    certificate,
                    authority: endpoint.authority.clone(),
                    client: endpoint.client_id.clone(),
                })))
            };
            Arc::new(opener.application(client_id, signed).await?)
        }
        SignInMethod::Federation { client_id, from } => {
            let federated = Federated {
                from: from.clone(),
                http: http.clone(),
            };
            let proof = ClientProof::Assertion(Box::new(federated));
            Arc::new(opener.application(client_id, |_| Ok(proof)).await?)
        }
        SignInMethod::ManagedIdentity { client_id, service } => {
            Arc::new(Cached::new(ManagedIdentity {
                http: http.clone(),
                service: service.clone(),
                resource: opener.own_resource(),
                client_id: client_id.clone(),
            }))
        }
        SignInMethod::Tool { tool, program } => {
            let (resource, tenant) = (opener.own_resource(), place.tenant.as_deref());
            let grant = ToolGrant::new(*tool, program.clone(), &resource, tenant)?;
            Arc::new(Cached::new(grant))
        }
        SignInMethod::DeviceCode { .. }
        | SignInMethod::Browser { .. }
        | SignInMethod::Password { .. } => Arc::new(Cached::new(opener.interactive(method).await?)),
        SignInMethod::Windows { protocol, .. } => {
            let why = "it signs in connections, and here a token is needed";
            let what = format!("sign-in `{}`", protocol.as_str());
            return Err(SignInError::unusable(what, why));
        }
    })
}

/// Deletes a kept sign-in. Returns whether there was one. Sends nothing.
pub fn forget(method: &SignInMethod, place: &SignInTarget) -> Result<bool, SignInError> {
    kept_of(method, place).map_or(Ok(false), |kept| kept.forget())
}

/// Whether a sign-in is kept for the next command. Sends nothing.
///
/// # Errors
/// Where the key store cannot be used.
pub fn is_kept(method: &SignInMethod, place: &SignInTarget) -> Result<bool, SignInError> {
    kept_of(method, place).map_or(Ok(false), |kept| kept.is_there())
}

fn kept_of(method: &SignInMethod, place: &SignInTarget) -> Option<Kept> {
    match method {
        SignInMethod::DeviceCode { client_id, keep }
        | SignInMethod::Browser {
            client_id, keep, ..
        } => Some(kept(keep, place, client_id, "").with_somebody_there(true)),
        _ => None,
    }
}

fn kept(keep: &TokenStore, place: &SignInTarget, client_id: &str, token_url: &str) -> Kept {
    let name = format!("{} {client_id}", place.environment);
    Kept::new(keep.clone(), name, token_url.to_owned())
}

struct Opener<'a> {
    place: &'a SignInTarget,
    http: &'a Http,
    prompt: &'a Arc<dyn UserPrompt>,
}

impl Opener<'_> {
    fn given(&self, token: &SecretFrom) -> Result<GivenToken, SignInError> {
        use secrecy::ExposeSecret;
        let token = self.secret("access token", token)?;
        let address = self.place.environment.as_url();
        GivenToken::for_address(token.expose_secret(), address, Timestamp::now())
    }

    fn secret(&self, what: &str, from: &SecretFrom) -> Result<secrecy::SecretString, SignInError> {
        from.read(what, |what| self.prompt.ask(what))
    }

    async fn endpoint(&self, client_id: &str) -> Result<Endpoint, SignInError> {
        let place = self.place;
        let challenge = match &place.known {
            Some(known) => known.clone(),
            None => challenge(self.http, &place.environment).await?,
        };
        let vouched = place.authority.as_deref();
        let Discovered {
            authority,
            resource,
        } = judge(
            &place.environment,
            &challenge,
            vouched,
            place.tenant.as_deref(),
        )?;
        Ok(Endpoint {
            http: self.http.clone(),
            authority,
            resource,
            client_id: client_id.to_owned(),
        })
    }

    async fn application(
        &self,
        client_id: &str,
        proof: impl FnOnce(&Endpoint) -> Result<ClientProof, SignInError>,
    ) -> Result<Cached<Application>, SignInError> {
        let endpoint = self.endpoint(client_id).await?;
        endpoint.authority.of_one_tenant()?;
        let proof = proof(&endpoint)?;
        Ok(Cached::new(Application { endpoint, proof }))
    }

    async fn interactive(&self, method: &SignInMethod) -> Result<Interactive, SignInError> {
        let (client_id, how, keep) = match method {
            SignInMethod::DeviceCode { client_id, keep } => {
                (client_id, InteractiveMethod::DeviceCode, keep.clone())
            }
            SignInMethod::Browser {
                client_id,
                port,
                keep,
            } => (
                client_id,
                InteractiveMethod::Browser { port: *port },
                keep.clone(),
            ),
            SignInMethod::Password {
                client_id,
                user,
                password,
            } => {
                let (user, from) = (user.clone(), password.clone());
                (
                    client_id,
                    InteractiveMethod::Password { user, from },
                    TokenStore::No,
                )
            }
            other => {
                let why = "it is no way for a person to sign in";
                return Err(SignInError::unusable(other.word(), why));
            }
        };
        let endpoint = self.endpoint(client_id).await?;
        let needs_ad_fs = matches!(how, InteractiveMethod::Password { .. });
        if needs_ad_fs && !endpoint.authority.is_ad_fs() {
            return Err(SignInError::unusable(
                "signing in with a password",
                "this environment is at Entra ID, where a password alone is no sign-in; use client-secret or certificate",
            ));
        }
        let token_url = String::from(endpoint.authority.token_url());
        Ok(Interactive {
            kept: Arc::new(
                kept(&keep, self.place, client_id, &token_url)
                    .with_somebody_there(self.prompt.is_there()),
            ),
            endpoint,
            how,
            prompt: Arc::clone(self.prompt),
        })
    }

    /// The resource where the environment is not asked.
    fn own_resource(&self) -> String {
        resource(self.place.environment.as_url(), None, None)
    }
}
