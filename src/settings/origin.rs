//! Where a value came from.

use std::fmt;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line.
    Flag(&'static str),
    /// An argument of the command line, as the help names it.
    Argument(&'static str),
    /// An environment variable.
    Variable(&'static str),
    /// A profile of the configuration file.
    Profile(String),
    /// A default in the configuration file, by its key.
    File(&'static str),
    /// The address in the run file.
    Run,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Argument(name) | Self::Variable(name) => f.write_str(name),
            Self::Profile(name) => write!(f, "environment `{name}` of the configuration file"),
            Self::File(key) => write!(f, "`{key}` in the configuration file"),
            Self::Run => f.write_str("the run file"),
        }
    }
}
