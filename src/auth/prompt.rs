//! Messages and questions to the user who signs in, if there is one.

use std::fmt;

use secrecy::SecretString;

/// A message to the user while signing in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromptText {
    /// Open the address on any device and enter the code there.
    Code {
        /// The address.
        address: String,
        /// The code.
        code: String,
        /// Minutes for which the code is valid.
        minutes: u64,
    },
    /// Finish the sign-in in the browser.
    Browser {
        /// The address, in case the browser did not open.
        address: String,
        /// Whether a browser could be started.
        opened: bool,
    },
    /// A sign-in could not be kept.
    NotKept {
        /// The reason.
        why: String,
    },
}

/// A user who can be shown messages and be asked for a password.
pub trait UserPrompt: Send + Sync + fmt::Debug {
    /// Whether there is a user.
    fn is_there(&self) -> bool;

    /// Shows a message.
    fn tell(&self, notice: &PromptText);

    /// Opens the address in a browser; `false` where that fails.
    fn open(&self, address: &str) -> bool;

    /// Asks for a text that is not shown while it is typed; `None` where there is no user.
    fn ask(&self, what: &str) -> Option<SecretString>;
}

/// No user: a scheduler, a pipeline, a pipe.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPrompt;

impl UserPrompt for NoPrompt {
    fn is_there(&self) -> bool {
        false
    }

    fn tell(&self, _: &PromptText) {}

    fn open(&self, _: &str) -> bool {
        false
    }

    fn ask(&self, _: &str) -> Option<SecretString> {
        None
    }
}
