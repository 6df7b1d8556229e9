//! Asks the environment where to sign in.

use http::StatusCode;
use oauth2::HttpRequest;
use url::Url;

use crate::model::EnvironmentUrl;

use super::{Authority, Challenge, Http, SignInError, resource};

const WHAT: &str = "asking the environment where to sign in";

/// The versions to ask under: online, on-premises 9, on-premises 8.
const API_VERSIONS: [&str; 3] = ["9.2", "9.1", "8.2"];

/// Where to sign in, and for which resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovered {
    /// The identity provider, which is trusted.
    pub authority: Authority,
    /// The resource that the token has to be for.
    pub resource: String,
}

/// Sends one request without a token and reads the challenge in its answer.
///
/// Microsoft: "Use OAuth with Dataverse" (the 401 names authority and resource).
pub async fn challenge(
    http: &Http,
    environment: &EnvironmentUrl,
) -> Result<Challenge, SignInError> {
    offer(http, environment)
        .await
        .map(|(challenge, _)| challenge)
}

/// As [`challenge`], with the root of the Web API that was asked.
pub(super) async fn offer(
    http: &Http,
    environment: &EnvironmentUrl,
) -> Result<(Challenge, Url), SignInError> {
    let named = environment.api_version();
    let mut last = None;
    for version in named.into_iter().chain(API_VERSIONS) {
        let url = environment.service_root(version);
        let answer = http.send(request(&url)?).await;
        let answer = answer.map_err(|error| error.during(WHAT))?;
        let challenge = Challenge::read(answer.headers());
        if challenge.authorization_uri.is_some() || challenge.windows() {
            return Ok((challenge, url));
        }
        last = Some(answer.status());
        if !matches!(
            answer.status(),
            StatusCode::NOT_FOUND | StatusCode::NOT_IMPLEMENTED
        ) {
            break;
        }
    }
    let status = last.map_or(0, |status| status.as_u16());
    Err(SignInError::NoChallenge {
        address: environment.to_string(),
        why: format!("it answers with status {status} and names no identity provider"),
    })
}

/// Decides whether the identity provider that the environment names is trusted.
///
/// `vouched` is the host that the profile names; `tenant` overrides the challenge's.
pub fn judge(
    environment: &EnvironmentUrl,
    challenge: &Challenge,
    vouched: Option<&str>,
    tenant: Option<&str>,
) -> Result<Discovered, SignInError> {
    let Some(uri) = &challenge.authorization_uri else {
        return Err(SignInError::WindowsOnly {
            address: environment.to_string(),
        });
    };
    let authority = Authority::trust(uri, vouched, tenant)?;
    let named = challenge.resource.as_deref();
    let resource = resource(environment.as_url(), named, Some(&authority));
    Ok(Discovered {
        authority,
        resource,
    })
}

fn request(url: &Url) -> Result<HttpRequest, SignInError> {
    let mut request = HttpRequest::new(Vec::new());
    *request.uri_mut() = url
        .as_str()
        .parse()
        .map_err(|_| SignInError::unusable(WHAT, "the address cannot be asked"))?;
    Ok(request)
}
