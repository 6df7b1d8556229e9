//! Where a run is, for whoever wants to name it.

use std::path::{Path, PathBuf};

use crate::model::RunId;

/// Where the file of a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunLocation {
    /// In the own store: its id finds it.
    Store,
    /// Elsewhere: only its path does.
    File(PathBuf),
}

/// What was given to this command, and a later command about its runs needs as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunContext {
    /// The state folder, where it is not the usual one.
    pub state_dir: Option<PathBuf>,
    /// The configuration file that was named: its guards hold for the run, and its sign-in leads to the environment.
    pub config: Option<PathBuf>,
    /// The address that was given: a run file that is not in the store leads to none by itself.
    pub url: Option<String>,
}

/// A run, as a later command finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRef {
    /// Its id.
    pub id: RunId,
    /// Where its file is.
    pub location: RunLocation,
    /// What its commands need besides.
    pub context: RunContext,
}

impl RunRef {
    /// A run in the own store.
    pub fn stored(id: &RunId) -> Self {
        Self {
            id: id.clone(),
            location: RunLocation::Store,
            context: RunContext::default(),
        }
    }

    /// A run that its path finds.
    pub fn elsewhere(id: &RunId, path: &Path) -> Self {
        Self {
            id: id.clone(),
            location: RunLocation::File(path.to_owned()),
            context: RunContext::default(),
        }
    }

    /// The same run, with what its commands need.
    #[must_use]
    pub fn with_context(self, context: RunContext) -> Self {
        Self { context, ..self }
    }
}
