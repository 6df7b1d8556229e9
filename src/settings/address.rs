//! Where a token may go.

use std::fmt;
use std::ops::Deref;

use crate::model::{ClaimedAddress, EnvironmentUrl, is_same_place};

use super::{Origin, SettingsError};

/// An address that a token may be sent to, because somebody gave it: a flag, a variable or the configuration file; or
/// because a run of the own store was made there. Only this module makes one, so that nothing is sent to an address
/// that merely stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(EnvironmentUrl);

impl Address {
    /// An address that somebody gave.
    pub fn given(text: &str, origin: &Origin) -> Result<Self, SettingsError> {
        let address = text.parse().map_err(|source| SettingsError::Url {
            origin: origin.clone(),
            source,
        })?;
        Ok(Self(address))
    }

    pub(super) fn of_own_run(claimed: &ClaimedAddress) -> Self {
        Self(claimed.believed().clone())
    }

    /// Whether a run that names this address was made here.
    pub(super) fn is_that_of(&self, claimed: &ClaimedAddress) -> bool {
        is_same_place(self.0.as_url(), claimed.believed().as_url())
    }
}

impl Deref for Address {
    type Target = EnvironmentUrl;

    fn deref(&self) -> &EnvironmentUrl {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<&Address> for ClaimedAddress {
    fn from(address: &Address) -> Self {
        address.0.clone().into()
    }
}
