//! The run files that the page shows.

use crate::journal::{InspectedFiles, RunReader, RunStore};
use crate::model::RunId;
use crate::report::ErrorReport;

use super::live::usage;

/// A store of runs, and those of its files that were looked through.
#[derive(Debug)]
pub(super) struct RunFiles {
    pub(super) store: RunStore,
    inspected: InspectedFiles,
}

impl RunFiles {
    pub(super) fn new(store: RunStore) -> Self {
        Self {
            store,
            inspected: InspectedFiles::default(),
        }
    }

    /// Opens a run to read it. It is opened anew for each look: whoever ends a run waits for readers.
    pub(super) fn read(&self, id: &RunId) -> Result<RunReader, ErrorReport> {
        let path = self.store.find(id.as_str());
        let path = path.map_err(|error| ErrorReport::from(&error))?;
        let run = RunReader::open_again(&path, &self.inspected);
        let run = run.map_err(|error| ErrorReport::from(&error))?;
        if run.header.id != *id {
            let other = run.header.id.short();
            let why = format!("the file of run {} holds another one, {other}", id.short());
            return Err(usage(&why));
        }
        Ok(run.of_store(&self.store))
    }
}

/// The id of a run in an address: nothing else leads to a file.
pub(super) fn run_id(text: &str) -> Result<RunId, ErrorReport> {
    text.parse()
        .map_err(|_| usage("there is no run with this id"))
}
