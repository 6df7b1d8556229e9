//! Other runs of the same folder that wrote the same rows: a later run, and the earlier undos of a run.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use crate::model::{FilterId, Operation, RunId, UserId};
use crate::plan::PutBack;

use super::codes::CHANGED;
use super::head::{Head, time};
use super::rows::{blob, filter_id};
use super::{JournalError, RunReader, RunStore};

/// File systems tell times this coarsely at worst (FAT).
const COARSEST: Duration = Duration::from_secs(2);

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

/// The filters that other runs of the same organisation in the folder of a run wrote, or may have, since this run was
/// begun. What such a row is may be their doing, whatever its stamp says.
///
/// # Errors
/// Where a run file fails while it is read.
pub fn written_beside(path: &Path, of: &Head) -> Result<HashSet<FilterId>, JournalError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut written = HashSet::new();
    for other in RunStore::at(folder).files().unwrap_or_default() {
        if is_same(path, &other) || !was_touched_since(&other, of.started) {
            continue;
        }
        let Ok(run) = RunReader::open(&other) else {
            continue;
        };
        if run.head.id == of.id || run.head.organization.id != of.organization.id {
            continue;
        }
        run.read(|connection| {
            let mut query = connection.prepare(&format!(
                "SELECT filter FROM change WHERE intended >= ?1 AND ({CHANGED} OR maybe)"
            ))?;
            let mut rows = query.query([of.started.as_millisecond()])?;
            while let Some(row) = rows.next()? {
                written.insert(filter_id(row, 0)?);
            }
            Ok(())
        })?;
    }
    Ok(written)
}

/// The run in the folder of this one that began to undo it last, by whatever copy of its file.
///
/// # Errors
/// Where a run file fails while it is read.
pub fn undone_beside(path: &Path, of: &Head) -> Result<Option<RunId>, JournalError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut last: Option<(Timestamp, RunId)> = None;
    for other in RunStore::at(folder).files().unwrap_or_default() {
        if is_same(path, &other) || !was_touched_since(&other, of.started) {
            continue;
        }
        let Ok(run) = RunReader::open(&other) else {
            continue;
        };
        let head = &run.head;
        let undoes = head.operation == Operation::Undo && head.undoes.as_ref() == Some(&of.id);
        if !undoes || !run.view(|view| view.has_written())? {
            continue;
        }
        if last.as_ref().is_none_or(|(at, _)| *at < head.started) {
            last = Some((head.started, head.id.clone()));
        }
    }
    Ok(last.map(|(_, run)| run))
}

/// Whether the file or its log was written since, as the file system says it. Where that cannot be told, it was.
fn was_touched_since(file: &Path, since: Timestamp) -> bool {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let since = Duration::try_from(since.as_duration()).unwrap_or_default();
    let since = SystemTime::UNIX_EPOCH + since.saturating_sub(COARSEST);
    let touched = |path: &Path| match path.metadata() {
        Ok(about) => about.modified().map_or(true, |at| at >= since),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    };
    touched(file) || touched(Path::new(&log))
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
