//! Why an environment cannot be connected to.

use crate::auth::SignInError;
use crate::dataverse;
use crate::journal::OpenError;
use crate::model::count_of;
use crate::report::{ErrorClass, ErrorReport};
use crate::settings::{ChoiceError, SettingsError};

/// Why an environment cannot be connected to.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A setting is missing or wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Signing in failed.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// The server, or the network, failed.
    #[error(transparent)]
    Dataverse(#[from] dataverse::Error),
    /// The run files, which are searched for addresses of an organisation, cannot be read.
    #[error(transparent)]
    Runs(#[from] OpenError),
    /// The HTTP client could not be made.
    #[error("the HTTP client cannot be made: {0}")]
    Http(reqwest::Error),
    /// Several environments cannot be used; all reasons together.
    #[error("{} cannot be used:", count_of(.0, "environment"))]
    Environments(Vec<String>),
}

impl From<ChoiceError> for ConnectError {
    fn from(error: ChoiceError) -> Self {
        match error {
            ChoiceError::Settings(error) => Self::Settings(error),
            ChoiceError::SignIn(error) => Self::SignIn(error),
        }
    }
}

impl From<&ConnectError> for ErrorReport {
    fn from(error: &ConnectError) -> Self {
        match error {
            ConnectError::Settings(error) => error.into(),
            ConnectError::SignIn(error) => error.into(),
            ConnectError::Dataverse(error) => error.into(),
            ConnectError::Runs(error) => error.into(),
            ConnectError::Http(_) => Self::new("unexpected", ErrorClass::Unexpected, error),
            // All of them, so that they can be corrected together.
            ConnectError::Environments(wrong) => Self::new("settings", ErrorClass::Usage, error)
                .with_examples(wrong, wrong.len())
                .with_hint("nothing was asked of any environment; `syncfilters environments` lists those of the configuration file"),
        }
    }
}
