//! Names a run for commands.

use std::path::{Path, PathBuf};

use crate::model::RunId;

/// Where the file of a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunLocation {
    /// In the own store, where its id is enough.
    Store,
    /// Elsewhere, where its path is needed.
    File(PathBuf),
}

/// Options of this command that later commands about its runs need as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunContext {
    /// The state folder, where it is not the usual one.
    pub state_dir: Option<PathBuf>,
    /// The configuration file that was named: it contains the guards and the sign-in of the environment.
    pub config: Option<PathBuf>,
    /// The address that was given: a run file outside the store needs it.
    pub url: Option<String>,
}

/// A run, in the form in which later commands find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRef {
    /// The run's id.
    pub id: RunId,
    /// Where its file is.
    pub location: RunLocation,
    /// Further options of its commands.
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

    /// A run outside the store.
    pub fn elsewhere(id: &RunId, path: &Path) -> Self {
        Self {
            id: id.clone(),
            location: RunLocation::File(path.to_owned()),
            context: RunContext::default(),
        }
    }

    /// The same run, with options of its commands.
    #[must_use]
    pub fn with_context(self, context: RunContext) -> Self {
        Self { context, ..self }
    }
}
