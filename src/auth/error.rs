//! Why there is no token.

use std::fmt;

use jiff::Timestamp;

use super::advice::advice;
use super::claims::WrongAudience;
use super::refusal::SignInRefusal;

/// Why there is no token. Cheap to clone, so that everybody who waited for one can be told the same.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SignInError {
    /// The text is not a token.
    #[error("the access token holds characters that no token has")]
    NotAToken,
    /// There is none.
    #[error("there is no access token")]
    Missing,
    /// The token says of itself that it is good no longer.
    #[error("the access token has expired, at {}", end.strftime("%Y-%m-%d %H:%M UTC"))]
    TokenExpired {
        /// When.
        end: Timestamp,
        /// The scope of a token for the address that it was to be sent to.
        scope: String,
    },
    /// The token says of itself that it is not good yet, by the clock of the server.
    #[error(
        "the access token is valid from {} only, and the clock of the server says {}",
        begin.strftime("%Y-%m-%d %H:%M:%S UTC"), answered.strftime("%H:%M:%S UTC")
    )]
    TokenNotYet {
        /// When it begins to be good.
        begin: Timestamp,
        /// The time of the server's answer.
        answered: Timestamp,
    },
    /// The token says of itself that it is for another host.
    #[error("{wrong}; it was not sent")]
    WrongAudience {
        /// For which.
        wrong: Box<WrongAudience>,
        /// The scope of a token for the address that it was to be sent to.
        scope: String,
    },
    /// Nothing that is set says how to sign in.
    #[error("no sign-in method was found; looked for {looked_for}")]
    NoWay {
        /// What was looked for, in order.
        looked_for: String,
    },
    /// The sign-in method cannot be used as it is set up here.
    #[error("{what}: {why}")]
    Unusable {
        /// What was being done.
        what: String,
        /// What stands in its way.
        why: String,
    },
    /// The identity provider refused.
    #[error("{what}: {refusal}")]
    Refused {
        /// What was being done.
        what: String,
        /// What it said.
        refusal: Box<SignInRefusal>,
        /// The application and the authority, where an administrator's consent could help.
        consent: Option<String>,
    },
    /// A tool or a service that hands out tokens said no, in its own words.
    #[error("{what}: {said}")]
    ToolRefused {
        /// What was being done.
        what: String,
        /// What it said.
        said: String,
        /// The command that signs in to the tool, where it is one that people sign in to.
        login: Option<&'static str>,
    },
    /// The identity provider, or whoever else hands out tokens, could not be reached.
    #[error("{what}: cannot reach {host}: {why}")]
    Unreachable {
        /// What was being done.
        what: String,
        /// Which host.
        host: String,
        /// The reason, down to the last cause.
        why: String,
    },
    /// It answered something else than what was asked for.
    #[error("{what}: {why}")]
    BadAnswer {
        /// What was being done.
        what: String,
        /// What is wrong with it. Never the answer itself.
        why: String,
    },
    /// The environment names an identity provider that nobody vouched for.
    #[error("the environment wants a sign-in at {host}, which is not a known identity provider")]
    Untrusted {
        /// The host.
        host: String,
    },
    /// The address does not say where to sign in.
    #[error("{address} does not say where to sign in: {why}")]
    NoChallenge {
        /// The address that was asked.
        address: String,
        /// What it said instead.
        why: String,
    },
    /// The environment wants Windows authentication.
    #[error("{address} accepts Windows authentication only, and no token")]
    WindowsOnly {
        /// The address that was asked.
        address: String,
    },
    /// A connection was signed in, and the next request over it is refused all the same.
    #[error(
        "{address} accepts the sign-in of a connection, and does not keep it for the next request"
    )]
    NotKept {
        /// The address.
        address: String,
    },
    /// Somebody has to be there, and nobody is.
    #[error("{what}: this needs a person at a terminal")]
    NobodyThere {
        /// What was being done.
        what: String,
    },
    /// The person did not finish in time.
    #[error("{what}: nobody finished the sign-in within {minutes} minutes")]
    TooLate {
        /// What was being done.
        what: String,
        /// How long was waited.
        minutes: u64,
    },
}

/// How the advice names the command that signs a person in.
const OWN_LOGIN: &str = "syncfilters login";

/// How to get a token for an address.
fn new_token(scope: &str) -> String {
    format!(
        "set SYNCFILTERS_ACCESS_TOKEN to a new token for this environment, for example from `az account \
         get-access-token --scope {scope}`, or sign in with --sign-in azure-cli"
    )
}

impl SignInError {
    /// A refusal of a tool that people sign in to with a command of its own.
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

    /// Whether it is about the settings, and not about what a server said.
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

    /// Whether the same may work later without anybody doing anything.
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
