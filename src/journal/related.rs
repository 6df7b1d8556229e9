//! Other runs of the same folder that wrote the same rows: later runs, and earlier undos of a run.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use crate::model::{FilterId, Operation, RowStamp, RunId, TemplateId, TemplateStamp, UserId};
use crate::plan::PutBack;

use super::codes::CHANGED;
use super::rows::{blob, filter_id, time};
use super::run_header::RunHeader;
use super::undo::left;
use super::undo_chain::{Relation, UndoChain};
use super::{JournalError, RunReader, RunStore};

/// The coarsest file times of any file system (FAT).
const COARSEST: Duration = Duration::from_secs(2);

/// What later runs did to a row that a run wrote; `S` is the state in which a run left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim<S> {
    /// The last result of the run's undos, and of the undos of those.
    pub undone: Option<Undone<S>>,
    /// An unrelated run that wrote the row later; or a related one, where its write is not proved.
    pub rewritten_by: Option<RunId>,
}

/// The state of a row after the undo of its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undone<S> {
    /// It was restored.
    PutBack(PutBack),
    /// The undo was undone, and left the row in this state.
    SetAgain(S),
}

impl<S> Default for Claim<S> {
    fn default() -> Self {
        Self {
            undone: None,
            rewritten_by: None,
        }
    }
}

/// The runs of one organisation in one folder that wrote after a run began to write.
#[derive(Debug, Default)]
pub struct RelatedRuns {
    runs: Vec<RunReader>,
    chain: UndoChain,
}

/// What a run wrote, or may have written.
struct Write<S> {
    at: Timestamp,
    proved: bool,
    left: S,
}

impl RelatedRuns {
    /// Opens the runs beside a run's file that belong to its organisation and have written since. The run that
    /// is being driven is not opened a second time, and it and copies of either do not count. Files that cannot be
    /// read are ignored.
    ///
    /// # Errors
    /// Where a run file fails while it is read.
    pub fn beside(
        path: &Path,
        of: &RunHeader,
        driven: (&Path, &RunId),
        since: Timestamp,
    ) -> Result<Self, JournalError> {
        let mut related = Self::default();
        related.chain.add(of);
        let Some(folder) = path.parent() else {
            return Ok(related);
        };
        for other in RunStore::at(folder).files().unwrap_or_default() {
            let is_same_file = [path, driven.0].iter().any(|own| is_same(own, &other));
            if is_same_file {
                continue;
            }
            let Ok(run) = RunReader::open(&other) else {
                continue;
            };
            let RunHeader {
                id, organization, ..
            } = &run.header;
            let is_other_run = *id != of.id && id != driven.1;
            if !is_other_run || organization.id != of.organization.id {
                continue;
            }
            related.chain.add(&run.header);
            if run.writing_time()?.until >= since {
                related.runs.push(run);
            }
        }
        Ok(related)
    }

    /// What these runs did to a filter that the run `of` wrote at this time.
    ///
    /// # Errors
    /// Where a run file fails while it is read.
    pub fn claim(
        &self,
        of: &RunId,
        user: UserId,
        filter: FilterId,
        written: Timestamp,
    ) -> Result<Claim<RowStamp>, JournalError> {
        self.claimed(of, written, |run| wrote(run, user, filter))
    }

    /// As [`Self::claim`], for a template.
    ///
    /// # Errors
    /// Where a run file fails while it is read.
    pub fn claim_template(
        &self,
        of: &RunId,
        template: TemplateId,
        written: Timestamp,
    ) -> Result<Claim<TemplateStamp>, JournalError> {
        self.claimed(of, written, |run| wrote_template(run, template))
    }

