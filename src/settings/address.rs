//! The addresses to which a token may be sent.

use std::fmt;
use std::ops::Deref;

use crate::model::{ClaimedAddress, EnvironmentUrl, is_same_place};

use super::{Origin, SettingsError};

/// An address to which a token may be sent, because it was given by a flag, a variable or the configuration file, or
/// because a run in the own store was made there. Only this module makes one, so that nothing is sent to an address
/// that merely is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(EnvironmentUrl);

impl Address {
    /// An address that the user gave.
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

    /// Whether this is the address that a run names.
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
