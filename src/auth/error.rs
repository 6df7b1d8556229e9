//! Why there is no token.

use std::fmt;

use jiff::Timestamp;

use super::advice::advice;
use super::claims::WrongAudience;
use super::refusal::SignInRefusal;

/// Why there is no token. Cheap to clone, because all workers that waited get the same one.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SignInError {
    /// The text cannot be a token.
    #[error("the access token holds characters that no token has")]
    NotAToken,
    /// No token was given.
    #[error("there is no access token")]
    Missing,
    /// By its own claims the token has expired.
    #[error("the access token has expired, at {}", end.strftime("%Y-%m-%d %H:%M UTC"))]
    TokenExpired {
        /// The end of its validity.
        end: Timestamp,
        /// The scope of a token for the intended address.
        scope: String,
    },
    /// By its own claims the token is not valid yet, measured by the server's clock.
    #[error(
        "the access token is valid from {} only, and the clock of the server says {}",
        begin.strftime("%Y-%m-%d %H:%M:%S UTC"), answered.strftime("%H:%M:%S UTC")
    )]
    TokenNotYet {
        /// The start of its validity.
        begin: Timestamp,
        /// The time of the server's answer.
        answered: Timestamp,
    },
    /// By its own claims the token is for another host.
    #[error("{wrong}; it was not sent")]
    WrongAudience {
        /// Both hosts.
        wrong: Box<WrongAudience>,
        /// The scope of a token for the intended address.
        scope: String,
    },
    /// No sign-in method is configured or was found.
    #[error("no sign-in method was found; looked for {looked_for}")]
    NoWay {
        /// What was looked for, in order.
        looked_for: String,
    },
    /// The sign-in method cannot be used with these settings or on this machine.
    #[error("{what}: {why}")]
    Unusable {
        /// The operation.
        what: String,
        /// The obstacle.
        why: String,
    },
    /// The identity provider refused.
    #[error("{what}: {refusal}")]
    Refused {
        /// The operation.
        what: String,
        /// The refusal.
        refusal: Box<SignInRefusal>,
        /// The consent page of the application, where an administrator's consent could help.
        consent: Option<String>,
    },
    /// A tool or a service that issues tokens refused, in its own words.
    #[error("{what}: {said}")]
    ToolRefused {
        /// The operation.
        what: String,
        /// Its message.
        said: String,
        /// The command that signs in to the tool, where there is one.
        login: Option<&'static str>,
    },
    /// The identity provider, or another issuer of tokens, could not be reached.
    #[error("{what}: cannot reach {host}: {why}")]
    Unreachable {
        /// The operation.
        what: String,
        /// The host that was asked.
        host: String,
        /// The innermost cause.
        why: String,
    },
    /// The answer is not one of an identity provider.
    #[error("{what}: {why}")]
    BadAnswer {
        /// The operation.
        what: String,
        /// What is wrong with the answer, which itself is never shown.
        why: String,
    },
    /// The environment names an identity provider that is not trusted.
    #[error("the environment wants a sign-in at {host}, which is not a known identity provider")]
    Untrusted {
        /// Its host.
        host: String,
    },
    /// The address does not say where to sign in.
    #[error("{address} does not say where to sign in: {why}")]
    NoChallenge {
        /// The address that was asked.
        address: String,
        /// What it answered.
        why: String,
    },
    /// The environment offers Windows authentication only.
    #[error("{address} accepts Windows authentication only, and no token")]
    WindowsOnly {
        /// The address that was asked.
        address: String,
    },
    /// A connection was signed in, and its next request was refused nevertheless.
    #[error(
        "{address} accepts the sign-in of a connection, and does not keep it for the next request"
    )]
    NotKept {
        /// The address that was asked.
        address: String,
    },
    /// A user is needed, and there is none.
    #[error("{what}: this needs a person at a terminal")]
    NobodyThere {
        /// The operation.
        what: String,
    },
    /// The user did not finish in time.
    #[error("{what}: nobody finished the sign-in within {minutes} minutes")]
    TooLate {
        /// The operation.
        what: String,
        /// The time limit, in minutes.
        minutes: u64,
    },
}

/// The command that signs a user in, in advice.
const OWN_LOGIN: &str = "syncfilters login";

/// How to get a token for a scope, in advice.
fn new_token(scope: &str) -> String {
    format!(
        "set SYNCFILTERS_ACCESS_TOKEN to a new token for this environment, for example from `az account \
         get-access-token --scope {scope}`, or sign in with --sign-in azure-cli"
    )
}