    fn claimed<S>(
        &self,
        of: &RunId,
        written: Timestamp,
        wrote: impl Fn(&RunReader) -> Result<Option<Write<S>>, JournalError>,
    ) -> Result<Claim<S>, JournalError> {
        let mut writes = Vec::new();
        for run in &self.runs {
            if let Some(write) = wrote(run)?.filter(|write| write.at >= written) {
                writes.push((&run.header.id, write));
            }
        }
        writes.sort_by_key(|(_, write)| write.at);
        let mut claim = Claim::default();
        for (run, Write { at, proved, left }) in writes {
            let last = match (self.chain.relation(run, of), proved) {
                (Some(Relation::Reverses), true) => Undone::PutBack(PutBack {
                    by: run.clone(),
                    at,
                }),
                (Some(Relation::Repeats), true) => Undone::SetAgain(left),
                // If it was done, the row is as before; if not, nothing has changed.
                (Some(Relation::Reverses), false) => continue,
                (Some(Relation::Repeats), false) => {
                    claim = Claim {
                        undone: None,
                        rewritten_by: Some(run.clone()),
                    };
                    continue;
                }
                (None, _) => {
                    claim.rewritten_by = Some(run.clone());
                    continue;
                }
            };
            claim = Claim {
                undone: Some(last),
                rewritten_by: None,
            };
        }
        Ok(claim)
    }
}

impl<S> Claim<S> {
    /// Whether another run wrote the row.
    pub const fn is_any(&self) -> bool {
        self.undone.is_some() || self.rewritten_by.is_some()
    }
}

/// The filters that other runs of the same organisation, in the folder of a run, wrote or may have written since this
/// run began. Whatever their stamp says, their state may come from those runs.
///
/// # Errors
/// Where a run file fails while it is read.
pub fn written_beside(path: &Path, of: &RunHeader) -> Result<HashSet<FilterId>, JournalError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut written = HashSet::new();
    for other in RunStore::at(folder).files().unwrap_or_default() {
        if is_same(path, &other) || !was_touched_since(&other, of.started) {
            continue;
        }
        let Ok(run) = RunReader::open(&other) else {
            continue;
        };
        if run.header.id == of.id || run.header.organization.id != of.organization.id {
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

/// The last run in the folder of this one that began to undo it, or a copy of it.
///
/// # Errors
/// Where a run file fails while it is read.
pub fn undone_beside(path: &Path, of: &RunHeader) -> Result<Option<RunId>, JournalError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut last: Option<(Timestamp, RunId)> = None;
    for other in RunStore::at(folder).files().unwrap_or_default() {
        if is_same(path, &other) || !was_touched_since(&other, of.started) {
            continue;
        }
        let Ok(run) = RunReader::open(&other) else {
            continue;
        };
        let header = &run.header;
        let undoes = header.operation == Operation::Undo && header.undoes.as_ref() == Some(&of.id);
        if !undoes || !run.view(|view| view.has_written())? {
            continue;
        }
        if last.as_ref().is_none_or(|(at, _)| *at < header.started) {
            last = Some((header.started, header.id.clone()));
        }
    }
    Ok(last.map(|(_, run)| run))
}

/// Whether the file or its log was written since, by their file times. True where that is not known.
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

/// Whether two paths lead to the same file, as far as that is known.
fn is_same(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// What this run wrote to a filter, or may have written.
fn wrote(
    run: &RunReader,
    user: UserId,
    filter: FilterId,
) -> Result<Option<Write<RowStamp>>, JournalError> {
    run.read(|connection| {
        let mut query = connection.prepare_cached(&format!(
            "SELECT max(coalesce(c.settled, 0), c.intended), c.{CHANGED}, c.to_state, c.to_status,
                    c.after_state, c.after_status, c.after_etag, c.after_modified, c.after_modified_by,
                    c.after_modified_on_behalf
             FROM user AS u JOIN change AS c ON c.user = u.seq
             WHERE u.id = ?1 AND c.filter = ?2 AND c.intended IS NOT NULL AND (c.{CHANGED} OR c.maybe)"
        ))?;
        query
            .query_row(params![blob(user.0), blob(filter.0)], |row| {
                let proved = row.get(1)?;
                Ok(Write {
                    at: time(row.get(0)?)?,
                    proved,
                    left: left(row, 2, proved)?,
                })
            })
            .optional()
    })
}

/// What this run wrote to a template, or may have written.
fn wrote_template(
    run: &RunReader,
    template: TemplateId,
) -> Result<Option<Write<TemplateStamp>>, JournalError> {
    let Some((change, at)) = run.template_written(template)? else {
        return Ok(None);
    };
    Ok(change
        .undone()
        .and_then(|undo| undo.left)
        .map(|left| Write {
            at,
            proved: left.proved,
            left: left.stamp,
        }))
}
