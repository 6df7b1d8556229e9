//! Telling and asking whoever signs in, where somebody is there.

use std::fmt;

use secrecy::SecretString;

/// What a person is told while signing in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromptText {
    /// Open the address on any device and enter the code there.
    Code {
        /// The address.
        address: String,
        /// The code.
        code: String,
        /// How many minutes there are.
        minutes: u64,
    },
    /// Finish the sign-in in the browser.
    Browser {
        /// The address, should the browser not have opened.
        address: String,
        /// Whether a browser could be started.
        opened: bool,
    },
    /// A sign-in that was to be kept is not.
    NotKept {
        /// Why not.
        why: String,
    },
}

/// Somebody who can be told something, and asked for a password.
pub trait UserPrompt: Send + Sync + fmt::Debug {
    /// Whether anybody is there at all.
    fn is_there(&self) -> bool;

    /// Tells.
    fn tell(&self, notice: &PromptText);

    /// Opens the address in a browser; `false` where there is none.
    fn open(&self, address: &str) -> bool;

    /// Asks for something that is not shown while it is typed; `None` where nobody is there to answer.
    fn ask(&self, what: &str) -> Option<SecretString>;
}

/// There is nobody to ask: a scheduler, a pipeline, a pipe.
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