impl SignInError {
    /// The refusal of a tool that has its own command to sign in.
    pub(super) fn tool_wants_login(
        what: impl Into<String>,
        said: impl fmt::Display,
        login: &'static str,
    ) -> Self {
        Self::ToolRefused {
            what: what.into(),
            said: said.to_string(),
            login: Some(login),
        }
    }

    pub(super) fn unusable(what: impl Into<String>, why: impl fmt::Display) -> Self {
        Self::Unusable {
            what: what.into(),
            why: why.to_string(),
        }
    }

    pub(super) fn tool_refused(what: impl Into<String>, said: impl fmt::Display) -> Self {
        Self::ToolRefused {
            what: what.into(),
            said: said.to_string(),
            login: None,
        }
    }

    pub(super) fn bad_answer(what: impl Into<String>, why: impl fmt::Display) -> Self {
        Self::BadAnswer {
            what: what.into(),
            why: why.to_string(),
        }
    }

    /// A stable word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NotAToken | Self::Missing => "no-token",
            Self::TokenExpired { .. } => "token-expired",
            Self::TokenNotYet { .. } => "token-not-yet-valid",
            Self::WrongAudience { .. } => "token-for-another-host",
            Self::NoWay { .. } => "no-sign-in",
            Self::Unusable { .. } => "sign-in-settings",
            Self::Refused { .. } | Self::ToolRefused { .. } => "sign-in-refused",
            Self::Unreachable { .. } => "sign-in-unreachable",
            Self::BadAnswer { .. } => "sign-in-bad-answer",
            Self::Untrusted { .. } => "sign-in-untrusted",
            Self::NoChallenge { .. } => "no-challenge",
            Self::WindowsOnly { .. } => "windows-only",
            Self::NotKept { .. } => "sign-in-not-kept",
            Self::NobodyThere { .. } => "sign-in-needs-a-person",
            Self::TooLate { .. } => "sign-in-expired",
        }
    }

    /// Whether the settings are the cause, and not a server.
    pub const fn is_configuration(&self) -> bool {
        matches!(
            self,
            Self::NotAToken
                | Self::Missing
                | Self::NoWay { .. }
                | Self::Unusable { .. }
                | Self::NoChallenge { .. }
                | Self::WindowsOnly { .. }
        )
    }

    /// Whether the same may work later without any change.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused { refusal, .. } => refusal.is_passing(),
            Self::Unreachable { .. } | Self::BadAnswer { .. } => true,
            _ => false,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NotAToken | Self::Missing | Self::NoWay { .. } => {
                "name a sign-in method with --sign-in or `sign-in` in the configuration file (config/README.md lists \
                 them), or set SYNCFILTERS_ACCESS_TOKEN to a bearer token for the environment"
            }
            Self::Refused {
                refusal, consent, ..
            } => {
                return advice(refusal).map(|text| match consent {
                    Some(url) if refusal.wants_consent() => format!("{text}: {url}"),
                    _ => text.to_owned(),
                });
            }
            Self::TokenExpired { scope, .. } | Self::WrongAudience { scope, .. } => {
                return Some(new_token(scope));
            }
            Self::ToolRefused { said, login, .. } => {
                let text = advice(&SignInRefusal::plain("", Some(said)))?;
                // The tool keeps that sign-in, not this program.
                let login = login.unwrap_or(OWN_LOGIN);
                return Some(text.replace(OWN_LOGIN, login));
            }
            Self::TokenNotYet { .. } => {
                "set the clocks of the server and of whoever made the token, or wait, then try again"
            }
            Self::Unreachable { .. } => "check the network and HTTPS_PROXY, then try again",
            Self::Untrusted { .. } => {
                "check the address of the environment; if this is your organisation's own AD FS, name its host as \
                 `authority` of the environment in the configuration file"
            }
            Self::NoChallenge { .. } => {
                "check that the address is that of a CRM organisation, such as https://contoso.crm4.dynamics.com"
            }
            Self::WindowsOnly { .. } => {
                "sign in with --sign-in ntlm or negotiate (config/sign-in.md, Windows authentication), or use the address of \
                 the internet-facing deployment (IFD) with OAuth enabled, where there is one"
            }
            Self::NotKept { .. } => {
                "go to the server directly, not through a proxy or load balancer that shares connections; in IIS, \
                 authPersistSingleRequest has to be false; and the user has to be one of the CRM organisation"
            }
            Self::NobodyThere { .. } => {
                "run `syncfilters login` at a terminal first, or use an application: client-secret, certificate, \
                 federation or managed-identity"
            }
            Self::TooLate { .. } => "start over and finish the sign-in in time",
            Self::Unusable { .. } | Self::BadAnswer { .. } => return None,
        };
        Some(text.to_owned())
    }
}
