//! The run that is undone.

use std::path::Path;
use std::sync::PoisonError;

use crate::journal::{JournalError, LockedRun, RunHeader, RunReader, RunRef, RunStore};
use crate::model::{Operation, RunId};
use crate::plan::{Criteria, CriteriaError, RunSettings, Types};

use super::RolloutError;
use super::new_run::{NewRun, NewRunFile};
use super::phases::{Gathered, states};
use super::run::Halted;
use super::session::Connection;

/// A run to be undone, which no process can drive meanwhile.
#[derive(Debug)]
pub struct SourceRun {
    reader: RunReader,
    held: LockedRun,
}

impl SourceRun {
    /// Opens the run file.
    pub fn open(path: &Path) -> Result<Self, RolloutError> {
        let (held, reader) = LockedRun::take(path, None)?;
        Ok(Self { reader, held })
    }

    /// As [`Self::open`], for a file that may be in this store, or a copy of one in it.
    pub fn open_in(store: &RunStore, path: &Path) -> Result<Self, RolloutError> {
        let (held, reader) = LockedRun::take(path, Some(store))?;
        Ok(Self { reader, held })
    }

    /// The header of the run.
    pub fn header(&self) -> &RunHeader {
        &self.reader.header
    }

    /// The file of the run.
    pub fn reader(&self) -> &RunReader {
        &self.reader
    }

    /// The name of the run in commands.
    pub fn reference(&self) -> &RunRef {
        &self.reader.reference
    }

    /// The last undo that was begun, if there is one.
    pub fn undone_by(&self) -> Result<Option<RunId>, JournalError> {
        self.reader.view(|view| view.undone_by())
    }

    /// Begins a run that undoes this one, with a copy of its rows.
    pub async fn undo(
        self,
        on: &Connection,
        at: &NewRunFile,
        settings: RunSettings,
    ) -> Result<Gathered, Halted> {
        let failed = |why: RolloutError| Halted { why, run: None };
        let criteria = self.criteria().map_err(|error| failed(error.into()))?;
        let new = NewRun {
            criteria,
            settings,
            target: self.header().target,
            ..NewRun::of(Operation::Undo)
        };
        let undoes = Some(self.header().id.clone());
        let created = new.create_with(on, at, undoes, None).map_err(failed)?;
        let gathered = created.rollout.gather_undo(&self.reader).await;
        // The file is written once, before the first row is restored, and must not be open then.
        let Self { reader, held } = self;
        drop(reader);
        {
            let kept = created.rollout.undone.lock();
            *kept.unwrap_or_else(PoisonError::into_inner) = Some(held);
        }
        created.then(gathered, |()| states::Gathered).await
    }

    fn criteria(&self) -> Result<Criteria, CriteriaError> {
        Criteria::new(Types::All, self.header().criteria.kinds().to_vec(), None)
    }
}
