//! Other runs of the same folder that wrote the same rows: a later run, and the earlier undos of a run.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use crate::model::{FilterId, Operation, RunId, UserId};
use crate::plan::PutBack;

use super::codes::CHANGED;
use super::head::{Head, time};
use super::rows::blob;
use super::{JournalError, RunReader, RunStore};

/// What another run says of a row that a run wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// The undo of this run that put the row back last.
    pub put_back: Option<PutBack>,
    /// Another run that wrote the row after this one.
    pub rewritten_by: Option<RunId>,
}

/// The runs of one organisation in one folder that wrote after a run had begun to.
#[derive(Debug, Default)]
pub struct RelatedRuns(Vec<RunReader>);

impl RelatedRuns {
    /// Opens the runs beside the file of a run of which the organisation is this run's and which wrote since. The run that
    /// is being driven is never opened a second time, and neither it nor a copy of either counts. A file that cannot be
    /// read says nothing.
    ///
    /// # Errors
    /// Where a run file fails while it is read.
    pub fn beside(
        path: &Path,
        of: &Head,
        driven: (&Path, &RunId),
        since: Timestamp,
    ) -> Result<Self, JournalError> {
        let Some(folder) = path.parent() else {
            return Ok(Self::default());
        };
        let mut runs = Vec::new();
        for other in RunStore::at(folder).files().unwrap_or_default() {
            let is_same_file = [path, driven.0].iter().any(|own| is_same(own, &other));
            if is_same_file {
                continue;
            }
            let Ok(run) = RunReader::open(&other) else {
                continue;
            };
            let Head {
                id, organization, ..
            } = &run.head;
            let is_other_run = *id != of.id && id != driven.1;
            let is_of_organization = organization.id == of.organization.id;
            if is_other_run && is_of_organization && run.writing_time()?.until >= since {
                runs.push(run);
            }
        }
        Ok(Self(runs))
    }

    /// What these runs say of a row that the run `of` wrote at this time.
    ///
    /// # Errors
    /// Where a run file fails while it is read.
    pub fn claim(
        &self,
        of: &RunId,
        user: UserId,
        filter: FilterId,
        written: Timestamp,
    ) -> Result<Claim, JournalError> {
        let mut claim = Claim::default();
        for run in &self.0 {
            let Some((at, proved)) = wrote(run, user, filter)? else {
                continue;
            };
            if at < written {
                continue;
            }
            let undoes =
                run.head.operation == Operation::Undo && run.head.undoes.as_ref() == Some(of);
            if !undoes {
                claim.rewritten_by = Some(run.head.id.clone());
            } else if proved && claim.put_back.as_ref().is_none_or(|other| other.at < at) {
                let by = run.head.id.clone();
                claim.put_back = Some(PutBack { by, at });
            }
        }
        Ok(claim)
    }
}

/// Whether two paths lead to one file, as far as that can be told.
fn is_same(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// When this run wrote a row, or may have, and whether that is proved.
fn wrote(
    run: &RunReader,
    user: UserId,
    filter: FilterId,
) -> Result<Option<(Timestamp, bool)>, JournalError> {
    run.read(|connection| {
        let mut query = connection.prepare_cached(&format!(
            "SELECT max(coalesce(c.settled, 0), c.intended), c.{CHANGED}
             FROM user AS u JOIN change AS c ON c.user = u.seq
             WHERE u.id = ?1 AND c.filter = ?2 AND c.intended IS NOT NULL AND (c.{CHANGED} OR c.maybe)"
        ))?;
        query
            .query_row(params![blob(user.0), blob(filter.0)], |row| {
                Ok((time(row.get(0)?)?, row.get(1)?))
            })
            .optional()
    })
}
